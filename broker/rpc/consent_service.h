#pragma once

#include "broker/rpc/parts.h"
#include "schakel/v1/consent.grpc.pb.h"

namespace schakel::rpc {

class ConsentService final : public transport::Strict<v1::ConsentService::CallbackService> {
 public:
  explicit ConsentService(const Parts& parts) : parts_(parts) {
    RegisterStrict(&ConsentService::RecordStatement, &ConsentService::WithdrawStatement,
                   &ConsentService::ListStatements, &ConsentService::CheckConsent);
  }

  grpc::ServerUnaryReactor* RecordStatement(grpc::CallbackServerContext* context,
                                            const v1::RecordStatementRequest* request,
                                            v1::RecordStatementResponse* response) override;
  grpc::ServerUnaryReactor* WithdrawStatement(grpc::CallbackServerContext* context,
                                              const v1::WithdrawStatementRequest* request,
                                              v1::WithdrawStatementResponse* response) override;
  grpc::ServerUnaryReactor* ListStatements(grpc::CallbackServerContext* context,
                                           const v1::ListStatementsRequest* request,
                                           v1::ListStatementsResponse* response) override;
  grpc::ServerUnaryReactor* CheckConsent(grpc::CallbackServerContext* context,
                                         const v1::CheckConsentRequest* request,
                                         v1::CheckConsentResponse* response) override;

 private:
  const Parts parts_;
};

}  // namespace schakel::rpc
