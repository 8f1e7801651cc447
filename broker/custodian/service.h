// CustodianService on gRPC's callback API: who calls, then evaluator.h on a thread of the pool.
#pragma once

#include <grpcpp/grpcpp.h>

#include "broker/custodian/evaluator.h"
#include "broker/custodian/worker_pool.h"
#include "broker/transport/call_guard.h"
#include "schakel/v1/custodian.grpc.pb.h"

namespace schakel::custodian {

// Thread-safe. Must outlive the server that it is registered with.
class Service final : public v1::CustodianService::CallbackService {
 public:
  // All must outlive it.
  struct Parts {
    transport::CallGuard* guard = nullptr;
    const MembersFile* members = nullptr;
    const Evaluator* evaluator = nullptr;
    WorkerPool* pool = nullptr;
  };
  explicit Service(Parts parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* Evaluate(grpc::CallbackServerContext* context,
                                     const v1::EvaluateRequest* request,
                                     v1::EvaluateResponse* response) override;
  grpc::ServerUnaryReactor* GetKeyDocument(grpc::CallbackServerContext* context,
                                           const v1::GetKeyDocumentRequest* request,
                                           v1::GetKeyDocumentResponse* response) override;
  grpc::ServerUnaryReactor* GetBudget(grpc::CallbackServerContext* context,
                                      const v1::GetBudgetRequest* request,
                                      v1::GetBudgetResponse* response) override;

 private:
  // As CallGuard::Unary, but an organisation that is not in the members file is told that it has
  // no authority: its certificate may be known everywhere else.
  template <typename Request, typename Handler>
  grpc::ServerUnaryReactor* ForMember(grpc::CallbackServerContext* context, const char* method,
                                      const Request* request, Handler handler);

  const Parts parts_;
};

}  // namespace schakel::custodian
