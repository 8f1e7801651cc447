// The beginning of a custodian's log, and going on after an old copy was put back (INVARIANT I8).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "broker/audit/judgement.h"
#include "broker/base/clock.h"
#include "broker/custodian/materials.h"
#include "broker/custodian/settings.h"
#include "broker/store/head_store.h"
#include "broker/store/store.h"

namespace schakel::custodian {

// "<region>/custodian/<number>".
std::string OriginOf(const std::string& region, uint64_t number);
// The verifier key that clients pin.
Result<std::string> VerifierKeyOf(const std::string& origin, const crypto::SigningKey& key);

// The store of the settings' data folder. STORE_LOCKED and STORE_MISSING say what to do.
Result<std::unique_ptr<store::Store>> OpenStore(const Settings& settings, bool create);

// `init`: record 0 of a log, its head, its first checkpoint; gives the log's verifier key. Budgets
// that the store holds from before it had a log stay as they are. FAILED_PRECONDITION LOG_EXISTS
// unless there is neither log nor head.
Result<std::string> InitialiseLog(store::StateStore* store, store::HeadStore* heads,
                                  const Materials& materials, uint64_t number, Micros now);

// `recover`: goes on with what the store holds, under a number that no log of the region had
// (LOG_NUMBER_USED). The first record under it names the old origin, and size and root of both head
// and store. Gives the new verifier key; `lost` gets the number of records that the head knew of
// and the store has not.
Result<std::string> RecoverLog(store::StateStore* store, store::HeadStore* heads,
                               const Materials& materials, uint64_t number, Micros now,
                               uint64_t* lost);

}  // namespace schakel::custodian
