// What the valid requests are about: signals that were sent, deliveries in hand, statements.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/base/check.h"
#include "tests/e2e/bad_input/table.h"
#include "tests/e2e/story.h"
#include "tests/support/machine_fixture.h"

namespace schakel::e2e {

// The value, or the process stops: without it no row means anything.
template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) ADD_FAILURE() << Why(result);
  SCHAKEL_CHECK(result.ok(), "what the rows need is there");
  return std::move(result).value();
}

// The denied attempts of organisation and reason, with how many there were.
using Attempts = std::map<std::pair<std::string, std::string>, uint64_t>;

// Not thread-safe.
class World {
 public:
  // Gives the police a second key set that was valid before, so that old envelopes can be made.
  explicit World(Region& region);

  Region& region() { return region_; }
  sdk::Session& As(const std::string& name) { return region_.As(name); }
  const sdk::Connection& ConnectionOf(const std::string& name);
  // The same to the first custodian.
  const sdk::Connection& ToCustodian(const std::string& name);
  sdk::OwnKeySet KeysOf(const std::string& name);

  // From the police to the domestic violence centre: two linked subjects, a section `safety` about
  // the first and `identity-bsn` about the second, a case, a checkpoint, something that it follows.
  // With random bytes as content, which the broker can't tell.
  v1::Envelope Report(const std::string& sender = "police");
  // Digests, path and signature anew, as far as the envelope allows.
  void Sign(v1::Envelope* envelope, const std::string& sender = "police");
  Bytes Random(size_t size) { return random_.Take(size); }

  // A delivery that debt-relief holds under a lease: rent arrears of an unlinked tenant.
  struct Held {
    Bytes delivery_id;
    Bytes signal_id;
    Bytes label;  // of the tenant
  };
  Held NewDelivery();

  // A consent of the test person `place`, recorded by `who`.
  Bytes NewConsent(const std::string& who, size_t place);

  // Those of all tables that were played.
  Attempts& attempts() { return attempts_; }

 private:
  Region& region_;
  std::map<std::string, std::shared_ptr<sdk::Connection>> to_custodian_;
  Attempts attempts_;
  testing::SeededBytes random_{20'261};
};

// ---- The tables, a file each ----
std::vector<RpcTable> SignalTables(World& world);
std::vector<RpcTable> PublishTables(World& world);
std::vector<RpcTable> InboxTables(World& world);
std::vector<RpcTable> ConsentTables(World& world);
std::vector<RpcTable> DirectoryTables(World& world);
std::vector<RpcTable> PolicyTables(World& world);
std::vector<RpcTable> AuditTables(World& world);
std::vector<RpcTable> FlowTables(World& world);
std::vector<RpcTable> CustodianTables(World& world);
// Health and reflection, which broker and custodian both have.
std::vector<RpcTable> PeerTables(const std::string& as);

}  // namespace schakel::e2e
