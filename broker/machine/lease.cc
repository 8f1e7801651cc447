// Leases: given back, extended, undone, run out.
#include <algorithm>
#include <functional>

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

namespace {

// A lease of a former run, and the key that told of it.
struct Leftover {
  OrganisationId recipient;
  ItemKey item;
  Bytes key;
};

// LIMIT: keys that one command looks at; among the timers are those of signals.
constexpr size_t kLookedAtMax = 10'000;

// Those that a key in [begin, end) tells of; `end` when that were all, else where to go on.
Result<Bytes> FindLeftovers(const Context& ctx, const Bytes& begin, const Bytes& end,
                            const std::function<BytesView(BytesView, BytesView)>& lease_of,
                            std::vector<Leftover>* found) {
  Bytes next = end;
  size_t looked = 0;
  SCHAKEL_TRY(ctx.view().Scan(Family::kHot, begin, end, [&](BytesView key, BytesView value) {
    if (looked++ == kLookedAtMax || found->size() == limits::kSweepItemsMax) {
      next = Bytes(key);
      return false;
    }
    const BytesView lease = lease_of(key, value);
    if (lease.empty()) return true;
    found->push_back({*OrganisationId::From(lease.substr(0, 20)), *ItemKey::Parse(lease.substr(20)),
                      Bytes(key)});
    return true;
  }));
  return next;
}

// Format 2 kept a key for each such lease.
BytesView LeaseOfOldKey(BytesView key, BytesView) { return key.substr(1); }

BytesView LeaseOfTimer(BytesView key, BytesView value) {
  const bool pulled = static_cast<TimerKind>(key[9]) == TimerKind::kLease && value == kPulledLease;
  return pulled ? key.substr(10) : BytesView();
}

}  // namespace

Result<Answer> Apply(Context& ctx, const ReleaseLeftovers& command) {
  const Bytes old_end = store::PrefixEnd(keys::OldPulledPrefix());
  // No lease ends later than the longest one that was taken now.
  const Bytes end = keys::TimersAfterPrefix(
      ctx.now_us() + static_cast<uint64_t>(Micros(limits::kLeaseMax).count()));
  std::vector<Leftover> leftovers;
  Bytes next = std::max(command.from, keys::OldPulledPrefix());
  if (next < old_end) {
    SCHAKEL_ASSIGN(next, FindLeftovers(ctx, next, old_end, LeaseOfOldKey, &leftovers));
  }
  const bool old = !leftovers.empty();
  if (!old && next >= old_end) {
    next = std::max(next, keys::TimerPrefix());
    SCHAKEL_ASSIGN(next, FindLeftovers(ctx, next, end, LeaseOfTimer, &leftovers));
  }
  for (auto& [recipient, item, key] : leftovers) {
    if (ctx.records_written() > limits::kSweepItemsMax) {
      next = std::move(key);
      break;
    }
    SCHAKEL_ASSIGN(auto placed, LoadItem(ctx, recipient, item));
    if (old) ctx.Delete(Family::kHot, std::move(key));
    if (placed.item.state() != state::v1::ITEM_STATE_LEASED || !placed.item.pulled()) continue;
    auto delivery = *DeliveryId::From(*placed.item.delivery_ids().rbegin());
    SCHAKEL_TRY(ReleaseOne(ctx, placed, delivery));
  }
  if (next < end) ctx.effects().leftovers_from = std::move(next);
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
