// What sweeps destroyed, summed up from their records, which stay.
#include <algorithm>

#include "broker/base/limits.h"
#include "broker/machine/context.h"
#include "broker/machine/keys.h"
#include "broker/query/reading.h"
#include "broker/query/state_parts.h"

namespace schakel::query {

Status SweptSums::AddOne(uint64_t index, bool* full) {
  SCHAKEL_ASSIGN(const auto stored, RecordAt(page_.state, index));
  v1::Record sweep;
  if (!sweep.ParseFromString(stored.record()) || sweep.kind() != v1::RECORD_KIND_SWEEP) {
    return Damaged("the index of sweeps names a record that is none");
  }
  const auto& facts = sweep.facts();
  const Key key(facts.swept(), facts.swept_kind(), facts.rule(), sweep.bundle_digest());
  *full = sums_.size() == page_.rows_max && !sums_.contains(key);
  if (*full) return {};
  v1::SweptSum& sum = sums_[key];
  if (sum.sweeps() == 0) {
    sum.set_swept(facts.swept());
    sum.set_kind(facts.swept_kind());
    sum.set_rule(facts.rule());
    sum.set_bundle_digest(sweep.bundle_digest());
    sum.set_bundle(facts.text());
    machine::SetTimestamp(sweep.time_us(), sum.mutable_first());
  }
  sum.set_count(sum.count() + facts.count());
  sum.set_sweeps(sum.sweeps() + 1);
  machine::SetTimestamp(sweep.time_us(), sum.mutable_last());
  sum.set_last_index(index);
  return {};
}

Result<Bytes> SweptSums::Add(const Bytes& begin, const Bytes& end) {
  Bytes left;
  if (begin >= end) return left;
  Status failed;
  SCHAKEL_TRY(page_.state.Scan(store::Family::kLocal, begin, end, [&](BytesView key, BytesView) {
    bool full = looked_++ == limits::kScanPerQueryMax;
    if (!full) failed = AddOne(machine::keys::TrailingU64(key).value_or(UINT64_MAX), &full);
    if (full) left = Bytes(key);
    return !full && failed.ok();
  }));
  SCHAKEL_TRY(std::move(failed));
  return left;
}

void SweptSums::Fill(v1::GetStateAtResponse* out) {
  for (auto& [key, sum] : sums_) {
    if (!page_.scope.region()) {
      sum.clear_count();
      sum.clear_sweeps();
      sum.clear_last_index();
    }
    *out->add_swept() = std::move(sum);
  }
}

Result<Bytes> FillSwept(const PastPage& page, v1::GetStateAtResponse* out) {
  SweptSums sums(page);
  Bytes left;
  for (const char* what : {"details", "records", "signals", "statements"}) {
    const Bytes begin = std::max(page.from, machine::keys::SweepIndexPrefix(what));
    SCHAKEL_ASSIGN(left, sums.Add(begin, machine::keys::SweepIndex(what, page.moment.at_us,
                                                                   page.moment.end_index)));
    if (!left.empty()) break;
  }
  sums.Fill(out);
  return left;
}

}  // namespace schakel::query
