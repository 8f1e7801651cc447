// A consent or objection is recorded; an objection withdraws every consent that it covers.
#include <algorithm>

#include "broker/base/limits.h"
#include "broker/machine/facts.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

namespace {

// The directory and the active bundle at this position.
class DirectoryContainment final : public policy::Containment {
 public:
  DirectoryContainment(const store::StateReader& view, const policy::CompiledBundle& bundle)
      : view_(view), bundle_(bundle) {}
  bool InSector(const OrganisationId& oin, std::string_view sector) const override {
    auto entry = FindOrganisation(view_, oin);
    return entry.ok() && entry->has_value() && (*entry)->organisation().sector() == sector;
  }
  bool InFunction(const OrganisationId& oin, std::string_view function) const override {
    for (const auto& held : bundle_.FunctionsOf(oin)) {
      if (held.function == function || held.str() == function) return true;
    }
    return false;
  }

 private:
  const store::StateReader& view_;
  const policy::CompiledBundle& bundle_;
};

Status CheckAxis(const policy::CompiledBundle& bundle, const v1::PartyAxis& axis,
                 const std::string& field) {
  auto unknown = [&](const std::string& code) {
    return Status(
        InvalidArgument("UNKNOWN_CODE", field, "the active bundle does not know '" + code + "'"));
  };
  switch (axis.party_case()) {
    case v1::PartyAxis::kSector:
      if (!bundle.KnowsSector(axis.sector())) return unknown(axis.sector());
      return {};
    case v1::PartyAxis::kFunction:
      if (!bundle.KnowsFunction(axis.function().function())) {
        return unknown(axis.function().function());
      }
      if (!axis.function().area().empty() && !bundle.KnowsArea(axis.function().area())) {
        return unknown(axis.function().area());
      }
      return {};
    case v1::PartyAxis::kOrganisation:
      if (OrganisationId::From(axis.organisation())) return {};
      return InvalidArgument("FIELD_INVALID", field, "an OIN of 20 digits expected");
    case v1::PartyAxis::PARTY_NOT_SET:
      return {};
  }
  return {};
}

Status CheckPeriod(const Context& ctx, const v1::Statement& s) {
  auto longest = static_cast<uint64_t>(
      std::chrono::duration_cast<Millis>(limits::kStatementValidityMax).count());
  if (s.not_before_ms() == 0) {
    return InvalidArgument("FIELD_MISSING", "statement.not_before_ms", "is required");
  }
  if (s.not_after_ms() <= s.not_before_ms() || s.not_after_ms() - s.not_before_ms() > longest) {
    return InvalidArgument("FIELD_INVALID", "statement.not_after_ms",
                           "after not_before_ms and at most ten years later expected");
  }
  if (s.not_after_ms() <= ctx.now_ms()) {
    return InvalidArgument("FIELD_INVALID", "statement.not_after_ms", "has passed already");
  }
  if (s.kind() == v1::STATEMENT_KIND_OBJECTION && s.not_before_ms() > ctx.now_ms()) {
    return InvalidArgument("FIELD_INVALID", "statement.not_before_ms",
                           "an objection holds from its recording on at the latest");
  }
  return {};
}

Status CheckStatement(Context& ctx, const policy::CompiledBundle& bundle, const v1::Statement& s) {
  if (s.recorder() != ctx.caller().organisation.str()) {
    return MakeError(ErrorCode::kPermissionDenied, "SENDER_MISMATCH",
                     "the recorder is not the organisation that calls", "statement.recorder");
  }
  if (s.actor() != ctx.caller().actor) {
    return InvalidArgument("ACTOR_MISMATCH", "statement.actor",
                           "the call's schakel-actor expected");
  }
  if (s.region() != ctx.meta().region()) {
    return InvalidArgument("REGION_WRONG", "statement.region",
                           "is not this broker's region " + ctx.meta().region());
  }
  if (s.kind() != v1::STATEMENT_KIND_CONSENT && s.kind() != v1::STATEMENT_KIND_OBJECTION) {
    return InvalidArgument("FIELD_INVALID", "statement.kind", "a consent or an objection expected");
  }
  if (static_cast<size_t>(s.kept_statement_ids_size()) > limits::kKeptStatementsMax) {
    return InvalidArgument("TOO_LARGE", "statement.kept_statement_ids", "at most 64");
  }
  SCHAKEL_TRY(CheckEpochs(bundle, s.subject(), true, "statement.subject"));
  SCHAKEL_TRY(CheckAxis(bundle, s.sender(), "statement.sender"));
  SCHAKEL_TRY(CheckAxis(bundle, s.recipient(), "statement.recipient"));
  if (!s.category().empty() && bundle.FindCategory(s.category()) == nullptr) {
    return InvalidArgument("UNKNOWN_CODE", "statement.category",
                           "the active bundle does not know '" + s.category() + "'");
  }
  if (!s.purpose().empty() && !bundle.KnowsPurpose(s.purpose())) {
    return InvalidArgument("UNKNOWN_CODE", "statement.purpose",
                           "the active bundle does not know '" + s.purpose() + "'");
  }
  SCHAKEL_TRY(CheckPeriod(ctx, s));
  auto digest = Digest::From(s.key_set_digest());
  SCHAKEL_ASSIGN(auto key_set, ctx.FindKeySet(digest.value_or(Digest{})));
  if (!key_set || key_set->oin() != s.recorder() || ctx.now_ms() < key_set->not_before_ms() ||
      ctx.now_ms() >= key_set->not_after_ms()) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_UNKNOWN",
                     "a key set of the recorder, valid now, expected", "statement.key_set_digest");
  }
  return {};
}

