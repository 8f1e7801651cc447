// What ends by time: a signal that was not settled.
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

}  // namespace schakel::machine
