// Which signals a recipient opened: (sender, signal id) -> envelope digest, so that the same id
// with another content is refused and a redelivery is known as one.
//
// One append-only file of records of 80 bytes:
//   sender OIN(20) || signal id(16) || envelope digest(32) || u64 expires ms || first 4 bytes of
//   the SHA-256 of these 76
// A torn tail is cut off. Records are dropped 24 hours after their signal expired.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "broker/base/bytes.h"
#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"

namespace schakel::sdk {

// Safe between processes and threads: every call reads what others added, under a lock file.
class SeenSignals {
 public:
  explicit SeenSignals(std::filesystem::path file);
  ~SeenSignals();

  // The digest that was opened under this id; nullopt when none was.
  Result<std::optional<Digest>> Find(const OrganisationId& sender, const SignalId& id);
  // Durable on return. Nothing happens when the same is there already.
  Status Remember(const OrganisationId& sender, const SignalId& id, const Digest& digest,
                  Millis expires);
  // Rewrites the file without what is older than 24 hours after its expiry.
  Status Compact(Millis now);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace schakel::sdk
