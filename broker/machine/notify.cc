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
  placed.item.set_expires_ms(NoticeExpiry(ctx));
  auto* notice = placed.item.mutable_notice();
  notice->set_kind(v1::NOTICE_KIND_CONSENT_WITHDRAWN);
  notice->set_signal_id(relied.signal_id());
  notice->set_sender(relied.sender());
  return PlaceNotice(ctx, placed);
}

// Whether the delivery may still be waiting for its write.
Result<bool> IsInHand(Context& ctx, const state::v1::ReliedDelivery& relied) {
  state::v1::SignalState signal;
  SCHAKEL_ASSIGN(bool found, ctx.Get(Family::kHot,
                                     keys::Signal(*OrganisationId::From(relied.sender()),
                                                  *SignalId::From(relied.signal_id())),
                                     &signal));
  for (int slot = 0; found && slot < signal.recipients_size(); ++slot) {
    if (signal.recipients(slot).outcome().recipient() != relied.recipient()) continue;
    SCHAKEL_ASSIGN(auto placed, LoadItem(ctx, *OrganisationId::From(relied.recipient()),
                                         {signal.position(), static_cast<uint16_t>(slot)}));
    return placed.item.state() == state::v1::ITEM_STATE_LEASED;
  }
  return false;
}

void NotifyLater(Context& ctx, const StatementId& statement, const Bytes& cursor) {
  auto wait = std::chrono::duration_cast<Micros>(limits::kWithdrawalWaitMax);
  ctx.PutRaw(Family::kHot,
             keys::Timer(ctx.now_us() + static_cast<uint64_t>(wait.count()),
                         TimerKind::kNotifyReaders, statement.str() + cursor),
             {});
}

// From `cursor` on. LIMIT: what is beyond a command's measure comes later.
Status Notify(Context& ctx, const StatementId& statement, const Bytes& cursor, bool also_in_hand) {
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
  std::optional<Bytes> later;
  for (size_t i = 0; i < readers.size(); ++i) {
    bool full = i == limits::kSweepItemsMax || ctx.records_written() > limits::kSweepItemsMax;
    bool in_hand = false;
    if (!full && !also_in_hand) {
      SCHAKEL_ASSIGN(in_hand, IsInHand(ctx, readers[i].second));
    }
    // One later round, from the first that has to wait: it passes those that have their notice.
    if (full || in_hand) later = later.value_or(readers[i].first);
    if (full) break;
    if (!in_hand) SCHAKEL_TRY(NotifyOne(ctx, statement, readers[i].second));
  }
  if (later) NotifyLater(ctx, statement, *later);
  return {};
}

}  // namespace

Status NotifyReaders(Context& ctx, const StatementId& statement) {
  return Notify(ctx, statement, {}, /*also_in_hand=*/false);
}

Status NotifyReadersFrom(Context& ctx, BytesView payload) {
  return Notify(ctx, *StatementId::From(payload.substr(0, 16)), Bytes(payload.substr(16)),
                /*also_in_hand=*/true);
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
