#include "clients/sdk/log_api.h"

#include "schakel/v1/audit.grpc.pb.h"
#include "schakel/v1/custodian.grpc.pb.h"

namespace schakel::sdk {
namespace {

using std::chrono::system_clock;

// The custodian's messages have the fields of the broker's, under the same numbers (a test holds
// them against each other).
template <typename To>
To Same(const google::protobuf::MessageLite& from) {
  To to;
  SCHAKEL_CHECK(to.ParseFromString(from.SerializeAsString()), "messages of one shape");
  return to;
}

// All pieces of a stream. `open`: (ClientContext*) -> unique_ptr<ClientReader<Piece>>
template <typename Piece, typename Open>
Status ReadPieces(const Connection& connection, const Open& open,
                  const std::function<Status(const v1::ExportResponse&)>& each) {
  grpc::ClientContext context;
  connection.AddMetadata(context);
  // A log takes long to send; still nothing waits for ever.
  context.set_deadline(system_clock::now() + 360 * connection.options().timeout);
  const auto reader = open(&context);
  Piece piece;
  while (reader->Read(&piece)) {
    Status taken;
    if constexpr (std::is_same_v<Piece, v1::ExportResponse>) {
      taken = each(piece);
    } else {
      taken = each(Same<v1::ExportResponse>(piece));
    }
    if (!taken.ok()) {
      context.TryCancel();
      reader->Finish();
      return taken;
    }
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return connection.Translate(status);
  return {};
}

class OfBroker final : public LogApi {
 public:
  using Stub = v1::AuditService::Stub;

  explicit OfBroker(std::shared_ptr<Connection> connection)
      : LogApi(std::move(connection)), stub_(v1::AuditService::NewStub(connection_->channel())) {}

  Result<v1::GetCheckpointResponse> Checkpoint() override {
    return connection_->Call(*stub_, &Stub::GetCheckpoint, v1::GetCheckpointRequest());
  }
  Result<v1::GetInclusionProofResponse> InclusionProof(
      const v1::GetInclusionProofRequest& request) override {
    return connection_->Call(*stub_, &Stub::GetInclusionProof, request);
  }
  Result<v1::GetConsistencyProofResponse> ConsistencyProof(
      const v1::GetConsistencyProofRequest& request) override {
    return connection_->Call(*stub_, &Stub::GetConsistencyProof, request);
  }
  Result<v1::GetTileResponse> Tile(const v1::GetTileRequest& request) override {
    return connection_->Call(*stub_, &Stub::GetTile, request);
  }
  Result<v1::QueryRecordsResponse> Query(const v1::QueryRecordsRequest& request) override {
    return connection_->Call(*stub_, &Stub::QueryRecords, request);
  }
  Result<v1::SubjectReportResponse> SubjectReport(
      const v1::SubjectReportRequest& request) override {
    return connection_->Call(*stub_, &Stub::SubjectReport, request);
  }
  Result<v1::GetStateAtResponse> StateAt(const v1::GetStateAtRequest& request) override {
    return connection_->Call(*stub_, &Stub::GetStateAt, request);
  }
  Status Export(const v1::ExportRequest& request,
                const std::function<Status(const v1::ExportResponse&)>& each) override {
    return ReadPieces<v1::ExportResponse>(
        *connection_, [&](grpc::ClientContext* context) { return stub_->Export(context, request); },
        each);
  }

 private:
  const std::unique_ptr<Stub> stub_;
};

class OfCustodian final : public LogApi {
 public:
  using Stub = v1::CustodianService::Stub;

  explicit OfCustodian(std::shared_ptr<Connection> connection)
      : LogApi(std::move(connection)),
        stub_(v1::CustodianService::NewStub(connection_->channel())) {}

  Result<v1::GetCheckpointResponse> Checkpoint() override {
    return Ask<v1::GetCheckpointResponse>(&Stub::GetLogCheckpoint, v1::GetLogCheckpointRequest());
  }
  Result<v1::GetInclusionProofResponse> InclusionProof(
      const v1::GetInclusionProofRequest& request) override {
    return Ask<v1::GetInclusionProofResponse>(&Stub::GetLogInclusionProof,
                                              Same<v1::GetLogInclusionProofRequest>(request));
  }
  Result<v1::GetConsistencyProofResponse> ConsistencyProof(
      const v1::GetConsistencyProofRequest& request) override {
    return Ask<v1::GetConsistencyProofResponse>(&Stub::GetLogConsistencyProof,
                                                Same<v1::GetLogConsistencyProofRequest>(request));
  }
  Result<v1::GetTileResponse> Tile(const v1::GetTileRequest& request) override {
    return Ask<v1::GetTileResponse>(&Stub::GetLogTile, Same<v1::GetLogTileRequest>(request));
  }
  Result<v1::QueryRecordsResponse> Query(const v1::QueryRecordsRequest& request) override {
    v1::QueryRecordsRequest without = request;
    without.clear_with_details();  // a custodian's records have none
    return Ask<v1::QueryRecordsResponse>(&Stub::QueryLog, Same<v1::QueryLogRequest>(without));
  }
  Result<v1::SubjectReportResponse> SubjectReport(const v1::SubjectReportRequest&) override {
    return InvalidArgument("FIELD_INVALID", "subject",
                           "a custodian can't know for whom it evaluates: ask the broker's log");
  }
  Result<v1::GetStateAtResponse> StateAt(const v1::GetStateAtRequest&) override {
    return InvalidArgument("FIELD_INVALID", "part",
                           "a custodian keeps neither directory nor policy: ask the broker's log");
  }
  Status Export(const v1::ExportRequest& request,
                const std::function<Status(const v1::ExportResponse&)>& each) override {
    v1::ExportRequest without = request;
    without.clear_with_details();
    const auto wanted = Same<v1::ExportLogRequest>(without);
    return ReadPieces<v1::ExportLogResponse>(
        *connection_,
        [&](grpc::ClientContext* context) { return stub_->ExportLog(context, wanted); }, each);
  }

 private:
  template <typename Answer, typename Method, typename Request>
  Result<Answer> Ask(Method method, const Request& request) {
    SCHAKEL_ASSIGN(const auto answer, connection_->Call(*stub_, method, request));
    return Same<Answer>(answer);
  }

  const std::unique_ptr<Stub> stub_;
};

}  // namespace

std::unique_ptr<LogApi> BrokerLog(std::shared_ptr<Connection> connection) {
  return std::make_unique<OfBroker>(std::move(connection));
}

std::unique_ptr<LogApi> CustodianLog(std::shared_ptr<Connection> connection) {
  return std::make_unique<OfCustodian>(std::move(connection));
}

}  // namespace schakel::sdk
