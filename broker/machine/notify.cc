// A notice to each recipient who read something on the strength of a statement that was withdrawn.
#include "broker/base/limits.h"
#include "broker/machine/handlers.h"
#include "broker/machine/inbox.h"

namespace schakel::machine {

using store::Family;

namespace {

// LIMIT: a notice that nobody fetches ends after as long as the longest signal.
uint64_t NoticeExpiry(const Context& ctx) {
  return ctx.now_ms() +
         static_cast<uint64_t>(std::chrono::duration_cast<Millis>(limits::kExpiryMax).count());
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
  ctx.PutRaw(Family::kHot,
             keys::Timer(placed.item.expires_ms() * 1000, TimerKind::kNoticeEnd,
                         recipient.str() + placed.key.Encode()),
             {});
  return Enqueue(ctx, placed);
}

// From `cursor` on.
Status NotifyReaders(Context& ctx, const StatementId& statement, const Bytes& cursor) {
  Bytes prefix = keys::RelianceOfDeliveryPrefix(statement);
  std::vector<std::pair<Bytes, state::v1::ReliedDelivery>> readers;
  bool damaged = false;
  SCHAKEL_TRY(ctx.view().Scan(Family::kHot, prefix + cursor, store::PrefixEnd(prefix),
                              [&](BytesView key, BytesView value) {
                                auto& reader = readers.emplace_back();
                                reader.first = Bytes(key.substr(prefix.size()));
                                damaged |= !reader.second.ParseFromString(Bytes(value));
                                return readers.size() <= limits::kSweepItemsMax;
                              }));
  if (damaged) {
    return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a stored value is no ReliedDelivery");
  }
  for (size_t i = 0; i < readers.size(); ++i) {
    if (i == limits::kSweepItemsMax || ctx.records_written() > limits::kSweepItemsMax) {
      ctx.PutRaw(
          Family::kHot,
          keys::Timer(ctx.now_us(), TimerKind::kNotifyReaders, statement.str() + readers[i].first),
          {});
      ctx.effects().timers_left = true;
      break;
    }
    SCHAKEL_TRY(NotifyOne(ctx, statement, readers[i].second));
  }
  return {};
}

}  // namespace

void ScheduleNotices(Context& ctx, const StatementId& statement) {
  uint64_t wait_us =
      static_cast<uint64_t>(std::chrono::duration_cast<Micros>(limits::kWithdrawalWaitMax).count());
  ctx.PutRaw(Family::kHot,
             keys::Timer(ctx.now_us() + wait_us, TimerKind::kNotifyReaders, statement.str()), {});
}

Status NotifyReadersFrom(Context& ctx, BytesView payload) {
  return NotifyReaders(ctx, *StatementId::From(payload.substr(0, 16)), Bytes(payload.substr(16)));
}

Status NoticeEnded(Context& ctx, BytesView payload) {
  auto recipient = *OrganisationId::From(payload.substr(0, 20));
  auto key = *ItemKey::Parse(payload.substr(20));
  SCHAKEL_ASSIGN(auto placed, LoadItem(ctx, recipient, key));
  if (placed.item.state() == state::v1::ITEM_STATE_LEASED) {
    ctx.PutRaw(Family::kHot,
               keys::Timer(placed.item.lease_until_us(), TimerKind::kNoticeEnd, Bytes(payload)),
               {});
    return {};
  }
  if (!IsSettled(placed.item)) SCHAKEL_TRY(ExpireItem(ctx, placed));
  ForgetItem(ctx, placed);
  return {};
}

}  // namespace schakel::machine
