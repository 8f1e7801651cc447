// The whole log as frames, piece by piece: what is in scope opened, the rest as commitments, so
// that every reader verifies the same root. SOURCE: proto/ENVELOPE.md, Log;
// broker/merkle/export_format.h
#pragma once

#include <cstdint>
#include <functional>

#include "broker/audit/log_reader.h"
#include "broker/base/result.h"
#include "broker/merkle/export_format.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/audit.pb.h"
#include "schakel/v1/record.pb.h"

namespace schakel::audit {

// How much of what is in scope.
enum class ExportDepth {
  kEntries,  // commitments only: what a mirror needs
  kRecords,
  kDetails,
};

// Whether a reader may open a record.
using Covers = std::function<bool(const v1::Record&)>;

// Pulled by whoever writes the stream, so that a slow reader holds nothing but this object: each
// piece may be read from another, newer snapshot. Not thread-safe.
class Exporter {
 public:
  // An export up to the last checkpoint of `state`. Errors as LastCheckpoint.
  static Result<Exporter> Open(const store::StateReader& state, Covers covers, ExportDepth depth);

  // The next piece: whole frames, at most limits::kExportPieceBytesMax; the last one has the
  // checkpoint. REQUIRES: !done(), and a state as new as Open's. A record that was destroyed
  // meanwhile is a commitment from then on. After an Error the object gives the same piece again.
  Result<v1::ExportResponse> Next(const store::StateReader& state);

  bool done() const { return done_; }
  // The index of the first frame of the next piece.
  uint64_t next_index() const { return writer_.frames(); }
  uint64_t size() const { return head_.checkpoint.head.size; }

 private:
  Exporter(SignedHead head, Covers covers, ExportDepth depth)
      : head_(std::move(head)), covers_(std::move(covers)), depth_(depth) {}

  SignedHead head_;
  Covers covers_;
  ExportDepth depth_;
  merkle::ExportWriter writer_;
  bool done_ = false;
};

}  // namespace schakel::audit
