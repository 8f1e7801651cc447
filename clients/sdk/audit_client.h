// The broker's log, or a custodian's own: queries, checkpoints, proofs, exports.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/merkle/checkpoint.h"
#include "broker/merkle/proof_bundle.h"
#include "clients/sdk/checkpoint_memory.h"
#include "clients/sdk/connection.h"
#include "clients/sdk/log_api.h"
#include "schakel/v1/audit.pb.h"

namespace schakel::sdk {

// A record of which it was proved that it stands in the log that the checkpoint signs.
struct ProvenRecord {
  CheckpointLook look;
  merkle::ProofBundle proof;  // verifies offline, with the entry
  Digest entry;
};

// Called with bytes or entries done, and the total where it is known (0 otherwise).
using Progress = std::function<void(uint64_t done, uint64_t total)>;

// Not thread-safe. `memory` lives as long as the object; it holds the log's key, from the context.
class AuditClient {
 public:
  // The broker's log.
  AuditClient(std::shared_ptr<Connection> connection, CheckpointMemory& memory);
  AuditClient(std::unique_ptr<LogApi> log, CheckpointMemory& memory);

  // One page. request_id is filled when empty; each call is a record.
  Result<v1::QueryRecordsResponse> Query(v1::QueryRecordsRequest request);
  // All pages; `each` ends it by returning false.
  Status QueryAll(v1::QueryRecordsRequest request,
                  const std::function<bool(const v1::QueryRecordsResponse&)>& each);
  Result<v1::SubjectReportResponse> SubjectReport(v1::SubjectReportRequest request);
  // All pages in one.
  Result<v1::SubjectReportResponse> SubjectReportAll(v1::SubjectReportRequest request);

  // What the log holds at an index as this auditor may read it, or what is left of it: when and by
  // which rule it was destroyed. nullopt for what is out of scope or not there. A look is a record.
  Result<std::optional<v1::AuditedRecord>> RecordAt(uint64_t index);
  // How it stood at a past moment. One page.
  Result<v1::GetStateAtResponse> StateAt(v1::GetStateAtRequest request);
  // Pages in one, sums of sweeps added up, until there are `rows_max` rows (0: to the end);
  // next_page_token stays set when there is more.
  Result<v1::GetStateAtResponse> StateAtAll(v1::GetStateAtRequest request, uint64_t rows_max = 0);

  // The last checkpoint, verified against the key and against what was remembered.
  Result<CheckpointLook> Checkpoint();
  // That the record of a receipt stands in the log: opens the leaf with record and salt, checks the
  // inclusion and the checkpoint. Waits for a checkpoint that covers it, within the timeout.
  Result<ProvenRecord> Prove(const v1::LogReceipt& receipt);
  // The same for an entry that is known by its index only: what is proved is that it is there, not
  // what it says.
  Result<ProvenRecord> ProveIndex(uint64_t index);

  // Streams the export into a file (0600), as it comes; nothing is verified: VerifyExport does.
  Status Export(const v1::ExportRequest& request, const std::filesystem::path& file,
                const Progress& progress = {});
  // Fetches all entries and writes the folder of C2SP tlog-tiles, after the root that they give was
  // compared with the checkpoint.
  Result<CheckpointLook> ExportTiles(const std::filesystem::path& folder,
                                     const Progress& progress = {});

 private:
  Result<ProvenRecord> ProveEntry(uint64_t index, const Digest* entry);

  std::unique_ptr<LogApi> log_;
  CheckpointMemory& memory_;
};

}  // namespace schakel::sdk
