// DirectoryService, read: entries, with every key set verified and pinned before it is returned.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "clients/sdk/connection.h"
#include "clients/sdk/directory.h"
#include "clients/sdk/key_set_pins.h"
#include "schakel/v1/directory.grpc.pb.h"

namespace schakel::sdk {

// Thread-safe. Current entries are kept for `cache_time`; older key sets by digest never change and
// are kept until the end (their revocation is checked again each time).
class DirectoryClient final : public Directory {
 public:
  DirectoryClient(std::shared_ptr<Connection> connection,
                  std::shared_ptr<const KeySetVerifier> verifier, KeySetPins pins,
                  std::chrono::seconds cache_time = std::chrono::seconds(60));

  Result<Member> Get(const OrganisationId& oin) override;
  Result<VerifiedKeySet> KeySetAt(const OrganisationId& oin, const Digest& digest,
                                  Millis created) override;

  // As the broker gives it, nothing verified: for screens. `digest` empty for the current key set.
  Result<v1::GetOrganisationResponse> GetRaw(const OrganisationId& oin, BytesView digest = {});
  // All pages, by OIN, nothing verified.
  Result<std::vector<v1::OrganisationEntry>> List();
  Result<v1::ResolveFunctionResponse> Resolve(const policy::FunctionAtArea& function);

 private:
  struct Cached {
    Member member;
    std::chrono::steady_clock::time_point fetched;
  };
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<const KeySetVerifier> verifier_;
  KeySetPins pins_;
  std::chrono::seconds cache_time_;
  std::unique_ptr<v1::DirectoryService::Stub> stub_;
  std::mutex mutex_;  // guards what follows
  std::map<OrganisationId, Cached> current_;
  std::map<std::pair<OrganisationId, Digest>, v1::SignedKeySet> by_digest_;
};

}  // namespace schakel::sdk
