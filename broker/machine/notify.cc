// A notice to each recipient who read something on the strength of a statement that was withdrawn.
#include "broker/base/limits.h"
#include "broker/machine/handlers.h"
#include "broker/machine/inbox.h"

namespace schakel::machine {

using store::Family;

namespace {

// LIMIT: a notice that nobody fetches ends after as long as the longest signal.
uint64_t NoticeExpiry(const Context& ctx) {
  return ctx.now_ms() + static_cast<uint64_t>(
                            std::chrono::duration_cast<Millis>(limits::kExpiryMax).count());
}

Status NotifyOne(Context& ctx, const StatementId& statement,
                 const state::v1::ReliedDelivery& relied) {
  auto recipient = *OrganisationId::From(relied.recipient());
  Bytes once = keys::Noticed(statement, recipient, relied.signal_id());
  SCHAKEL_ASSIGN(auto noticed, ctx.GetRaw(Family::kHot, once));
  if (noticed) return {};
  ctx.PutRaw(Family::kHot, once, {});
  PlacedItem placed{recipient, {ctx.position(), ctx.NextNumber()}, {}};
  placed.item.set_sender(relied.sender());
  placed.item.set_signal_id(relied.signal_id());
  placed.item.set_urgency(v1::URGENCY_ACUTE);
  placed.item.set_expires_ms(NoticeExpiry(ctx));
  auto* notice = placed.item.mutable_notice();
  notice->set_kind(v1::NOTICE_KIND_CONSENT_WITHDRAWN);
  notice->set_signal_id(relied.signal_id());
  notice->set_sender(relied.sender());
  SetTimestamp(ctx.now_us(), notice->mutable_time());
  ItemRecord what;
  what.kind = v1::RECORD_KIND_NOTICE;
  SCHAKEL_TRY(RecordItem(ctx, placed, what));
  return Enqueue(ctx, placed);
}

}  // namespace

Status NotifyReaders(Context& ctx, const StatementId& statement, const Bytes& cursor) {
  Bytes prefix = keys::RelianceOfDeliveryPrefix(statement);
  std::vector<state::v1::ReliedDelivery> readers;
  Bytes last;
  bool damaged = false;
  SCHAKEL_TRY(ctx.view().Scan(
      Family::kHot, prefix + cursor, store::PrefixEnd(prefix), [&](BytesView key, BytesView value) {
        if (readers.size() == limits::kSweepItemsMax) {
          last = Bytes(key.substr(prefix.size()));
          return false;
        }
        damaged |= !readers.emplace_back().ParseFromString(Bytes(value));
        return true;
      }));
  if (damaged) {
    return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a stored value is no ReliedDelivery");
  }
  for (const auto& relied : readers) SCHAKEL_TRY(NotifyOne(ctx, statement, relied));
  if (!last.empty()) {
    ctx.PutRaw(Family::kHot,
               keys::Timer(ctx.now_us(), TimerKind::kNotifyReaders, statement.str() + last), {});
    ctx.effects().timers_left = true;
  }
  return {};
}

Status NotifyReadersFrom(Context& ctx, BytesView payload) {
  return NotifyReaders(ctx, *StatementId::From(payload.substr(0, 16)), Bytes(payload.substr(16)));
}

}  // namespace schakel::machine
