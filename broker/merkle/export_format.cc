#include "broker/merkle/export_format.h"

#include "broker/base/limits.h"
#include "broker/merkle/checkpoint.h"

namespace schakel::merkle {
namespace {

static_assert(limits::kExportFrameBytesMax < 1u << 24, "a frame's first byte is zero");

constexpr size_t kHeadBytes = 1 + 32;    // kind, entry
constexpr size_t kOpenedBytes = 16 + 4;  // salt, length

Error Malformed(std::string message) {
  return InvalidArgument("EXPORT_MALFORMED", "export", std::move(message));
}

void AppendU32(Bytes& out, size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

// The frame without its length. nullopt when it is not exactly what its kind asks for.
std::optional<ExportFrame> ParseFrame(BytesView raw) {
  ByteReader in(raw);
  ExportFrame frame;
  const auto kind = in.U8();
  const auto entry = in.Raw(32);
  if (!entry || *kind > static_cast<uint8_t>(FrameKind::kDetail)) return std::nullopt;
  frame.kind = static_cast<FrameKind>(*kind);
  frame.entry = *Digest::From(*entry);
  if (frame.kind >= FrameKind::kRecord) {
    const auto salt = in.Raw(16);
    const auto record = in.Lp();
    if (!record) return std::nullopt;
    frame.salt = *RecordSalt::From(*salt);
    frame.record = *record;
  }
  if (frame.kind == FrameKind::kDetail) {
    const auto salt = in.Raw(16);
    const auto detail = in.Lp();
    if (!detail) return std::nullopt;
    frame.detail_salt = *DetailSalt::From(*salt);
    frame.detail = *detail;
  }
  if (!in.Done()) return std::nullopt;
  return frame;
}

}  // namespace

Status ExportWriter::Add(const ExportFrame& frame, Bytes& out) {
  if (finished_) return Malformed("the export is finished");
  const bool opened = frame.kind >= FrameKind::kRecord;
  const bool detailed = frame.kind == FrameKind::kDetail;
  if (frame.kind > FrameKind::kDetail) return Malformed("there are kinds 0, 1 and 2");
  if ((!opened && (frame.salt != RecordSalt{} || !frame.record.empty())) ||
      (!detailed && (frame.detail_salt != DetailSalt{} || !frame.detail.empty()))) {
    return Malformed("the frame holds what its kind has not");
  }
  const size_t length = kHeadBytes + (opened ? kOpenedBytes + frame.record.size() : 0) +
                        (detailed ? kOpenedBytes + frame.detail.size() : 0);
  if (length > limits::kExportFrameBytesMax) return Malformed("the frame is too long");
  AppendU32(out, length);
  out.push_back(static_cast<char>(frame.kind));
  out.append(frame.entry.view());
  if (opened) {
    out.append(frame.salt.view());
    AppendU32(out, frame.record.size());
    out.append(frame.record);
  }
  if (detailed) {
    out.append(frame.detail_salt.view());
    AppendU32(out, frame.detail.size());
    out.append(frame.detail);
  }
  ++frames_;
  return {};
}

Status ExportWriter::Finish(BytesView checkpoint, Bytes& out) {
  if (finished_) return Malformed("the export is finished");
  SCHAKEL_ASSIGN(ParsedNote note, ParseNote(checkpoint));
  if (note.signatures.size() != 1) return Malformed("the checkpoint has one signature line");
  SCHAKEL_ASSIGN(Checkpoint body, ParseCheckpointBody(note.text));
  if (body.head.size != frames_) return Malformed("the checkpoint is of another size");
  out.append(checkpoint);
  finished_ = true;
  return {};
}

void ExportReader::Append(BytesView chunk) {
  buffer_.erase(0, read_);
  read_ = 0;
  buffer_.append(chunk);
}

Error ExportReader::Fail(std::string message) {
  failed_ = Malformed("frame " + std::to_string(frames_) + ": " + message);
  return *failed_;
}

Result<std::optional<ExportFrame>> ExportReader::Next() {
  if (failed_) return *failed_;
  BytesView rest = BytesView(buffer_).substr(read_);
  if (!in_checkpoint_ && !rest.empty() && rest.front() != '\0') in_checkpoint_ = true;
  if (in_checkpoint_) {
    if (rest.size() > limits::kNoteBytesMax) return Fail("the checkpoint is too long");
    return std::optional<ExportFrame>();
  }
  if (rest.size() < 4) return std::optional<ExportFrame>();
  const size_t length = *ByteReader(rest).U32();
  if (length > limits::kExportFrameBytesMax) return Fail("the frame is too long");
  if (rest.size() - 4 < length) return std::optional<ExportFrame>();
  auto frame = ParseFrame(rest.substr(4, length));
  if (!frame) return Fail("the frame is not what its kind asks for");
  read_ += 4 + length;
  ++frames_;
  return frame;
}

Result<BytesView> ExportReader::Finish() {
  SCHAKEL_ASSIGN(auto frame, Next());
  if (frame) return Fail("frames were left unread");
  if (!in_checkpoint_) return Fail("the export stops before its checkpoint");
  return BytesView(buffer_).substr(read_);
}

}  // namespace schakel::merkle
