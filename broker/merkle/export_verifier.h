// Proves an export: every opened record is the one that was logged, and all entries together are
// the tree that the log signed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/merkle/checkpoint.h"
#include "broker/merkle/export_format.h"
#include "broker/merkle/tree.h"

namespace schakel::merkle {

// What was proved.
struct ExportSummary {
  Checkpoint checkpoint;
  uint64_t entries = 0;  // = checkpoint.head.size
  uint64_t records = 0;  // opened: their content is what was logged
  uint64_t details = 0;  // of those, with the detail opened as well
  // The export continues the head given to Remember(); false when none was given.
  bool consistent_with_remembered = false;
};

// Feed it the frames in order of index, then the checkpoint. Allocates nothing per frame: a million
// records a second and core is the aim. Not thread-safe.
class ExportVerifier {
 public:
  // Reads a record's bytes and gives its detail commitment, nullopt when the record has none.
  // It must also encode what it parsed again and fail unless the bytes are equal: a record's bytes
  // may hold nothing that its reader does not see.
  using RecordReader = std::function<Result<std::optional<Digest>>(BytesView record)>;

  ExportVerifier(VerifierKey key, RecordReader read_record);

  // A head that the auditor kept from an earlier look: the export must pass through it.
  // REQUIRES: no frame was fed yet
  void Remember(const TreeHead& head);

  // Checks the frame of the next index. Errors: COMMITMENT_MISMATCH, RECORD_MALFORMED (with the
  // reader's message), CHECKPOINT_INCONSISTENT when the tree is not the remembered one. They stay:
  // after one of them every call fails with it.
  Status Feed(const ExportFrame& frame);

  // Compares with the checkpoint. Errors as OpenSoleCheckpoint; TREE_MISMATCH when its size or root
  // is not that of the entries; CHECKPOINT_INCONSISTENT when the remembered head is larger.
  Result<ExportSummary> Finish(BytesView checkpoint);

  // The index of the first frame that is wrong by itself. nullopt while none is; also after
  // TREE_MISMATCH and CHECKPOINT_INCONSISTENT, which only say that some entry below is wrong:
  // one of [suspect_begin(), frames fed).
  std::optional<uint64_t> first_wrong_index() const { return first_wrong_index_; }
  // Entries below this index are those of the remembered head.
  uint64_t suspect_begin() const { return suspect_begin_; }

 private:
  Error FailFrame(Error error);
  Status CheckFrame(const ExportFrame& frame);

  VerifierKey key_;
  RecordReader read_record_;
  std::optional<TreeHead> remembered_;
  Frontier frontier_;
  ExportSummary summary_;
  std::optional<Error> failed_;
  std::optional<uint64_t> first_wrong_index_;
  uint64_t suspect_begin_ = 0;
};

}  // namespace schakel::merkle
