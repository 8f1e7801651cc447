// The calls with which a log is read, the broker's or a custodian's. Both logs have one format, so
// everything above this is the same for both.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "broker/base/result.h"
#include "clients/sdk/connection.h"
#include "schakel/v1/audit.pb.h"

namespace schakel::sdk {

// Not thread-safe. Errors are those of the server, and of the connection.
class LogApi {
 public:
  virtual ~LogApi() = default;

  virtual Result<v1::GetCheckpointResponse> Checkpoint() = 0;
  virtual Result<v1::GetInclusionProofResponse> InclusionProof(
      const v1::GetInclusionProofRequest& request) = 0;
  virtual Result<v1::GetConsistencyProofResponse> ConsistencyProof(
      const v1::GetConsistencyProofRequest& request) = 0;
  virtual Result<v1::GetTileResponse> Tile(const v1::GetTileRequest& request) = 0;
  virtual Result<v1::QueryRecordsResponse> Query(const v1::QueryRecordsRequest& request) = 0;
  virtual Result<v1::SubjectReportResponse> SubjectReport(
      const v1::SubjectReportRequest& request) = 0;
  virtual Result<v1::GetStateAtResponse> StateAt(const v1::GetStateAtRequest& request) = 0;
  // Calls `each` with every piece until it fails or the export ends; gives the first failure.
  virtual Status Export(const v1::ExportRequest& request,
                        const std::function<Status(const v1::ExportResponse&)>& each) = 0;

  const Connection& connection() const { return *connection_; }

 protected:
  explicit LogApi(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  const std::shared_ptr<Connection> connection_;
};

// The broker's log (AuditService).
std::unique_ptr<LogApi> BrokerLog(std::shared_ptr<Connection> connection);
// A custodian's own log (CustodianService). It knows no subjects and has no past but its records:
// SubjectReport and StateAt are refused as FIELD_INVALID, and a query for what it can't know by the
// custodian itself.
std::unique_ptr<LogApi> CustodianLog(std::shared_ptr<Connection> connection);

}  // namespace schakel::sdk
