// Each look into the records is a record: who, on what ground, in which scope, about whom, and at
// which moment of the past.
#include <algorithm>

#include "broker/machine/facts.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

namespace {

// What any member may know of: its record's place and time tell nothing about others.
bool IsOpenToMembers(v1::RecordKind kind) {
  return kind == v1::RECORD_KIND_GENESIS || kind == v1::RECORD_KIND_DIRECTORY ||
         kind == v1::RECORD_KIND_KEY_SET || kind == v1::RECORD_KIND_POLICY_ACTIVATION;
}

// nullopt when there is none, or none that stands.
Result<std::optional<v1::Record>> StandingRecord(const Context& ctx, uint64_t index) {
  state::v1::StoredRecord stored;
  SCHAKEL_ASSIGN(const bool found, ctx.Get(Family::kRecords, keys::Record(index), &stored));
  if (!found || stored.destroyed_us() != 0) return std::optional<v1::Record>();
  v1::Record record;
  if (!record.ParseFromString(stored.record())) {
    return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a stored value is no Record");
  }
  return std::optional(std::move(record));
}

// INVARIANT I9: one answer for a record that is not there, destroyed, or out of scope: when another
// party's record was written is told to nobody.
Result<Moment> MomentAfter(const Context& ctx, const QueryGrant& grant, uint64_t index) {
  SCHAKEL_ASSIGN(const auto record, StandingRecord(ctx, index));
  const auto& covered = grant.organisations;
  if (!record ||
      !(grant.region || IsOpenToMembers(record->kind()) ||
        std::find(covered.begin(), covered.end(), record->organisation()) != covered.end())) {
    return InvalidArgument("FIELD_INVALID", "index",
                           "the index of a record in scope that still stands expected");
  }
  return Moment{record->time_us(), index + 1};
}

Result<Moment> MomentOf(const Context& ctx, const QueryGrant& grant, const PastMoment& asked) {
  if (asked.index) return MomentAfter(ctx, grant, *asked.index);
  if (asked.at_us > ctx.now_us()) {
    return InvalidArgument("FIELD_INVALID", "at",
                           "is to come: a moment of the broker's past expected");
  }
  SCHAKEL_ASSIGN(const auto first, StandingRecord(ctx, 0));
  if (!first) return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "record 0 is missing");
  if (asked.at_us < first->time_us()) {
    return InvalidArgument("FIELD_INVALID", "at",
                           "lies before the log began: a moment from its first record on expected");
  }
  return Moment{asked.at_us, grant.tree_size};
}

}  // namespace

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
  if (command.moment) {
    SCHAKEL_ASSIGN(grant.moment, MomentOf(ctx, grant, *command.moment));
  }

  v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_QUERY);
  record.set_event_id(ctx.NewEventId());
  record.mutable_facts()->set_rpc(command.rpc);
  record.mutable_facts()->set_text(command.words);
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