// Whether the caller may list a statement: it recorded it, or it is named in it.
bool MayList(const v1::Statement& s, const OrganisationId& caller) {
  return s.recorder() == caller.str() || s.sender().organisation() == caller.str() ||
         s.recipient().organisation() == caller.str();
}

// The same statement again: its first answer.
Result<Answer> FirstAnswer(Context& ctx, const state::v1::StatementState& stored) {
  v1::RecordStatementResponse response;
  SCHAKEL_ASSIGN(*response.mutable_receipt(), ctx.Receipt(stored.record_index()));
  for (const auto& raw : stored.withdrew()) {
    state::v1::StatementState other;
    SCHAKEL_ASSIGN(bool found,
                   ctx.Get(Family::kRegistry, keys::Statement(*StatementId::From(raw)), &other));
    if (found && MayList(other.parsed(), ctx.caller().organisation)) {
      response.add_withdrawn_statement_ids(raw);
    }
  }
  return Answer(std::move(response));
}

// Consents of the subject that the objection covers and does not keep.
std::vector<state::v1::StatementState> Covered(Context& ctx, const policy::CompiledBundle& bundle,
                                               const v1::Statement& objection,
                                               const SubjectStatements& statements) {
  state::v1::StatementState as_state;
  *as_state.mutable_parsed() = objection;
  policy::Axes axes = ToConsentFact(as_state).axes;
  DirectoryContainment containment(ctx.view(), bundle);
  std::vector<state::v1::StatementState> covered;
  for (const auto& state : statements.states) {
    const auto& s = state.parsed();
    if (s.kind() != v1::STATEMENT_KIND_CONSENT || state.withdrawn_us() != 0) continue;
    const auto& kept = objection.kept_statement_ids();
    if (std::find(kept.begin(), kept.end(), s.statement_id()) != kept.end()) continue;
    if (policy::Covers(axes, ToConsentFact(state).axes, containment)) covered.push_back(state);
  }
  return covered;
}

v1::Record& StatementRecord(Context& ctx, v1::RecordKind kind, const Bytes& event,
                            const state::v1::StatementState& state) {
  v1::Record& record = ctx.NewRecord(kind);
  record.set_event_id(event);
  record.set_subject_label(state.subject_label());
  record.set_case_id(state.parsed().case_id());
  record.set_purpose(state.parsed().purpose());
  record.mutable_facts()->set_statement_id(state.parsed().statement_id());
  record.mutable_facts()->set_text(
      state.parsed().kind() == v1::STATEMENT_KIND_OBJECTION ? "objection" : "consent");
  return record;
}

