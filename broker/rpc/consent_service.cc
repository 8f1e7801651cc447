#include "broker/rpc/consent_service.h"

#include "broker/base/limits.h"
#include "broker/crypto/statement_format.h"
#include "broker/machine/envelope.h"
#include "broker/machine/facts.h"
#include "broker/machine/keys.h"
#include "broker/query/statements.h"
#include "broker/rpc/checks.h"

namespace schakel::rpc {

namespace {

std::vector<Bytes> ValuesOf(const v1::SubjectRef& subject) {
  std::vector<Bytes> values;
  for (const auto& pair : subject.pairs()) values.push_back(pair.value());
  return values;
}

Status CheckBytes(const Bytes& bytes, const char* field) {
  if (bytes.empty()) return InvalidArgument("FIELD_MISSING", field, "is required");
  if (bytes.size() <= limits::kStatementBytesMax) return {};
  return InvalidArgument("TOO_LARGE", field, "at most 4096 bytes expected");
}

Result<machine::RecordStatement> ReadStatement(KeySets& key_sets,
                                               const v1::RecordStatementRequest& request) {
  machine::RecordStatement command{request, {}};
  SCHAKEL_TRY(CheckBytes(request.statement(), "statement"));
  SCHAKEL_TRY(CheckSized(request.signature(), 64, "signature"));
  SCHAKEL_TRY(machine::ParseStrict(request.statement(), "statement", &command.statement));
  SCHAKEL_TRY(CheckStatement(command.statement));
  SCHAKEL_TRY(VerifyBy(key_sets, *Digest::From(command.statement.key_set_digest()),
                       command.statement.recorder(), crypto::StatementMessage(request.statement()),
                       request.signature(), {"statement.key_set_digest", "signature"}));
  return command;
}

Result<machine::WithdrawStatement> ReadWithdrawal(KeySets& key_sets,
                                                  const v1::WithdrawStatementRequest& request) {
  machine::WithdrawStatement command{request, {}};
  SCHAKEL_TRY(CheckBytes(request.withdrawal(), "withdrawal"));
  SCHAKEL_TRY(CheckSized(request.signature(), 64, "signature"));
  SCHAKEL_TRY(machine::ParseStrict(request.withdrawal(), "withdrawal", &command.withdrawal));
  SCHAKEL_TRY(CheckWithdrawal(command.withdrawal));
  SCHAKEL_TRY(VerifyBy(key_sets, *Digest::From(command.withdrawal.key_set_digest()),
                       command.withdrawal.recorder(),
                       crypto::WithdrawalMessage(request.withdrawal()), request.signature(),
                       {"withdrawal.key_set_digest", "signature"}));
  return command;
}

}  // namespace

grpc::ServerUnaryReactor* ConsentService::RecordStatement(grpc::CallbackServerContext* context,
                                                          const v1::RecordStatementRequest* request,
                                                          v1::RecordStatementResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        auto command = ReadStatement(*parts_.key_sets, *request);
        if (!command.ok()) {
          return RefuseRecorded(parts_, command.error(), "RecordStatement", caller, answer);
        }
        auto values = ValuesOf(command->statement.subject());
        SubmitFor<v1::RecordStatementResponse>(
            parts_, *std::move(command), caller, answer,
            [=, this](uint64_t, v1::RecordStatementResponse value) {
              *response = std::move(value);
              // INVARIANT I4: an objection's OK waits for the writes that had begun.
              parts_.gate->WhenQuiet(values, [answer] { answer.Finish({}); });
            });
      });
}

grpc::ServerUnaryReactor* ConsentService::WithdrawStatement(
    grpc::CallbackServerContext* context, const v1::WithdrawStatementRequest* request,
    v1::WithdrawStatementResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        auto command = ReadWithdrawal(*parts_.key_sets, *request);
        if (!command.ok()) {
          return RefuseRecorded(parts_, command.error(), "WithdrawStatement", caller, answer);
        }
        auto statement = *StatementId::From(command->withdrawal.statement_id());
        Status page =
            query::CheckEarlierDeliveries(*parts_.tokens, caller.organisation, statement, *request);
        if (!page.ok()) return answer.Finish(page);
        auto finish = [=, this] {
          auto snapshot = parts_.store->TakeSnapshot();
          answer.Finish(query::EarlierDeliveries(*snapshot, *parts_.tokens, caller.organisation,
                                                 statement, *request, response));
        };
        SubmitFor<v1::WithdrawStatementResponse>(
            parts_, *std::move(command), caller, answer,
            [=, this](uint64_t, v1::WithdrawStatementResponse value) {
              *response = std::move(value);
              auto raw = parts_.store->durable().Get(store::Family::kRegistry,
                                                     machine::keys::Statement(statement));
              state::v1::StatementState stored;
              if (!raw.ok() || !*raw || !stored.ParseFromString(**raw)) {
                return answer.Finish(Internal("a withdrawn statement can't be read"));
              }
              // INVARIANT I4: the withdrawal's OK waits for the writes that had begun.
              parts_.gate->WhenQuiet(ValuesOf(stored.parsed().subject()), finish);
            });
      });
}

grpc::ServerUnaryReactor* ConsentService::ListStatements(grpc::CallbackServerContext* context,
                                                         const v1::ListStatementsRequest* request,
                                                         v1::ListStatementsResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        auto read = [=, this] {
          Answer(parts_, answer, response, [&](const store::StateReader& state) {
            return query::ListStatements(state, *parts_.tokens, caller.organisation, *request);
          });
        };
        if (Status id = CheckSized(request->request_id(), 16, "request_id"); !id.ok()) {
          return answer.Finish(id);
        }
        Status page = query::CheckListStatements(*parts_.tokens, caller.organisation, *request);
        if (!page.ok()) return answer.Finish(page);
        // Only a list about a subject is a look at a person.
        if (!request->has_subject()) return read();
        Status subject = machine::CheckSubjectRef(request->subject(), "subject");
        if (!subject.ok()) return answer.Finish(subject);
        SubmitFor<std::monostate>(parts_, machine::ListStatements{request->subject()}, caller,
                                  answer, [=](uint64_t, std::monostate) { read(); });
      });
}

grpc::ServerUnaryReactor* ConsentService::CheckConsent(grpc::CallbackServerContext* context,
                                                       const v1::CheckConsentRequest* request,
                                                       v1::CheckConsentResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        if (Status shape = CheckConsentQuestion(*request); !shape.ok()) return answer.Finish(shape);
        SubmitTo(parts_, machine::CheckConsent{*request}, caller, answer, response);
      });
}

}  // namespace schakel::rpc
