// Verifying an exported log, without the broker: every opened record is what was logged, all
// entries together are the tree that the log signed, and that tree continues what was seen before.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "broker/base/result.h"
#include "broker/merkle/export_verifier.h"
#include "clients/sdk/audit_client.h"

namespace schakel::sdk {

struct VerificationReport {
  bool verified = false;
  merkle::ExportSummary summary;  // complete only when verified
  uint64_t frames_read = 0;
  // When not verified: the first frame that is wrong by itself, if one is; otherwise the fault is
  // somewhere in [suspect_begin, frames_read).
  std::optional<uint64_t> first_wrong_index;
  uint64_t suspect_begin = 0;
  std::optional<Error> fault;  // why not
  bool first_look = true;      // there was no earlier checkpoint to compare with
  bool older = false;          // it ends before the earlier checkpoint: nothing can be said
  std::string note;            // the checkpoint as it stands in the export
  // One plain sentence on what is proved and what is not.
  std::string sentence_nl;
  std::string sentence_en;
};

// Reads a record's bytes: parses, encodes again, demands equal bytes, gives its detail commitment.
// RECORD_MALFORMED otherwise.
Result<std::optional<Digest>> ReadRecord(BytesView record);

// An Error only when the file can't be read; a log that does not verify is a report.
Result<VerificationReport> VerifyExport(const std::filesystem::path& file,
                                        const merkle::VerifierKey& key,
                                        const std::optional<merkle::TreeHead>& remembered,
                                        const Progress& progress = {});

// The same against what `memory` remembers, which then remembers a verified export's checkpoint.
Result<VerificationReport> VerifyExport(const std::filesystem::path& file, CheckpointMemory& memory,
                                        const Progress& progress = {});

}  // namespace schakel::sdk
