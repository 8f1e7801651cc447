#include "broker/merkle/export_verifier.h"

#include <utility>

namespace schakel::merkle {
namespace {

Error Wrong(std::string reason, std::string message) {
  return MakeError(ErrorCode::kDataLoss, std::move(reason), std::move(message));
}

Error Inconsistent() {
  return Wrong(
      "CHECKPOINT_INCONSISTENT",
      "the log is not the one that was seen before: an entry below the remembered size was "
      "changed or taken out");
}

}  // namespace

ExportVerifier::ExportVerifier(VerifierKey key, RecordReader read_record)
    : key_(std::move(key)), read_record_(std::move(read_record)) {}

void ExportVerifier::Remember(const TreeHead& head) {
  SCHAKEL_CHECK(frontier_.size() == 0 && !failed_, "a head is remembered before the first frame");
  remembered_ = head;
  if (head.size != 0) return;
  if (head.root == RootOfEmpty()) {
    summary_.consistent_with_remembered = true;
  } else {
    failed_ = Inconsistent();
  }
}

Status ExportVerifier::CheckFrame(const ExportFrame& frame) {
  if (frame.kind == FrameKind::kEntry) return {};
  if (EntryOf(frame.salt, frame.record) != frame.entry) {
    return Wrong("COMMITMENT_MISMATCH", "the record is not the one that was logged");
  }
  auto commitment = read_record_(frame.record);
  if (!commitment.ok()) return Wrong("RECORD_MALFORMED", commitment.error().message);
  ++summary_.records;
  if (frame.kind == FrameKind::kRecord) return {};
  if (*commitment != DetailCommitment(frame.detail_salt, frame.detail)) {
    return Wrong("COMMITMENT_MISMATCH", "the detail is not the one that the record commits to");
  }
  ++summary_.details;
  return {};
}

Error ExportVerifier::FailFrame(Error error) {
  const uint64_t index = frontier_.size();
  first_wrong_index_ = index;
  error.message = "index " + std::to_string(index) + ": " + error.message;
  failed_ = std::move(error);
  return *failed_;
}

Status ExportVerifier::Feed(const ExportFrame& frame) {
  if (failed_) return *failed_;
  if (auto checked = CheckFrame(frame); !checked.ok()) return FailFrame(checked.error());
  frontier_.Append(frame.entry);
  if (remembered_ && remembered_->size == frontier_.size()) {
    if (frontier_.Root() != remembered_->root) {
      failed_ = Inconsistent();
      return *failed_;
    }
    summary_.consistent_with_remembered = true;
    suspect_begin_ = remembered_->size;
  }
  return {};
}

Result<ExportSummary> ExportVerifier::Finish(BytesView checkpoint) {
  if (failed_) return *failed_;
  auto opened = OpenSoleCheckpoint(checkpoint, key_);
  if (!opened.ok()) {
    failed_ = opened.error();
  } else if (opened->head.size != frontier_.size()) {
    failed_ =
        Wrong("TREE_MISMATCH", "the export has " + std::to_string(frontier_.size()) +
                                   " entries, its checkpoint " + std::to_string(opened->head.size));
  } else if (opened->head.root != frontier_.Root()) {
    failed_ = Wrong("TREE_MISMATCH", "the entries from index " + std::to_string(suspect_begin_) +
                                         " on are not those that the checkpoint signs");
  } else if (remembered_ && !summary_.consistent_with_remembered) {
    failed_ = Inconsistent();
  }
  if (failed_) return *failed_;
  summary_.checkpoint = *std::move(opened);
  summary_.entries = frontier_.size();
  return summary_;
}

}  // namespace schakel::merkle
