#pragma once

#include "broker/rpc/parts.h"
#include "schakel/v1/audit.grpc.pb.h"

namespace schakel::rpc {

class AuditService final : public transport::Strict<v1::AuditService::CallbackService> {
 public:
  explicit AuditService(const Parts& parts) : parts_(parts) {
    RegisterStrict(&AuditService::QueryRecords, &AuditService::SubjectReport,
                   &AuditService::GetStateAt, &AuditService::GetCheckpoint,
                   &AuditService::GetInclusionProof, &AuditService::GetConsistencyProof,
                   &AuditService::GetTile, &AuditService::Export);
  }

  grpc::ServerUnaryReactor* QueryRecords(grpc::CallbackServerContext* context,
                                         const v1::QueryRecordsRequest* request,
                                         v1::QueryRecordsResponse* response) override;
  grpc::ServerUnaryReactor* SubjectReport(grpc::CallbackServerContext* context,
                                          const v1::SubjectReportRequest* request,
                                          v1::SubjectReportResponse* response) override;
  grpc::ServerUnaryReactor* GetStateAt(grpc::CallbackServerContext* context,
                                       const v1::GetStateAtRequest* request,
                                       v1::GetStateAtResponse* response) override;
  grpc::ServerUnaryReactor* GetCheckpoint(grpc::CallbackServerContext* context,
                                          const v1::GetCheckpointRequest* request,
                                          v1::GetCheckpointResponse* response) override;
  grpc::ServerUnaryReactor* GetInclusionProof(grpc::CallbackServerContext* context,
                                              const v1::GetInclusionProofRequest* request,
                                              v1::GetInclusionProofResponse* response) override;
  grpc::ServerUnaryReactor* GetConsistencyProof(grpc::CallbackServerContext* context,
                                                const v1::GetConsistencyProofRequest* request,
                                                v1::GetConsistencyProofResponse* response) override;
  grpc::ServerUnaryReactor* GetTile(grpc::CallbackServerContext* context,
                                    const v1::GetTileRequest* request,
                                    v1::GetTileResponse* response) override;
  grpc::ServerWriteReactor<v1::ExportResponse>* Export(grpc::CallbackServerContext* context,
                                                       const v1::ExportRequest* request) override;

 private:
  // Checkpoints, tiles and proofs are read in every mode.
  template <typename Request, typename Response, typename Read>
  grpc::ServerUnaryReactor* Show(grpc::CallbackServerContext* context, const Request* request,
                                 Response* response, Read read);

  const Parts parts_;
};

}  // namespace schakel::rpc
