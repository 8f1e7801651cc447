// What ends by time: a signal that was not settled, and what is kept of it afterwards.
#include "broker/machine/handlers.h"
#include "broker/machine/inbox.h"

namespace schakel::machine {

using store::Family;

Status ExpireItem(Context& ctx, PlacedItem& placed) {
  ItemRecord what;
  what.kind = v1::RECORD_KIND_EXPIRY;
  SCHAKEL_ASSIGN(auto receipt, RecordItem(ctx, placed, what));
  Ending ending;
  ending.state = state::v1::ITEM_STATE_EXPIRED;
  ending.outcome = v1::RECIPIENT_STATE_EXPIRED;
  ending.record_index = receipt.index();
  return Settle(ctx, placed, ending);
}

namespace {

struct SignalPlace {
  OrganisationId sender;
  SignalId id;
};
SignalPlace PlaceOf(BytesView payload) {
  return {*OrganisationId::From(payload.substr(0, 20)), *SignalId::From(payload.substr(20))};
}

}  // namespace

Status SignalExpired(Context& ctx, BytesView payload) {
  auto place = PlaceOf(payload);
  state::v1::SignalState signal;
  SCHAKEL_ASSIGN(bool found, ctx.Get(Family::kHot, keys::Signal(place.sender, place.id), &signal));
  if (!found) return {};
  if (ctx.now_ms() < signal.expires_ms()) {
    return SignalStalls(ctx, place.sender, place.id, signal);
  }
  for (int slot = 0; slot < signal.recipients_size(); ++slot) {
    if (signal.recipients(slot).permitted_size() == 0) continue;
    ItemKey key{signal.position(), static_cast<uint16_t>(slot)};
    if (signal.recipients(slot).outcome().state() == v1::RECIPIENT_STATE_DEAD_LETTER) {
      EndStalled(ctx, signal, key);
    }
    SCHAKEL_ASSIGN(
        auto placed,
        LoadItem(ctx, *OrganisationId::From(signal.recipients(slot).outcome().recipient()), key));
    // One that is being read ends with its lease.
    if (IsSettled(placed.item) || placed.item.state() == state::v1::ITEM_STATE_LEASED) continue;
    SCHAKEL_TRY(ExpireItem(ctx, placed));
  }
  return {};
}

Status PurgeSignal(Context& ctx, BytesView payload) {
  auto place = PlaceOf(payload);
  Bytes key = keys::Signal(place.sender, place.id);
  state::v1::SignalState signal;
  SCHAKEL_ASSIGN(bool found, ctx.Get(Family::kHot, key, &signal));
  if (!found) return {};
  for (int slot = 0; slot < signal.recipients_size(); ++slot) {
    if (signal.recipients(slot).permitted_size() == 0) continue;
    auto recipient = *OrganisationId::From(signal.recipients(slot).outcome().recipient());
    ItemKey item_key{signal.position(), static_cast<uint16_t>(slot)};
    SCHAKEL_ASSIGN(auto placed, LoadItem(ctx, recipient, item_key));
    if (!IsSettled(placed.item)) SCHAKEL_TRY(ExpireItem(ctx, placed));
    ForgetItem(ctx, placed);
  }
  // What ended in this very command is in the stored signal only.
  SCHAKEL_ASSIGN(found, ctx.Get(Family::kHot, key, &signal));
  for (const auto& cursor : signal.feed_cursors()) {
    auto at = ItemKey::Parse(cursor);
    if (at) ctx.Delete(Family::kHot, keys::Feed(place.sender, at->position, at->number));
  }
  std::vector<Bytes> attached;
  SCHAKEL_TRY(ctx.view().ScanPrefix(Family::kHot, keys::AttachedPrefix(place.sender, place.id),
                                    [&](BytesView entry, BytesView) {
                                      attached.emplace_back(entry);
                                      return true;
                                    }));
  for (auto& entry : attached) ctx.Delete(Family::kHot, std::move(entry));
  ctx.Delete(Family::kHot, keys::SenderOrder(place.sender, signal.position(), 0));
  ctx.Delete(Family::kHot, std::move(key));
  return {};
}

}  // namespace schakel::machine
