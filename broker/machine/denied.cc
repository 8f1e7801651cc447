// Refused attempts: recorded, but never so many that they drown the log.
#include "broker/base/limits.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

namespace {

constexpr uint64_t kMinuteUs = 60'000'000;

Bytes FlushPayload(const std::string& organisation, const std::string& reason) {
  return ByteWriter().Lp(organisation).Lp(reason).Take();
}

v1::Record& DeniedRecord(Context& ctx, const std::string& organisation, const std::string& reason) {
  v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_DENIED_ATTEMPT);
  record.set_organisation(organisation);
  record.set_outcome(v1::OUTCOME_DENIED);
  record.set_reason(reason);
  return record;
}

}  // namespace

Status RecordDenied(Context& ctx, const std::string& organisation, const std::string& reason,
                    const std::string& rpc, const Bytes& signal_id) {
  Bytes key = keys::Denied(organisation, reason);
  uint64_t minute = ctx.now_us() / kMinuteUs;
  state::v1::DeniedCount count;
  SCHAKEL_ASSIGN(bool known, ctx.Get(Family::kHot, key, &count));
  bool new_minute = !known || count.minute() != minute;
  if (new_minute) {
    if (known && count.suppressed() > 0) {
      SCHAKEL_TRY(FlushDenied(ctx, FlushPayload(organisation, reason)));
    }
    count.set_minute(minute);
    count.set_recorded(0);
    count.set_suppressed(0);
    ctx.PutRaw(Family::kHot,
               keys::Timer((minute + 1) * kMinuteUs, TimerKind::kDeniedFlush,
                           FlushPayload(organisation, reason)),
               {});
  }
  if (count.recorded() < limits::kDeniedRecordsPerMinute) {
    count.set_recorded(count.recorded() + 1);
    v1::Record& record = DeniedRecord(ctx, organisation, reason);
    record.set_event_id(ctx.NewEventId());
    record.set_signal_id(signal_id);
    record.mutable_facts()->set_rpc(rpc);
    record.mutable_facts()->set_count(1);
    ctx.AddRecord(std::move(record));
  } else {
    count.set_suppressed(count.suppressed() + 1);
  }
  ctx.Put(Family::kHot, std::move(key), count);
  return {};
}

Status FlushDenied(Context& ctx, BytesView payload) {
  ByteReader reader(payload);
  std::string organisation(reader.Lp().value_or(""));
  std::string reason(reader.Lp().value_or(""));
  Bytes key = keys::Denied(organisation, reason);
  state::v1::DeniedCount count;
  SCHAKEL_ASSIGN(bool known, ctx.Get(Family::kHot, key, &count));
  if (!known) return {};
  // A timer of a minute that was flushed already finds a later one running.
  if ((count.minute() + 1) * kMinuteUs > ctx.now_us()) return {};
  if (count.suppressed() > 0) {
    v1::Record& record = DeniedRecord(ctx, organisation, reason);
    record.clear_actor();
    record.clear_actor_role();
    record.clear_trace_id();
    record.set_event_id(ctx.NewEventId());
    record.mutable_facts()->set_count(count.suppressed());
    ctx.AddRecord(std::move(record));
  }
  ctx.Delete(Family::kHot, std::move(key));
  return {};
}

Result<Answer> Apply(Context& ctx, const DeniedAttempt& command) {
  SCHAKEL_TRY(RecordDenied(ctx, command.organisation, command.reason, command.rpc));
  return Answer(std::monostate{});
}

}  // namespace schakel::machine
