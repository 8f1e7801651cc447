// The full export of a log: every entry from index 0, opened where the reader may see it, and the
// checkpoint that signs them all.
//
//   export = frame* checkpoint
//   frame  = u32 length || u8 kind || entry(32) || body         length counts from the kind on
//   body   = (nothing)                                           kind 0: out of scope, or destroyed
//          | salt(16) || lp(record)                              kind 1: record, no detail
//          | salt(16) || lp(record) || dsalt(16) || lp(detail)   kind 2: record and detail
//
// The checkpoint is a signed note with exactly one line (checkpoint.h), up to the end of the
// export. It begins with its origin, so never with a zero byte; a frame is below 2^24 bytes, so it
// always does: that byte tells the two apart. SOURCE: proto/ENVELOPE.md, Log
#pragma once

#include <cstdint>
#include <optional>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/merkle/entry.h"

namespace schakel::merkle {

enum class FrameKind : uint8_t { kEntry = 0, kRecord = 1, kDetail = 2 };

// One frame. The views belong to whoever made it; fields that its kind has not are empty.
struct ExportFrame {
  FrameKind kind = FrameKind::kEntry;
  Digest entry;
  RecordSalt salt;
  BytesView record;
  DetailSalt detail_salt;
  BytesView detail;

  bool operator==(const ExportFrame&) const = default;
};

// Writes an export piece by piece into the caller's buffer. Not thread-safe.
class ExportWriter {
 public:
  // Appends the frame of the next index to `out`. EXPORT_MALFORMED when the frame holds what its
  // kind has not or is longer than limits::kExportFrameBytesMax, and after Finish.
  Status Add(const ExportFrame& frame, Bytes& out);
  // Appends the checkpoint, a signed note. EXPORT_MALFORMED unless it has one signature line and
  // its size is the number of frames. Nothing can be added afterwards.
  Status Finish(BytesView checkpoint, Bytes& out);

  uint64_t frames() const { return frames_; }

 private:
  uint64_t frames_ = 0;
  bool finished_ = false;
};

// Reads an export from chunks of any size. Holds at most one frame and one chunk. Not thread-safe.
// Use: Append(chunk); while Next() gives a frame, use it; repeat; Finish().
class ExportReader {
 public:
  // Views of earlier frames become invalid.
  void Append(BytesView chunk);
  // The next whole frame; nullopt when it needs more bytes or when the frames are over.
  // EXPORT_MALFORMED stays: after it every call fails.
  Result<std::optional<ExportFrame>> Next();
  // At the end of the input: the checkpoint's bytes, unverified. EXPORT_MALFORMED when the input
  // stopped inside a frame or has no checkpoint.
  Result<BytesView> Finish();

  // The number of frames that Next() gave, so the index of the one to come.
  uint64_t frames() const { return frames_; }

 private:
  Error Fail(std::string message);

  Bytes buffer_;
  size_t read_ = 0;  // bytes of buffer_ that were given out already
  uint64_t frames_ = 0;
  bool in_checkpoint_ = false;
  std::optional<Error> failed_;
};

}  // namespace schakel::merkle
