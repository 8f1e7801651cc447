#include "broker/rpc/audit_service.h"

#include "broker/query/log.h"
#include "broker/query/records.h"
#include "broker/query/state_at.h"
#include "broker/query/subject_report.h"
#include "broker/rpc/checks.h"
#include "broker/rpc/export_stream.h"

namespace schakel::rpc {

template <typename Request, typename Response, typename Read>
grpc::ServerUnaryReactor* AuditService::Show(grpc::CallbackServerContext* context,
                                             const Request* request, Response* response,
                                             Read read) {
  return parts_.guard->Unary(
      context, request, [=, this](const transport::Caller&, const transport::UnaryAnswer& answer) {
        if (Status may = parts_.MayProve(); !may.ok()) return answer.Finish(may);
        auto snapshot = parts_.store->TakeSnapshot();
        Result<Response> value = read(*snapshot, *request);
        if (!value.ok()) return answer.Finish(value.error());
        *response = *std::move(value);
        answer.Finish({});
      });
}

grpc::ServerUnaryReactor* AuditService::GetCheckpoint(grpc::CallbackServerContext* context,
                                                      const v1::GetCheckpointRequest* request,
                                                      v1::GetCheckpointResponse* response) {
  return Show(context, request, response,
              [](const store::StateReader& state, const v1::GetCheckpointRequest&) {
                return query::GetCheckpoint(state);
              });
}

grpc::ServerUnaryReactor* AuditService::GetInclusionProof(
    grpc::CallbackServerContext* context, const v1::GetInclusionProofRequest* request,
    v1::GetInclusionProofResponse* response) {
  return Show(context, request, response,
              [](const store::StateReader& state, const v1::GetInclusionProofRequest& r) {
                return query::GetInclusionProof(state, r);
              });
}

grpc::ServerUnaryReactor* AuditService::GetConsistencyProof(
    grpc::CallbackServerContext* context, const v1::GetConsistencyProofRequest* request,
    v1::GetConsistencyProofResponse* response) {
  return Show(context, request, response,
              [](const store::StateReader& state, const v1::GetConsistencyProofRequest& r) {
                return query::GetConsistencyProof(state, r);
              });
}

grpc::ServerUnaryReactor* AuditService::GetTile(grpc::CallbackServerContext* context,
                                                const v1::GetTileRequest* request,
                                                v1::GetTileResponse* response) {
  return Show(context, request, response,
              [](const store::StateReader& state, const v1::GetTileRequest& r) {
                return query::GetTile(state, r);
              });
}

grpc::ServerUnaryReactor* AuditService::QueryRecords(grpc::CallbackServerContext* context,
                                                     const v1::QueryRecordsRequest* request,
                                                     v1::QueryRecordsResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        Status shape = query::CheckQueryRecords(*parts_.tokens, caller.organisation, *request);
        if (!shape.ok()) return answer.Finish(shape);
        machine::RecordQuery look;
        look.rpc = "QueryRecords";
        if (request->filter().has_subject()) look.subject = request->filter().subject();
        look.subject_field = "filter.subject";
        look.ground = request->ground();
        look.reference = request->reference();
        look.question = request->SerializeAsString();
        SubmitFor<machine::QueryGrant>(
            parts_, std::move(look), caller, answer,
            [=, this](uint64_t, const machine::QueryGrant& grant) {
              Answer(parts_, answer, response, [&](const store::StateReader& state) {
                return query::QueryRecords(state, *parts_.tokens, caller.organisation, grant,
                                           *request);
              });
            });
      });
}

grpc::ServerUnaryReactor* AuditService::SubjectReport(grpc::CallbackServerContext* context,
                                                      const v1::SubjectReportRequest* request,
                                                      v1::SubjectReportResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        Status shape = query::CheckSubjectReport(*parts_.tokens, caller.organisation, *request);
        if (!shape.ok()) return answer.Finish(shape);
        machine::RecordQuery look;
        look.rpc = "SubjectReport";
        look.subject = request->subject();
        look.ground = request->ground();
        look.reference = request->reference();
        look.question = request->SerializeAsString();
        SubmitFor<machine::QueryGrant>(
            parts_, std::move(look), caller, answer,
            [=, this](uint64_t, const machine::QueryGrant& grant) {
              Answer(parts_, answer, response, [&](const store::StateReader& state) {
                return query::SubjectReport(state, *parts_.bundles, *parts_.tokens,
                                            caller.organisation, grant, *request);
              });
            });
      });
}

grpc::ServerUnaryReactor* AuditService::GetStateAt(grpc::CallbackServerContext* context,
                                                   const v1::GetStateAtRequest* request,
                                                   v1::GetStateAtResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        Status shape = query::CheckStateAt(*parts_.tokens, caller.organisation, *request);
        if (!shape.ok()) return answer.Finish(shape);
        machine::RecordQuery look;
        look.rpc = "GetStateAt";
        if (request->has_subject()) look.subject = request->subject();
        look.ground = request->ground();
        look.reference = request->reference();
        look.question = request->SerializeAsString();
        look.words = query::WordsOf(*request);
        look.moment = query::MomentAsked(*request);
        SubmitFor<machine::QueryGrant>(
            parts_, std::move(look), caller, answer,
            [=, this](uint64_t, const machine::QueryGrant& grant) {
              Answer(parts_, answer, response, [&](const store::StateReader& state) {
                return query::StateAt(state, *parts_.bundles, *parts_.tokens, caller.organisation,
                                      grant, *request);
              });
            });
      });
}

grpc::ServerWriteReactor<v1::ExportResponse>* AuditService::Export(
    grpc::CallbackServerContext* context, const v1::ExportRequest* request) {
  return parts_.guard->ServerStream<v1::ExportResponse>(
      context, request, [=, this](transport::StreamPass pass) {
        return ExportStream::Start(context, std::move(pass), parts_, *request);
      });
}

}  // namespace schakel::rpc
