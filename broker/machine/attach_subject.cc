// A recipient with BSN authority says who an unlinked subject is, before any onward step.
#include <algorithm>

#include "broker/machine/facts.h"
#include "broker/machine/handlers.h"
#include "broker/machine/inbox.h"

namespace schakel::machine {

using store::Family;

Result<Answer> Apply(Context& ctx, const AttachSubject& command) {
  const auto& request = command.request;
  const auto& caller = ctx.caller().organisation;
  auto sender = OrganisationId::From(request.sender());
  auto signal_id = SignalId::From(request.signal_id());
  if (!sender || !signal_id) return InvalidArgument("FIELD_INVALID", "sender", "an OIN expected");
  SCHAKEL_ASSIGN(auto bundle, ctx.facts().ActiveBundle(ctx));
  SCHAKEL_TRY(CheckEpochs(*bundle, request.subject(), true, "subject"));
  SCHAKEL_ASSIGN(auto entry, ctx.FindOrganisation(caller));
  if (!entry->organisation().bsn_authority()) {
    return MakeError(ErrorCode::kPermissionDenied, "BSN_AUTHORITY_MISSING",
                     "only an organisation with BSN authority attaches a subject");
  }
  auto not_found = [] {
    return MakeError(ErrorCode::kNotFound, "NOT_FOUND",
                     "no unlinked subject of that label was delivered to this organisation",
                     "subject_label");
  };
  state::v1::SignalState signal;
  SCHAKEL_ASSIGN(bool known, ctx.Get(Family::kHot, keys::Signal(*sender, *signal_id), &signal));
  if (!known) return not_found();
  bool shown = false;
  for (int slot = 0; slot < signal.recipients_size(); ++slot) {
    const auto& state = signal.recipients(slot);
    if (state.outcome().recipient() != caller.str() || state.permitted_size() == 0) continue;
    SCHAKEL_ASSIGN(auto placed,
                   LoadItem(ctx, caller, {signal.position(), static_cast<uint16_t>(slot)}));
    const auto& labels = placed.item.shown_labels();
    shown = std::find(labels.begin(), labels.end(), request.subject_label()) != labels.end();
  }
  bool unlinked =
      std::any_of(signal.subjects().begin(), signal.subjects().end(), [&](const auto& routed) {
        return routed.label() == request.subject_label() && !IsLinked(routed.ref());
      });
  if (!shown || !unlinked) return not_found();

  v1::AttachSubjectResponse response;
  Bytes key = keys::Attached(*sender, *signal_id, request.subject_label(), caller);
  state::v1::AttachedSubject attached;
  SCHAKEL_ASSIGN(bool before, ctx.Get(Family::kHot, key, &attached));
  if (before) {
    if (attached.subject().SerializeAsString() != request.subject().SerializeAsString()) {
      return MakeError(ErrorCode::kAlreadyExists, "ALREADY_EXISTS",
                       "another subject was attached to this label", "subject");
    }
    SCHAKEL_ASSIGN(*response.mutable_receipt(), ctx.Receipt(attached.record_index()));
    return Answer(std::move(response));
  }
  v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_SUBJECT_ATTACHED);
  record.set_event_id(ctx.NewEventId());
  record.set_subject_label(request.subject_label());
  record.set_signal_id(request.signal_id());
  record.set_signal_type(signal.signal_type());
  record.set_purpose(signal.purpose());
  record.set_case_id(signal.case_id());
  v1::Detail detail;
  *detail.mutable_subject() = request.subject();
  *response.mutable_receipt() = ctx.AddRecord(std::move(record), &detail);
  *attached.mutable_subject() = request.subject();
  attached.set_record_index(response.receipt().index());
  ctx.Put(Family::kHot, std::move(key), attached);
  return Answer(std::move(response));
}

}  // namespace schakel::machine
