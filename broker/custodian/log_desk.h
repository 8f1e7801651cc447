// What members read of the custodian's log: checkpoints, proofs and tiles in every mode; records
// within their scope, each such look a record itself. Nothing of gRPC.
#pragma once

#include <functional>

#include "broker/audit/exporter.h"
#include "broker/audit/log_reader.h"
#include "broker/audit/page_token.h"
#include "broker/custodian/custodian_log.h"
#include "broker/custodian/log_query.h"
#include "broker/store/state_store.h"
#include "schakel/v1/custodian.pb.h"

namespace schakel::custodian {

// FAILED_PRECONDITION RESTORED.
Error Restored();

// Thread-safe.
class LogDesk {
 public:
  // All must outlive it. `log` is null in mode RESTORED: then only what every mode shows is shown.
  LogDesk(const store::StateStore* store, CustodianLog* log, const Clock* clock)
      : store_(store), log_(log), clock_(clock), tokens_(audit::PageTokens::Fresh()) {}

  // Errors of these: audit/log_reader.h.
  Status Checkpoint(v1::GetLogCheckpointResponse* response) const;
  Status InclusionProof(const v1::GetLogInclusionProofRequest& request,
                        v1::GetLogInclusionProofResponse* response) const;
  Status ConsistencyProof(const v1::GetLogConsistencyProofRequest& request,
                          v1::GetLogConsistencyProofResponse* response) const;
  Status Tile(const v1::GetLogTileRequest& request, v1::GetLogTileResponse* response) const;

  // These two wait for the disk: the look is written down first. `all`: whether the reader is an
  // auditor. Errors: RESTORED, those of log_query.h, NOT_SERVING when it could not be written.
  Status Query(const Requester& requester, bool all, const v1::QueryLogRequest& request,
               v1::QueryLogResponse* response) const;
  Result<audit::Exporter> Export(const Requester& requester, bool all,
                                 const v1::ExportLogRequest& request) const;
  // The next piece of an export. REQUIRES: !exporter.done()
  Result<v1::ExportLogResponse> NextPiece(audit::Exporter& exporter) const;

 private:
  Result<v1::LogReceipt> WriteDown(const Requester& requester, const LogScope& scope,
                                   const char* rpc, const std::string& ground,
                                   const std::string& reference) const;

  const store::StateStore* const store_;
  CustodianLog* const log_;
  const Clock* const clock_;
  const audit::PageTokens tokens_;
};

}  // namespace schakel::custodian
