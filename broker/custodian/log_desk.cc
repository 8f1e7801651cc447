#include "broker/custodian/log_desk.h"

namespace schakel::custodian {
namespace {

// The custodian's messages have the fields of the broker's, under the same numbers (a test holds
// them against each other), since both logs have one format and one verifier.
template <typename To>
To Same(const google::protobuf::MessageLite& from) {
  To to;
  SCHAKEL_CHECK(to.ParseFromString(from.SerializeAsString()), "messages of one shape");
  return to;
}

template <typename Answer, typename Response>
Status Take(const Result<Answer>& answer, Response* response) {
  if (!answer.ok()) return answer.error();
  *response = Same<Response>(*answer);
  return {};
}

}  // namespace

Error Restored() {
  return MakeError(ErrorCode::kFailedPrecondition, "RESTORED",
                   "the store was restored from a copy: only checkpoints, tiles and proofs may be "
                   "read until the operator ran schakel-custodian recover");
}

Status LogDesk::Checkpoint(v1::GetLogCheckpointResponse* response) const {
  return Take(audit::GetCheckpoint(*store_->TakeSnapshot()), response);
}

Status LogDesk::InclusionProof(const v1::GetLogInclusionProofRequest& request,
                               v1::GetLogInclusionProofResponse* response) const {
  return Take(audit::GetInclusionProof(*store_->TakeSnapshot(),
                                       Same<v1::GetInclusionProofRequest>(request)),
              response);
}

Status LogDesk::ConsistencyProof(const v1::GetLogConsistencyProofRequest& request,
                                 v1::GetLogConsistencyProofResponse* response) const {
  return Take(audit::GetConsistencyProof(*store_->TakeSnapshot(),
                                         Same<v1::GetConsistencyProofRequest>(request)),
              response);
}

Status LogDesk::Tile(const v1::GetLogTileRequest& request, v1::GetLogTileResponse* response) const {
  return Take(audit::GetTile(*store_->TakeSnapshot(), Same<v1::GetTileRequest>(request)), response);
}

Result<v1::LogReceipt> LogDesk::WriteDown(const Requester& requester, const LogScope& scope,
                                          const char* rpc, const std::string& ground,
                                          const std::string& reference) const {
  v1::Record record = RecordAbout(v1::RECORD_KIND_QUERY, requester);
  record.mutable_facts()->set_rpc(rpc);
  record.mutable_facts()->set_scope(scope.name());
  std::string why = ground;
  if (!reference.empty()) why += (why.empty() ? "" : "; ") + reference;
  record.mutable_facts()->set_reference(why);
  auto receipt = log_->Append({}, std::move(record), clock_->Wall());
  if (receipt.ok()) return receipt;
  return MakeError(ErrorCode::kUnavailable, "NOT_SERVING",
                   "the custodian can't write to its log; it must be restarted");
}

Status LogDesk::Query(const Requester& requester, bool all, const v1::QueryLogRequest& request,
                      v1::QueryLogResponse* response) const {
  if (log_ == nullptr) return Restored();
  SCHAKEL_TRY(CheckQuery(tokens_, requester.organisation, request));
  LogScope scope{all, requester.organisation};
  SCHAKEL_ASSIGN(const auto receipt,
                 WriteDown(requester, scope, "QueryLog", request.ground(), request.reference()));
  scope.tree_size = receipt.index();
  SCHAKEL_ASSIGN(*response, QueryLog(*store_->TakeSnapshot(), tokens_, scope, receipt, request));
  return {};
}

Result<audit::Exporter> LogDesk::Export(const Requester& requester, bool all,
                                        const v1::ExportLogRequest& request) const {
  if (log_ == nullptr) return Restored();
  SCHAKEL_TRY(CheckExport(request));
  LogScope scope{all, requester.organisation};
  SCHAKEL_ASSIGN(const auto receipt,
                 WriteDown(requester, scope, "ExportLog", request.ground(), request.reference()));
  scope.tree_size = receipt.index();
  return audit::Exporter::Open(
      *store_->TakeSnapshot(), [scope](const v1::Record& record) { return scope.Covers(record); },
      request.entries_only() ? audit::ExportDepth::kEntries : audit::ExportDepth::kRecords);
}

Result<v1::ExportLogResponse> LogDesk::NextPiece(audit::Exporter& exporter) const {
  SCHAKEL_ASSIGN(const auto piece, exporter.Next(*store_->TakeSnapshot()));
  return Same<v1::ExportLogResponse>(piece);
}

}  // namespace schakel::custodian
