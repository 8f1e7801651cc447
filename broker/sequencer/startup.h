// The beginning of a log, and how a store is judged at start: may it go on, or was it put back to an
// older state (INVARIANT I8)?
#pragma once

#include <optional>
#include <string>

#include "broker/audit/judgement.h"
#include "broker/base/clock.h"
#include "broker/crypto/sign.h"
#include "broker/machine/command.h"
#include "broker/store/head_store.h"
#include "broker/store/store.h"

namespace schakel::sequencer {

using audit::Judgement;
using audit::Mode;

// Compares the store with its head file and its high-water file. FAILED_PRECONDITION LOG_MISSING for
// an empty store (run init).
Result<Judgement> Judge(const store::Store& store, const store::HeadStore& heads);

// `init`: record 0 into an empty store, its head, its first checkpoint. FAILED_PRECONDITION
// LOG_EXISTS unless both store and head store are empty.
struct InitOptions {
  std::string origin;
  std::string region;
  v1::Organisation registrar;
  Bytes bundle;  // canonical bytes
};
Status InitialiseLog(store::Store* store, store::HeadStore* heads, const crypto::SigningKey& log_key,
                     const Clock& clock, const InitOptions& options);

// `recover`: a new incarnation of the log, whose first record names the old origin, and size and root
// of both head and store. `origin` must differ from the old one (INCARNATION_USED).
Status RecoverLog(store::Store* store, store::HeadStore* heads, const crypto::SigningKey& log_key,
                  const Clock& clock, uint64_t incarnation);

// `accept-time`: appends the command with the time that the operator vouches for.
Status AcceptTime(store::Store* store, Micros time);

// The region of an origin `<region>/schakel/<incarnation>`; nullopt for any other form.
std::optional<std::string> RegionOfOrigin(const std::string& origin);

}  // namespace schakel::sequencer
