// Who lets a signal wait for longer than its term, for the chain director. It costs a publish
// nothing: the timer of the signal's end comes at the end of its term first.
#include "broker/machine/handlers.h"
#include "broker/machine/inbox.h"

namespace schakel::machine {

using store::Family;

namespace {

void List(Context& ctx, const state::v1::SignalState& signal, const PlacedItem& placed,
          bool dead_letter) {
  const auto& slot = signal.recipients(static_cast<int>(placed.item.slot()));
  state::v1::StalledItem listed;
  listed.set_recipient(placed.recipient.str());
  listed.set_sender(placed.item.sender());
  listed.set_signal_id(placed.item.signal_id());
  listed.set_signal_type(signal.signal_type());
  if (slot.has_function()) *listed.mutable_function() = slot.function();
  listed.set_since_us(signal.published_us());
  if (signal.stalled_us() != 0) listed.set_term_us(signal.stalled_us() - signal.published_us());
  listed.set_dead_letter(dead_letter);
  ctx.Put(Family::kHot, keys::Stalled(signal.alias(), placed.key), listed);
}

}  // namespace

Status SignalStalls(Context& ctx, const OrganisationId& sender, const SignalId& id,
                    const state::v1::SignalState& signal) {
  bool goes_on = false;
  for (int slot = 0; slot < signal.recipients_size(); ++slot) {
    const auto& recipient = signal.recipients(slot);
    if (recipient.permitted_size() == 0) continue;
    // A dead letter stands in the list already, and leaves it when the signal ends.
    if (recipient.outcome().state() == v1::RECIPIENT_STATE_DEAD_LETTER) {
      goes_on = true;
      continue;
    }
    ItemKey key{signal.position(), static_cast<uint16_t>(slot)};
    SCHAKEL_ASSIGN(auto placed,
                   LoadItem(ctx, *OrganisationId::From(recipient.outcome().recipient()), key));
    if (IsSettled(placed.item)) continue;
    goes_on = true;
    List(ctx, signal, placed, false);
  }
  if (goes_on) {
    ctx.PutRaw(
        Family::kHot,
        keys::Timer(signal.expires_ms() * 1000, TimerKind::kSignalExpiry, sender.str() + id.str()),
        {});
  }
  return {};
}

Status ListDeadLetter(Context& ctx, const PlacedItem& placed) {
  if (placed.item.has_notice()) return {};
  state::v1::SignalState signal;
  SCHAKEL_ASSIGN(bool found, ctx.Get(Family::kHot,
                                     keys::Signal(*OrganisationId::From(placed.item.sender()),
                                                  *SignalId::From(placed.item.signal_id())),
                                     &signal));
  if (!found) {
    return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "an item's signal is missing");
  }
  List(ctx, signal, placed, true);
  return {};
}

void EndStalled(Context& ctx, const state::v1::SignalState& signal, const ItemKey& item) {
  // Most are done long before their term: those never stood in the list.
  bool dead = signal.recipients(item.number).outcome().state() == v1::RECIPIENT_STATE_DEAD_LETTER;
  bool term_over = signal.stalled_us() != 0 && ctx.now_us() >= signal.stalled_us();
  if (dead || term_over) ctx.Delete(Family::kHot, keys::Stalled(signal.alias(), item));
}

}  // namespace schakel::machine
