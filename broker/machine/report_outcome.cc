// A recipient tells what came of a signal that it acknowledged: a code of the bundle and no text,
// so that nothing about the person is in the broker's hands but that.
#include <algorithm>

#include "broker/base/limits.h"
#include "broker/machine/facts.h"
#include "broker/machine/handlers.h"
#include "broker/machine/inbox.h"

namespace schakel::machine {

using store::Family;

namespace {

// The report that this request asks for again: by its id, or since it is the newest already. Null
// when it is a new one.
Result<const state::v1::ReportedOutcome*> Repeated(const state::v1::InboxItem& item,
                                                   const ReportOutcome& command) {
  const state::v1::ReportedOutcome* none = nullptr;
  for (const auto& report : item.reports()) {
    if (report.request_id() != command.request.view()) continue;
    if (report.code() == command.code) return &report;
    return MakeError(ErrorCode::kAlreadyExists, "ALREADY_EXISTS",
                     "this request id was used for another outcome", "request_id");
  }
  if (item.reports().empty() || item.reports().rbegin()->code() != command.code) return none;
  return &*item.reports().rbegin();
}

// Whether anything can be reported of the item.
Status CheckItem(const state::v1::InboxItem& item) {
  if (item.has_notice()) {
    return MakeError(ErrorCode::kFailedPrecondition, "OUTCOME_NOT_APPLICABLE",
                     "a notice has no outcome", "delivery_id");
  }
  if (!IsSettled(item)) {
    return MakeError(ErrorCode::kFailedPrecondition, "NOT_ACKNOWLEDGED",
                     "acknowledge this item first", "delivery_id");
  }
  if (item.state() != state::v1::ITEM_STATE_ACKNOWLEDGED) {
    return MakeError(ErrorCode::kFailedPrecondition, "DELIVERY_SETTLED",
                     "this item was settled otherwise than by an acknowledgement", "delivery_id");
  }
  return {};
}

// INVARIANT I3: the active bundle's word counts, also for a signal of an earlier one.
Status CheckOutcome(const policy::CompiledBundle& bundle, const std::string& type,
                    const std::string& code) {
  if (!bundle.KnowsOutcome(code)) {
    return MakeError(ErrorCode::kInvalidArgument, "UNKNOWN_CODE",
                     "the active bundle has no such outcome", "code");
  }
  const auto allowed = bundle.OutcomesOf(type);
  if (std::find(allowed.begin(), allowed.end(), code) == allowed.end()) {
    return MakeError(ErrorCode::kFailedPrecondition, "OUTCOME_NOT_APPLICABLE",
                     "the active bundle does not have this outcome for this type of signal",
                     "code");
  }
  return {};
}

}  // namespace

Result<Answer> Apply(Context& ctx, const ReportOutcome& command) {
  SCHAKEL_ASSIGN(auto placed, FindDelivery(ctx, ctx.caller().organisation, command.delivery));
  SCHAKEL_TRY(CheckItem(placed.item));
  v1::ReportOutcomeResponse response;
  SCHAKEL_ASSIGN(const auto* repeated, Repeated(placed.item, command));
  if (repeated != nullptr) {
    SCHAKEL_ASSIGN(*response.mutable_receipt(), ctx.Receipt(repeated->record_index()));
    return Answer(std::move(response));
  }
  auto sender = *OrganisationId::From(placed.item.sender());
  Bytes key = keys::Signal(sender, *SignalId::From(placed.item.signal_id()));
  state::v1::SignalState signal;
  SCHAKEL_ASSIGN(bool found, ctx.Get(Family::kHot, key, &signal));
  if (!found) {
    return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "an item's signal is missing");
  }
  SCHAKEL_ASSIGN(auto bundle, ctx.facts().ActiveBundle(ctx));
  SCHAKEL_TRY(CheckOutcome(*bundle, signal.signal_type(), command.code));
  if (placed.item.reports_size() == static_cast<int>(limits::kReportsPerItemMax)) {
    return MakeError(ErrorCode::kResourceExhausted, "TOO_MANY_REPORTS",
                     "at most 16 outcomes of one signal are taken", "delivery_id");
  }

  ItemRecord what;
  what.kind = v1::RECORD_KIND_OUTCOME_REPORT;
  what.delivery = command.delivery;
  what.reported_code = command.code;
  SCHAKEL_ASSIGN(*response.mutable_receipt(), RecordItem(ctx, placed, what));
  auto* report = placed.item.add_reports();
  report->set_request_id(command.request.str());
  report->set_code(command.code);
  report->set_record_index(response.receipt().index());
  ctx.Put(Family::kHot, keys::Item(placed.recipient, placed.key), placed.item);

  auto* outcome =
      signal.mutable_recipients(static_cast<int>(placed.item.slot()))->mutable_outcome();
  outcome->set_reported_code(command.code);
  SetTimestamp(ctx.now_us(), outcome->mutable_reported());
  signal.add_feed_cursors(ctx.AddFeed(sender, placed.item.signal_id(), *outcome));
  ctx.Put(Family::kHot, std::move(key), signal);
  return Answer(std::move(response));
}

}  // namespace schakel::machine
