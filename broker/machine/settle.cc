// A recipient takes responsibility, or gives a signal back.
#include "broker/machine/handlers.h"
#include "broker/machine/inbox.h"

namespace schakel::machine {

namespace {

// A settled item: the same settlement again gets its first answer, another one is refused.
Result<v1::LogReceipt> SettledAlready(const Context& ctx, const PlacedItem& placed,
                                      state::v1::ItemState same) {
  if (placed.item.state() == same) return ctx.Receipt(placed.item.settled_index());
  return MakeError(ErrorCode::kFailedPrecondition, "DELIVERY_SETTLED",
                   "this item was settled otherwise", "delivery_id");
}

}  // namespace

Result<Answer> Apply(Context& ctx, const Acknowledge& command) {
  SCHAKEL_ASSIGN(auto placed, FindDelivery(ctx, ctx.caller().organisation, command.delivery));
  v1::AcknowledgeResponse response;
  if (IsSettled(placed.item)) {
    SCHAKEL_ASSIGN(*response.mutable_receipt(),
                   SettledAlready(ctx, placed, state::v1::ITEM_STATE_ACKNOWLEDGED));
    return Answer(std::move(response));
  }
  ItemRecord what;
  what.kind = v1::RECORD_KIND_ACKNOWLEDGEMENT;
  what.delivery = command.delivery;
  auto& signal = ctx.New<state::v1::SignalState>();
  SCHAKEL_TRY(LoadSignal(ctx, placed, &signal));
  SCHAKEL_ASSIGN(*response.mutable_receipt(), RecordItem(ctx, placed, what, signal));
  Ending ending;
  ending.state = state::v1::ITEM_STATE_ACKNOWLEDGED;
  ending.outcome = v1::RECIPIENT_STATE_ACKNOWLEDGED;
  ending.record_index = response.receipt().index();
  SCHAKEL_TRY(Settle(ctx, placed, ending, signal));
  return Answer(std::move(response));
}

Result<Answer> Apply(Context& ctx, const Refuse& command) {
  SCHAKEL_ASSIGN(auto placed, FindDelivery(ctx, ctx.caller().organisation, command.delivery));
  v1::RefuseResponse response;
  if (IsSettled(placed.item)) {
    SCHAKEL_ASSIGN(*response.mutable_receipt(),
                   SettledAlready(ctx, placed, state::v1::ITEM_STATE_REFUSED));
    return Answer(std::move(response));
  }
  const auto& request = command.request;
  ItemRecord what;
  what.kind = v1::RECORD_KIND_REFUSAL;
  what.delivery = command.delivery;
  what.reason = request.reason_code();
  what.text = request.reason_text();
  what.redirect = request.has_redirect() ? &request.redirect() : nullptr;
  SCHAKEL_ASSIGN(*response.mutable_receipt(), RecordItem(ctx, placed, what));
  Ending ending;
  ending.state = state::v1::ITEM_STATE_REFUSED;
  ending.outcome = v1::RECIPIENT_STATE_REFUSED;
  ending.reason = request.reason_code();
  ending.reason_text = request.reason_text();
  ending.redirect = what.redirect;
  ending.record_index = response.receipt().index();
  SCHAKEL_TRY(Settle(ctx, placed, ending));
  return Answer(std::move(response));
}

}  // namespace schakel::machine
