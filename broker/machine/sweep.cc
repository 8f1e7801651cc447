// Records whose term in the bundle ended are destroyed; their entries stay, so every proof holds.
#include "broker/base/limits.h"
#include "broker/machine/facts.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

namespace {

// Destruction by time runs a day late at the earliest, so that a clock that was wrong for a day
// destroys nothing.
constexpr uint64_t kGraceUs = 24ull * 3600 * 1'000'000;

// The bundle's name of a record kind: RECORD_KIND_DENIED_ATTEMPT -> denied-attempt.
std::string KindCode(v1::RecordKind kind) {
  std::string name = v1::RecordKind_Name(kind).substr(sizeof("RECORD_KIND_") - 1);
  for (char& c : name) c = c == '_' ? '-' : static_cast<char>(c - 'A' + 'a');
  return name;
}

Status Unindex(Context& ctx, const state::v1::StoredRecord& stored, const v1::Record& record) {
  if (!record.organisation().empty()) {
    ctx.Delete(Family::kLocal, keys::PartyIndex(record.organisation(), record.index()));
  }
  if (!record.signal_id().empty()) {
    ctx.Delete(Family::kLocal, keys::SignalIndex(record.signal_id(), record.index()));
  }
  v1::Detail detail;
  if (!stored.detail().empty() && detail.ParseFromString(stored.detail())) {
    for (const auto& pair : detail.subject().pairs()) {
      ctx.Delete(Family::kLocal, keys::SubjectIndex(pair, record.index()));
    }
  }
  return {};
}

}  // namespace

Result<Answer> Apply(Context& ctx, const Sweep&) {
  SCHAKEL_ASSIGN(auto bundle, ctx.facts().ActiveBundle(ctx));
  uint64_t index = ctx.meta().swept_records();
  uint64_t end = ctx.meta().tree_size();
  uint64_t destroyed = 0;
  for (size_t looked = 0; index < end && looked < limits::kSweepItemsMax; ++index, ++looked) {
    state::v1::StoredRecord stored;
    SCHAKEL_ASSIGN(bool found, ctx.Get(Family::kRecords, keys::Record(index), &stored));
    if (!found) return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a record is missing");
    v1::Record record;
    if (stored.destroyed_us() != 0) continue;
    if (!record.ParseFromString(stored.record())) {
      return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a stored value is no Record");
    }
    std::string kind = KindCode(record.kind());
    auto term = std::chrono::duration_cast<Micros>(bundle->RecordRetention(kind));
    // Records are in order of time: the first that is too young ends this sweep. Kinds with a
    // longer term than others hold back what follows until a later sweep passes them.
    if (record.time_us() + static_cast<uint64_t>(term.count()) + kGraceUs > ctx.now_us()) break;
    SCHAKEL_TRY(Unindex(ctx, stored, record));
    state::v1::StoredRecord rest;
    rest.set_entry(stored.entry());
    rest.set_destroyed_us(ctx.now_us());
    rest.set_term("records." + kind);
    ctx.Put(Family::kRecords, keys::Record(index), rest);
    ++destroyed;
  }
  ctx.meta().set_swept_records(index);
  if (destroyed > 0) {
    v1::Record record = ctx.NewRecord(v1::RECORD_KIND_SWEEP);
    record.set_event_id(ctx.NewEventId());
    record.set_bundle_digest(ctx.meta().active_bundle());
    record.mutable_facts()->set_count(destroyed);
    ctx.AddRecord(std::move(record));
  }
  return Answer(std::monostate{});
}

}  // namespace schakel::machine
