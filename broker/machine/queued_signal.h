// A queued signal as a delivery or a recheck sees it: loaded, and decided again.
#pragma once

#include "broker/machine/decide_signal.h"
#include "broker/machine/inbox.h"

namespace schakel::machine {

struct QueuedSignal {
  state::v1::SignalState signal;
  state::v1::StoredSignal content;
  std::vector<v1::SectionMeta> metas;
  std::vector<std::vector<uint16_t>> section_subjects;
};
// DATA_LOSS when a part is missing.
Result<QueuedSignal> LoadQueued(const Context& ctx, const PlacedItem& placed);

// INVARIANT I4: what is delivered was permitted at publish and is permitted now.
struct Redecision {
  SignalQuestion question;
  SlotDecision slot;
};
Result<Redecision> Redecide(Context& ctx, const PlacedItem& placed, const QueuedSignal& queued);

}  // namespace schakel::machine
