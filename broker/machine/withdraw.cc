// A statement is withdrawn by who recorded it: an event, never an overwrite.
#include "broker/machine/facts.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

namespace {

Status CheckWithdrawal(Context& ctx, const v1::Withdrawal& w) {
  if (w.recorder() != ctx.caller().organisation.str()) {
    return MakeError(ErrorCode::kPermissionDenied, "SENDER_MISMATCH",
                     "the recorder is not the organisation that calls", "withdrawal.recorder");
  }
  if (w.actor() != ctx.caller().actor) {
    return InvalidArgument("ACTOR_MISMATCH", "withdrawal.actor",
                           "the call's schakel-actor expected");
  }
  if (w.region() != ctx.meta().region()) {
    return InvalidArgument("REGION_WRONG", "withdrawal.region",
                           "is not this broker's region " + ctx.meta().region());
  }
  if (w.time_ms() > ctx.now_ms() + 300'000) {
    return InvalidArgument("CREATED_IN_FUTURE", "withdrawal.time_ms",
                           "more than 5 minutes ahead of the broker's clock");
  }
  auto digest = Digest::From(w.key_set_digest());
  SCHAKEL_ASSIGN(auto key_set, ctx.FindKeySet(digest.value_or(Digest{})));
  if (!key_set || key_set->oin() != w.recorder() || ctx.now_ms() < key_set->not_before_ms() ||
      ctx.now_ms() >= key_set->not_after_ms()) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_UNKNOWN",
                     "a key set of the recorder, valid now, expected", "withdrawal.key_set_digest");
  }
  return {};
}

}  // namespace

Result<Answer> Apply(Context& ctx, const WithdrawStatement& command) {
  const v1::Withdrawal& w = command.withdrawal;
  auto given_id = StatementId::From(w.statement_id());
  if (!given_id) {
    return InvalidArgument("FIELD_INVALID", "withdrawal.statement_id", "16 bytes expected");
  }
  StatementId id = *given_id;
  state::v1::StatementState stored;
  SCHAKEL_ASSIGN(bool known, ctx.Get(Family::kRegistry, keys::Statement(id), &stored));
  if (!known || stored.destroyed_us() != 0) {
    return MakeError(ErrorCode::kNotFound, "NOT_FOUND", "no statement of that id",
                     "withdrawal.statement_id");
  }
  if (stored.parsed().recorder() != ctx.caller().organisation.str()) {
    return MakeError(ErrorCode::kPermissionDenied, "NOT_RECORDER",
                     "only who recorded a statement may withdraw it; record an objection instead",
                     "withdrawal.statement_id");
  }
  v1::WithdrawStatementResponse response;
  if (stored.withdrawn_us() != 0 && stored.withdrawal() == command.request.withdrawal()) {
    SCHAKEL_ASSIGN(*response.mutable_receipt(), ctx.Receipt(stored.withdrawal_index()));
    return Answer(std::move(response));
  }
  SCHAKEL_TRY(CheckWithdrawal(ctx, w));
  if (stored.withdrawn_us() != 0) {
    return MakeError(ErrorCode::kFailedPrecondition, "ALREADY_WITHDRAWN",
                     "this statement was withdrawn before", "withdrawal.statement_id");
  }

  const auto before = stored;
  stored.set_withdrawn_us(ctx.now_us());
  stored.set_withdrawal(command.request.withdrawal());
  stored.set_withdrawal_signature(command.request.signature());
  v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_WITHDRAWAL);
  record.set_event_id(ctx.NewEventId());
  record.set_subject_label(stored.subject_label());
  record.set_case_id(stored.parsed().case_id());
  record.set_purpose(stored.parsed().purpose());
  record.mutable_facts()->set_statement_id(id.str());
  v1::Detail detail;
  *detail.mutable_subject() = stored.parsed().subject();
  detail.set_signed_bytes(command.request.withdrawal());
  *response.mutable_receipt() = ctx.AddRecord(std::move(record), &detail);
  stored.set_withdrawal_index(response.receipt().index());
  ctx.Put(Family::kRegistry, keys::Statement(id), stored);
  SetStatementEnd(ctx, id, before, stored);
  for (const auto& pair : stored.parsed().subject().pairs()) {
    SCHAKEL_TRY(RecheckQueued(ctx, pair, {}));
    ctx.effects().changed_subjects.push_back(pair.value());
  }
  SCHAKEL_TRY(NotifyReaders(ctx, id));
  return Answer(std::move(response));
}

}  // namespace schakel::machine
