// The directory in memory, as the transport asks for it at every call.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>

#include "broker/store/state_store.h"
#include "broker/transport/directory_reader.h"

namespace schakel::rpc {

// Thread-safe.
class DirectoryCache final : public transport::DirectoryReader {
 public:
  explicit DirectoryCache(const store::StateStore* store) : store_(store) {}
  // Reads all entries anew from durable state.
  Status Refresh();
  std::optional<transport::MemberFacts> Find(const OrganisationId& organisation) const override;
  size_t size() const;

 private:
  using Members = std::unordered_map<std::string, transport::MemberFacts>;
  const store::StateStore* const store_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Members> members_ = std::make_shared<Members>();
};

}  // namespace schakel::rpc
