// Each look into the records is a record: who, on what ground, in which scope, about whom.
#include "broker/machine/facts.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

Result<Answer> Apply(Context& ctx, const RecordQuery& command) {
  SCHAKEL_ASSIGN(auto entry, ctx.FindOrganisation(ctx.caller().organisation));
  const auto& auditor = entry->organisation();
  if (command.subject) {
    SCHAKEL_ASSIGN(auto bundle, ctx.facts().ActiveBundle(ctx));
    SCHAKEL_TRY(CheckEpochs(*bundle, *command.subject, true, command.subject_field));
  }
  QueryGrant grant;
  grant.region = auditor.audit_scope() == v1::AUDIT_SCOPE_REGION &&
                 auditor.audit_scope_until().seconds() > static_cast<int64_t>(ctx.now_ms() / 1000);
  grant.organisations.push_back(auditor.oin());
  for (const auto& oin : auditor.audited_oins()) grant.organisations.push_back(oin);
  grant.tree_size = ctx.meta().tree_size();

  v1::Record record = ctx.NewRecord(v1::RECORD_KIND_QUERY);
  record.set_event_id(ctx.NewEventId());
  record.mutable_facts()->set_rpc(command.rpc);
  record.mutable_facts()->set_scope(grant.region ? "region" : "own");
  std::string reference = command.ground;
  if (!command.reference.empty()) reference += (reference.empty() ? "" : "; ") + command.reference;
  record.mutable_facts()->set_reference(reference);
  v1::Detail detail;
  detail.set_question(command.question);
  if (command.subject) {
    *detail.mutable_subject() = *command.subject;
    record.set_subject_label(ctx.NewEventId());
  }
  grant.receipt = ctx.AddRecord(std::move(record), &detail);
  return Answer(std::move(grant));
}

}  // namespace schakel::machine
