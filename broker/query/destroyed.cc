#include "broker/query/destroyed.h"

#include "broker/machine/context.h"
#include "broker/query/reading.h"

namespace schakel::query {

Result<v1::DestroyedRecord> Destroyed::By(uint64_t destroyed_us, uint64_t sweep_index) {
  auto known = known_.find(sweep_index);
  if (known == known_.end()) {
    SCHAKEL_ASSIGN(auto stored, RecordAt(state_, sweep_index));
    v1::Record sweep;
    if (!sweep.ParseFromString(stored.record()) || sweep.kind() != v1::RECORD_KIND_SWEEP) {
      return Damaged("a destroyed record names no sweep");
    }
    v1::DestroyedRecord destroyed;
    destroyed.set_term(sweep.facts().rule());
    destroyed.set_bundle_digest(sweep.bundle_digest());
    destroyed.set_bundle(sweep.facts().text());
    destroyed.set_sweep_index(sweep_index);
    destroyed.set_kind(sweep.facts().swept_kind());
    known = known_.emplace(sweep_index, std::move(destroyed)).first;
  }
  v1::DestroyedRecord destroyed = known->second;
  machine::SetTimestamp(destroyed_us, destroyed.mutable_time());
  return destroyed;
}

}  // namespace schakel::query
