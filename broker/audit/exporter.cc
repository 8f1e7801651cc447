#include "broker/audit/exporter.h"

#include <optional>

#include "broker/audit/keys.h"
#include "broker/base/limits.h"
#include "schakel/state/v1/state.pb.h"

namespace schakel::audit {

namespace {

Error Damaged(const std::string& what) {
  return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", what);
}

size_t FrameBytes(const merkle::ExportFrame& frame) {
  size_t bytes = 4 + 1 + 32;
  if (frame.kind != merkle::FrameKind::kEntry) bytes += 16 + 4 + frame.record.size();
  if (frame.kind == merkle::FrameKind::kDetail) bytes += 16 + 4 + frame.detail.size();
  return bytes;
}

// The frame of a record, opened as far as scope and depth allow. Views point into `stored`.
Result<merkle::ExportFrame> FrameOf(const state::v1::StoredRecord& stored, const Covers& covers,
                                    ExportDepth depth) {
  merkle::ExportFrame frame;
  auto entry = Digest::From(stored.entry());
  if (!entry) return Damaged("a record has no entry");
  frame.entry = *entry;
  if (depth == ExportDepth::kEntries || stored.destroyed_us() != 0) return frame;
  v1::Record record;
  auto salt = merkle::RecordSalt::From(stored.salt());
  if (!salt || !record.ParseFromString(stored.record())) {
    return Damaged("a stored value is no Record");
  }
  if (!covers(record)) return frame;
  frame.kind = merkle::FrameKind::kRecord;
  frame.salt = *salt;
  frame.record = stored.record();
  auto detail_salt = merkle::DetailSalt::From(stored.detail_salt());
  if (depth == ExportDepth::kRecords || !detail_salt) return frame;
  merkle::ExportFrame with_detail = frame;
  with_detail.kind = merkle::FrameKind::kDetail;
  with_detail.detail_salt = *detail_salt;
  with_detail.detail = stored.detail();
  // A frame of its own for every record, whatever somebody put into a detail: the largest ones are
  // read by QueryRecords.
  return FrameBytes(with_detail) <= limits::kExportPieceBytesMax ? with_detail : frame;
}

}  // namespace

Result<Exporter> Exporter::Open(const store::StateReader& state, Covers covers, ExportDepth depth) {
  SCHAKEL_ASSIGN(auto head, LastCheckpoint(state));
  return Exporter(std::move(head), std::move(covers), depth);
}

Result<v1::ExportResponse> Exporter::Next(const store::StateReader& state) {
  SCHAKEL_CHECK(!done_, "an export ends with its checkpoint");
  merkle::ExportWriter writer = writer_;  // becomes the object's when the piece is whole
  v1::ExportResponse piece;
  Bytes& out = *piece.mutable_frames();
  Status failed;
  auto add = [&](BytesView key, BytesView value) -> Result<bool> {
    if (keys::TrailingU64(key) != writer.frames()) return Damaged("a record is missing");
    state::v1::StoredRecord stored;
    if (!stored.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      return Damaged("a stored value is no StoredRecord");
    }
    SCHAKEL_ASSIGN(auto frame, FrameOf(stored, covers_, depth_));
    if (!out.empty() && out.size() + FrameBytes(frame) > limits::kExportPieceBytesMax) {
      return false;
    }
    SCHAKEL_TRY(writer.Add(frame, out));
    return true;
  };
  bool full = false;
  if (writer.frames() < size()) {
    SCHAKEL_TRY(state.Scan(store::Family::kRecords, keys::Record(writer.frames()),
                           keys::Record(size()), [&](BytesView key, BytesView value) {
                             auto added = add(key, value);
                             if (!added.ok()) failed = added.error();
                             full = added.ok() && !*added;
                             return added.ok() && *added;
                           }));
    SCHAKEL_TRY(std::move(failed));
  }
  if (!full) {
    if (writer.frames() != size()) return Damaged("a record is missing");
    SCHAKEL_TRY(writer.Finish(head_.note, *piece.mutable_checkpoint()));
    done_ = true;
  }
  writer_ = writer;
  return piece;
}

}  // namespace schakel::audit
