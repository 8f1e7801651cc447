// CustodianService on gRPC's callback API: who calls, then evaluator.h or log_desk.h on a thread of
// the pool.
#pragma once

#include <grpcpp/grpcpp.h>

#include "broker/custodian/evaluator.h"
#include "broker/custodian/log_desk.h"
#include "broker/custodian/worker_pool.h"
#include "broker/transport/call_guard.h"
#include "schakel/v1/custodian.grpc.pb.h"

namespace schakel::custodian {

// Thread-safe. Must outlive the server that it is registered with.
class Service final : public transport::Strict<v1::CustodianService::CallbackService> {
 public:
  // All must outlive it.
  struct Parts {
    transport::CallGuard* guard = nullptr;
    const MembersFile* members = nullptr;
    const Evaluator* evaluator = nullptr;
    const LogDesk* desk = nullptr;
    WorkerPool* pool = nullptr;
  };
  explicit Service(Parts parts) : parts_(parts) {
    RegisterStrict(&Service::Evaluate, &Service::GetKeyDocument, &Service::GetBudget,
                   &Service::GetLogCheckpoint, &Service::GetLogInclusionProof,
                   &Service::GetLogConsistencyProof, &Service::GetLogTile, &Service::QueryLog,
                   &Service::ExportLog);
  }

  grpc::ServerUnaryReactor* Evaluate(grpc::CallbackServerContext* context,
                                     const v1::EvaluateRequest* request,
                                     v1::EvaluateResponse* response) override;
  grpc::ServerUnaryReactor* GetKeyDocument(grpc::CallbackServerContext* context,
                                           const v1::GetKeyDocumentRequest* request,
                                           v1::GetKeyDocumentResponse* response) override;
  grpc::ServerUnaryReactor* GetBudget(grpc::CallbackServerContext* context,
                                      const v1::GetBudgetRequest* request,
                                      v1::GetBudgetResponse* response) override;
  grpc::ServerUnaryReactor* GetLogCheckpoint(grpc::CallbackServerContext* context,
                                             const v1::GetLogCheckpointRequest* request,
                                             v1::GetLogCheckpointResponse* response) override;
  grpc::ServerUnaryReactor* GetLogInclusionProof(
      grpc::CallbackServerContext* context, const v1::GetLogInclusionProofRequest* request,
      v1::GetLogInclusionProofResponse* response) override;
  grpc::ServerUnaryReactor* GetLogConsistencyProof(
      grpc::CallbackServerContext* context, const v1::GetLogConsistencyProofRequest* request,
      v1::GetLogConsistencyProofResponse* response) override;
  grpc::ServerUnaryReactor* GetLogTile(grpc::CallbackServerContext* context,
                                       const v1::GetLogTileRequest* request,
                                       v1::GetLogTileResponse* response) override;
  grpc::ServerUnaryReactor* QueryLog(grpc::CallbackServerContext* context,
                                     const v1::QueryLogRequest* request,
                                     v1::QueryLogResponse* response) override;
  grpc::ServerWriteReactor<v1::ExportLogResponse>* ExportLog(
      grpc::CallbackServerContext* context, const v1::ExportLogRequest* request) override;

 private:
  // Who is not in the members file: nullopt when it is there, or can't be told.
  struct Stranger {
    Requester requester;
    std::shared_ptr<transport::CallEnd> end;
    Status refusal;  // of its certificate; OK when it only lacks authority
  };
  std::optional<Stranger> FindStranger(grpc::CallbackServerContext* context,
                                       const char* method) const;
  // Writes a stranger's refusal down, then calls `finish` with it; on a thread of the pool.
  void Refuse(const Stranger& stranger, const char* rpc,
              std::function<void(const grpc::Status&)> finish);

  // As CallGuard::Unary, but an organisation that is not in the members file is told that it has
  // no authority: its certificate may be known everywhere else.
  template <typename Request, typename Handler>
  grpc::ServerUnaryReactor* ForMember(grpc::CallbackServerContext* context, const char* rpc,
                                      const Request* request, Handler handler);
  // The same, with a handler that runs on a thread of the pool: Status(const Caller&).
  template <typename Request, typename Work>
  grpc::ServerUnaryReactor* InPool(grpc::CallbackServerContext* context, const char* rpc,
                                   const Request* request, Work work);

  const Parts parts_;
};

}  // namespace schakel::custodian
