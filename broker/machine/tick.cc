// Timers that are due, oldest first.
#include "broker/base/limits.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

namespace {

Status Fire(Context& ctx, BytesView timer) {
  auto kind = static_cast<TimerKind>(timer[9]);
  BytesView payload = timer.substr(10);
  switch (kind) {
    case TimerKind::kLease:
      return LeaseRanOut(ctx, payload);
    case TimerKind::kSignalExpiry:
      return SignalExpired(ctx, payload);
    case TimerKind::kRecheckSubject:
      return RecheckQueuedFrom(ctx, payload);
    case TimerKind::kNotifyReaders:
      return NotifyReadersFrom(ctx, payload);
    case TimerKind::kDeniedFlush:
      return FlushDenied(ctx, payload);
    case TimerKind::kNoticeEnd:
      return NoticeEnded(ctx, payload);
    case TimerKind::kForgetFetch:
      return ForgetFetch(ctx, payload);
  }
  return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a timer of an unknown kind");
}

}  // namespace

Result<Answer> Apply(Context& ctx, const Tick&) {
  std::vector<Bytes> due;
  const Bytes end = keys::TimersAfterPrefix(ctx.now_us());
  SCHAKEL_TRY(
      ctx.view().Scan(Family::kHot, keys::TimerPrefix(), end, [&](BytesView key, BytesView) {
        due.emplace_back(key);
        return due.size() < limits::kTimersPerTickMax;
      }));
  ctx.effects().timers_left = due.size() == limits::kTimersPerTickMax;
  size_t records_before = ctx.meta().tree_size();
  for (auto& timer : due) {
    // LIMIT: a recheck or a round of notices writes up to 1,000 records; a tick ends behind one.
    if (ctx.meta().tree_size() - records_before > limits::kSweepItemsMax) {
      ctx.effects().timers_left = true;
      break;
    }
    SCHAKEL_ASSIGN(auto still, ctx.GetRaw(Family::kHot, timer));
    if (!still) continue;  // an earlier one of this tick ended it
    ctx.Delete(Family::kHot, timer);
    SCHAKEL_TRY(Fire(ctx, timer));
  }
  return Answer(std::monostate{});
}

}  // namespace schakel::machine