// INVARIANT I4: the objection's own command withdraws the consents that it covers.
void WithdrawCovered(Context& ctx, const Bytes& event,
                     std::vector<state::v1::StatementState> covered,
                     state::v1::StatementState* objection, v1::RecordStatementResponse* response) {
  for (auto& state : covered) {
    const auto before = state;
    state.set_withdrawn_us(ctx.now_us());
    v1::Record& record = StatementRecord(ctx, v1::RECORD_KIND_WITHDRAWAL, event, state);
    // Party is who recorded the consent; it does not learn who recorded the objection.
    record.set_organisation(state.parsed().recorder());
    record.clear_actor();
    record.clear_actor_role();
    record.clear_trace_id();
    v1::Detail detail;
    *detail.mutable_subject() = state.parsed().subject();
    detail.set_signed_bytes(objection->statement());
    state.set_withdrawal_index(ctx.AddRecord(std::move(record), &detail).index());
    auto id = *StatementId::From(state.parsed().statement_id());
    ctx.Put(Family::kRegistry, keys::Statement(id), state);
    SetStatementEnd(ctx, id, before, state);
    objection->add_withdrew(id.str());
    if (MayList(state.parsed(), ctx.caller().organisation)) {
      response->add_withdrawn_statement_ids(id.str());
    }
  }
}

}  // namespace

Result<Answer> Apply(Context& ctx, const RecordStatement& command) {
  const v1::Statement& s = command.statement;
  auto given_id = StatementId::From(s.statement_id());
  if (!given_id) {
    return InvalidArgument("FIELD_INVALID", "statement.statement_id", "16 bytes expected");
  }
  StatementId id = *given_id;
  state::v1::StatementState stored;
  SCHAKEL_ASSIGN(bool known, ctx.Get(Family::kRegistry, keys::Statement(id), &stored));
  if (known && stored.statement() == command.request.statement() &&
      stored.parsed().recorder() == ctx.caller().organisation.str()) {
    return FirstAnswer(ctx, stored);
  }
  if (known && stored.destroyed_us() != 0) {
    return MakeError(ErrorCode::kAlreadyExists, "ALREADY_EXISTS",
                     "this statement id was used; what it stood for was destroyed by its term",
                     "statement.statement_id");
  }
  if (known) {
    return MakeError(ErrorCode::kAlreadyExists, "ALREADY_EXISTS",
                     "this statement id was used for another statement", "statement.statement_id");
  }
  SCHAKEL_ASSIGN(auto bundle, ctx.facts().ActiveBundle(ctx));
  SCHAKEL_TRY(CheckStatement(ctx, *bundle, s));
  SCHAKEL_ASSIGN(auto statements, FindStatements(ctx.view(), *bundle, s.subject()));
  if (statements.ids.size() >= limits::kStatementsPerSubjectMax) {
    return MakeError(ErrorCode::kResourceExhausted, "TOO_MANY_STATEMENTS",
                     "the subject has 256 statements already", "statement.subject");
  }
  bool objection = s.kind() == v1::STATEMENT_KIND_OBJECTION;
  std::vector<state::v1::StatementState> covered;
  if (objection) covered = Covered(ctx, *bundle, s, statements);

  stored.Clear();
  stored.set_statement(command.request.statement());
  stored.set_signature(command.request.signature());
  stored.set_recorded_us(ctx.now_us());
  *stored.mutable_parsed() = s;
  Bytes event = ctx.NewEventId();
  stored.set_subject_label(event);  // a label of its own: no record links it to another
  v1::Detail detail;
  *detail.mutable_subject() = s.subject();
  detail.set_signed_bytes(command.request.statement());
  v1::RecordStatementResponse response;
  *response.mutable_receipt() = ctx.AddRecord(
      std::move(StatementRecord(ctx, v1::RECORD_KIND_STATEMENT, event, stored)), &detail);
  stored.set_record_index(response.receipt().index());
  WithdrawCovered(ctx, event, std::move(covered), &stored, &response);
  ctx.Put(Family::kRegistry, keys::Statement(id), stored);
  SetStatementEnd(ctx, id, {}, stored);
  ctx.PutRaw(Family::kHot, keys::RecorderStatement(ctx.caller().organisation, id), {});
  for (const auto& pair : s.subject().pairs()) {
    ctx.PutRaw(Family::kHot, keys::SubjectStatement(pair, id), {});
  }
  if (objection) {
    for (const auto& pair : s.subject().pairs()) {
      SCHAKEL_TRY(RecheckQueued(ctx, pair, {}));
      ctx.effects().changed_subjects.push_back(pair.value());
    }
    for (const auto& raw : stored.withdrew()) {
      SCHAKEL_TRY(NotifyReaders(ctx, *StatementId::From(raw)));
    }
  }
  return Answer(std::move(response));
}

}  // namespace schakel::machine
