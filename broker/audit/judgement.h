// How a log is judged at start: may it go on, or was its store put back to an older state
// (INVARIANT I8)?
#pragma once

#include <optional>
#include <string>

#include "broker/base/result.h"
#include "broker/store/head_store.h"
#include "broker/store/store.h"

namespace schakel::audit {

enum class Mode {
  kServing,
  kRestored,  // only checkpoints, tiles and proofs may be read
};

struct Judgement {
  Mode mode = Mode::kRestored;
  std::string why;  // with kRestored, for the operator
  std::optional<store::Head> head;
};

// Compares the store with its head file and its high-water file. FAILED_PRECONDITION LOG_MISSING
// for a store without a log; `program` is named in what to do.
Result<Judgement> Judge(const store::Store& store, const store::HeadStore& heads,
                        const std::string& program);

}  // namespace schakel::audit
