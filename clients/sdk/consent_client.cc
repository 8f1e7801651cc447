#include "clients/sdk/consent_client.h"

#include "broker/base/limits.h"
#include "broker/crypto/random.h"
#include "broker/crypto/statement_format.h"
#include "clients/sdk/inbox_client.h"
#include "clients/sdk/pseudonym_client.h"

namespace schakel::sdk {
namespace {

Status CheckStatement(const v1::Statement& statement) {
  const auto missing = [](const char* field, const char* what) {
    return InvalidArgument("FIELD_MISSING", field, what);
  };
  if (statement.kind() == v1::STATEMENT_KIND_UNSPECIFIED) {
    return missing("kind", "a statement is a consent or an objection");
  }
  if (statement.subject().pairs_size() == 0 || IsUnlinked(statement.subject())) {
    return missing("subject", "a statement is about a subject with a pseudonym");
  }
  if (statement.not_after_ms() <= statement.not_before_ms()) {
    return InvalidArgument("FIELD_INVALID", "not_after_ms", "a statement ends after it begins");
  }
  if (statement.grantor() == v1::GRANTOR_UNSPECIFIED) {
    return missing("grantor", "say who spoke: the person, or which representative");
  }
  if (statement.identity_check() == v1::IDENTITY_CHECK_UNSPECIFIED) {
    return missing("identity_check", "say how you knew who spoke");
  }
  return {};
}

Status CheckKeys(const Recorder& recorder, const OwnKeySet& keys) {
  if (keys.signing && keys.key_set.oin == recorder.oin) return {};
  return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_MISSING",
                   "the key set is not the recorder's, or its private keys are gone");
}

}  // namespace

Result<SignedStatement> SignStatement(v1::Statement statement, const Recorder& recorder,
                                      const OwnKeySet& keys, Millis now) {
  SCHAKEL_TRY(CheckStatement(statement));
  SCHAKEL_TRY(CheckKeys(recorder, keys));
  if (statement.statement_id().empty()) statement.set_statement_id(crypto::NewUuidV7(now));
  const auto id = StatementId::From(statement.statement_id());
  if (!id) return InvalidArgument("FIELD_INVALID", "statement_id", "an id has 16 bytes");
  statement.set_region(recorder.region);
  statement.set_recorder(recorder.oin.str());
  statement.set_actor(recorder.actor);
  statement.set_key_set_digest(keys.digest.str());
  SignedStatement made{*id, {}};
  made.request.set_statement(statement.SerializeAsString());
  if (made.request.statement().size() > limits::kStatementBytesMax) {
    return InvalidArgument("TOO_LARGE", "statement", "a statement has at most 4,096 bytes");
  }
  made.request.set_signature(
      keys.signing->Sign(crypto::StatementMessage(made.request.statement())));
  return made;
}

Result<SignedWithdrawal> SignWithdrawal(const StatementId& statement, const Recorder& recorder,
                                        const OwnKeySet& keys, Millis now) {
  SCHAKEL_TRY(CheckKeys(recorder, keys));
  v1::Withdrawal withdrawal;
  withdrawal.set_withdrawal_id(crypto::NewUuidV7(now));
  withdrawal.set_statement_id(statement.str());
  withdrawal.set_region(recorder.region);
  withdrawal.set_time_ms(static_cast<uint64_t>(now.count()));
  withdrawal.set_recorder(recorder.oin.str());
  withdrawal.set_actor(recorder.actor);
  withdrawal.set_key_set_digest(keys.digest.str());
  SignedWithdrawal made;
  made.request.set_withdrawal(withdrawal.SerializeAsString());
  made.request.set_signature(
      keys.signing->Sign(crypto::WithdrawalMessage(made.request.withdrawal())));
  return made;
}

Evidence MakeEvidence(BytesView document) {
  Bytes salt = crypto::RandomBytes(crypto::kEvidenceSaltBytes);
  const Digest digest = crypto::EvidenceDigest(salt, document);
  return {std::move(salt), digest};
}

ConsentClient::ConsentClient(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)),
      stub_(v1::ConsentService::NewStub(connection_->channel())) {}

Result<v1::RecordStatementResponse> ConsentClient::Record(const SignedStatement& statement) {
  return connection_->Call(*stub_, &v1::ConsentService::Stub::RecordStatement, statement.request);
}

Result<WithdrawalOutcome> ConsentClient::Withdraw(const SignedWithdrawal& withdrawal) {
  v1::WithdrawStatementRequest request = withdrawal.request;
  request.set_page_size(limits::kPageSizeMax);
  WithdrawalOutcome outcome;
  do {
    SCHAKEL_ASSIGN(
        const auto response,
        connection_->Call(*stub_, &v1::ConsentService::Stub::WithdrawStatement, request));
    if (response.has_receipt()) outcome.receipt = response.receipt();
    outcome.earlier_deliveries.insert(outcome.earlier_deliveries.end(),
                                      response.earlier_deliveries().begin(),
                                      response.earlier_deliveries().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return outcome;
}

Result<std::vector<v1::StatementSummary>> ConsentClient::List(
    const std::optional<v1::SubjectRef>& subject) {
  v1::ListStatementsRequest request;
  request.set_request_id(NewRequestId().str());
  request.set_page_size(limits::kPageSizeMax);
  if (subject) *request.mutable_subject() = *subject;
  std::vector<v1::StatementSummary> all;
  do {
    SCHAKEL_ASSIGN(const auto response,
                   connection_->Call(*stub_, &v1::ConsentService::Stub::ListStatements, request));
    all.insert(all.end(), response.statements().begin(), response.statements().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

Result<v1::CheckConsentResponse> ConsentClient::Check(v1::CheckConsentRequest request) {
  if (request.request_id().empty()) request.set_request_id(NewRequestId().str());
  return connection_->Call(*stub_, &v1::ConsentService::Stub::CheckConsent, request);
}

}  // namespace schakel::sdk
