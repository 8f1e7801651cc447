// Leases: given back, extended, undone, run out.
#include "broker/base/limits.h"
#include "broker/machine/handlers.h"
#include "broker/machine/inbox.h"

namespace schakel::machine {

using store::Family;

namespace {

// The item whose current lease is that delivery's; LEASE_LOST when it was delivered again since.
Result<PlacedItem> FindLeased(const Context& ctx, const OrganisationId& recipient,
                              const DeliveryId& delivery) {
  SCHAKEL_ASSIGN(auto placed, FindDelivery(ctx, recipient, delivery));
  if (IsSettled(placed.item)) {
    return MakeError(ErrorCode::kFailedPrecondition, "DELIVERY_SETTLED", "this item was settled",
                     "delivery_id");
  }
  const auto& ids = placed.item.delivery_ids();
  if (placed.item.state() != state::v1::ITEM_STATE_LEASED || *ids.rbegin() != delivery.view()) {
    return MakeError(ErrorCode::kFailedPrecondition, "LEASE_LOST",
                     "the lease of this delivery has ended", "delivery_id");
  }
  return placed;
}

// Leased -> ready. INVARIANT I4: what ended or lost its ground while it was leased does not go back
// into the queue.
Status GiveBack(Context& ctx, PlacedItem& placed) {
  if (ctx.now_ms() >= placed.item.expires_ms()) return ExpireItem(ctx, placed);
  SCHAKEL_TRY(Unlease(ctx, placed));
  return WithholdIfDenied(ctx, placed);
}

// What earlier brokers kept beside the timers of such leases. Leases that only this tells of run
// out.
Status DeleteOldPulled(Context& ctx) {
  std::vector<Bytes> old;
  SCHAKEL_TRY(
      ctx.view().ScanPrefix(Family::kHot, keys::OldPulledPrefix(), [&](BytesView key, BytesView) {
        old.emplace_back(key);
        return old.size() < limits::kSweepItemsMax;
      }));
  ctx.effects().timers_left = old.size() == limits::kSweepItemsMax;
  for (auto& key : old) ctx.Delete(Family::kHot, std::move(key));
  return {};
}

Result<v1::LogReceipt> ReleaseOne(Context& ctx, PlacedItem& placed, const DeliveryId& delivery) {
  ItemRecord what;
  what.kind = v1::RECORD_KIND_RELEASE;
  what.delivery = delivery;
  SCHAKEL_ASSIGN(auto receipt, RecordItem(ctx, placed, what));
  SCHAKEL_TRY(GiveBack(ctx, placed));
  return receipt;
}

}  // namespace

Result<Answer> Apply(Context& ctx, const Release& command) {
  SCHAKEL_ASSIGN(auto placed, FindLeased(ctx, ctx.caller().organisation, command.delivery));
  v1::ReleaseResponse response;
  SCHAKEL_ASSIGN(*response.mutable_receipt(), ReleaseOne(ctx, placed, command.delivery));
  return Answer(std::move(response));
}

Result<Answer> Apply(Context& ctx, const Extend& command) {
  SCHAKEL_ASSIGN(auto placed, FindLeased(ctx, ctx.caller().organisation, command.delivery));
  uint64_t until_us = ctx.now_us() + static_cast<uint64_t>(command.lease.count());
  ItemRecord what;
  what.kind = v1::RECORD_KIND_EXTENSION;
  what.delivery = command.delivery;
  what.lease_until_us = until_us;
  v1::ExtendResponse response;
  SCHAKEL_ASSIGN(*response.mutable_receipt(), RecordItem(ctx, placed, what));
  MoveLease(ctx, placed, until_us);
  SetTimestamp(until_us, response.mutable_lease_until());
  return Answer(std::move(response));
}

Result<Answer> Apply(Context& ctx, const CancelDelivery& command) {
  auto placed = FindLeased(ctx, command.recipient, command.delivery);
  if (!placed.ok()) {
    // Its lease ended otherwise meanwhile: nothing is left to cancel.
    if (placed.error().code == ErrorCode::kDataLoss) return placed.error();
    return Answer(std::monostate{});
  }
  ItemRecord what;
  what.kind = v1::RECORD_KIND_DELIVERY_CANCELLED;
  what.delivery = command.delivery;
  SCHAKEL_TRY(RecordItem(ctx, *placed, what));
  // It was never read: nobody relied on anything, and the attempt does not count.
  for (const auto& key : placed->item.reliance_keys()) ctx.Delete(Family::kHot, key);
  placed->item.clear_reliance_keys();
  ctx.Delete(Family::kHot, keys::Delivery(command.delivery));
  placed->item.mutable_delivery_ids()->RemoveLast();
  placed->item.set_attempts(placed->item.attempts() - 1);
  if (placed->item.attempts() == 0) {
    placed->item.clear_shown_labels();
    SCHAKEL_TRY(MarkQueued(ctx, *placed));
  }
  SCHAKEL_TRY(GiveBack(ctx, *placed));
  return Answer(std::monostate{});
}

Result<Answer> Apply(Context& ctx, const ReleaseStream& command) {
  for (const auto& delivery : command.deliveries) {
    auto placed = FindLeased(ctx, command.recipient, delivery);
    if (!placed.ok()) {
      if (placed.error().code == ErrorCode::kDataLoss) return placed.error();
      continue;  // settled or lost meanwhile
    }
    SCHAKEL_TRY(ReleaseOne(ctx, *placed, delivery));
  }
  return Answer(std::monostate{});
}

Result<Answer> Apply(Context& ctx, const ReleaseLeftovers&) {
  SCHAKEL_TRY(DeleteOldPulled(ctx));
  // No lease ends later than the longest one that was taken now.
  const uint64_t last = ctx.now_us() + static_cast<uint64_t>(Micros(limits::kLeaseMax).count());
  std::vector<std::pair<OrganisationId, ItemKey>> leased;
  SCHAKEL_TRY(ctx.view().Scan(Family::kHot, keys::TimerPrefix(), keys::TimersBehind(last),
                              [&](BytesView key, BytesView value) {
                                if (static_cast<TimerKind>(key[9]) != TimerKind::kLease ||
                                    value != kPulledLease)
                                  return true;
                                const BytesView payload = key.substr(10);
                                leased.emplace_back(*OrganisationId::From(payload.substr(0, 20)),
                                                    *ItemKey::Parse(payload.substr(20)));
                                return leased.size() < limits::kSweepItemsMax;
                              }));
  ctx.effects().timers_left |= leased.size() == limits::kSweepItemsMax;
  for (const auto& [recipient, key] : leased) {
    if (ctx.records_written() > limits::kSweepItemsMax) {
      ctx.effects().timers_left = true;
      break;
    }
    SCHAKEL_ASSIGN(auto placed, LoadItem(ctx, recipient, key));
    auto delivery = *DeliveryId::From(*placed.item.delivery_ids().rbegin());
    SCHAKEL_TRY(ReleaseOne(ctx, placed, delivery));
  }
  return Answer(std::monostate{});
}

Status LeaseRanOut(Context& ctx, BytesView payload) {
  SCHAKEL_ASSIGN(auto placed, LoadItem(ctx, *OrganisationId::From(payload.substr(0, 20)),
                                       *ItemKey::Parse(payload.substr(20))));
  if (placed.item.state() != state::v1::ITEM_STATE_LEASED) return {};
  placed.item.set_expired_leases(placed.item.expired_leases() + 1);
  bool expired = ctx.now_ms() >= placed.item.expires_ms();
  if (expired || placed.item.expired_leases() < limits::kExpiredLeasesMax) {
    return GiveBack(ctx, placed);
  }
  ItemRecord what;
  what.kind = v1::RECORD_KIND_EXPIRY;
  what.text = "dead letter: ten leases ran out";
  SCHAKEL_ASSIGN(auto receipt, RecordItem(ctx, placed, what));
  Ending ending;
  ending.state = state::v1::ITEM_STATE_DEAD_LETTER;
  ending.outcome = v1::RECIPIENT_STATE_DEAD_LETTER;
  ending.record_index = receipt.index();
  SCHAKEL_TRY(Settle(ctx, placed, ending));
  return ListDeadLetter(ctx, placed);
}

}  // namespace schakel::machine
