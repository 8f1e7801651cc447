#include "broker/merkle/export_format.h"

#include <gtest/gtest.h>

#include "broker/base/limits.h"
#include "tests/unit/merkle/export_support.h"

namespace schakel::merkle {
namespace {

// What a reader gives for `text`, cut into chunks of `chunk` bytes.
struct Read {
  std::vector<FrameKind> kinds;
  std::vector<Digest> entries;
  std::string records;
  std::string details;
  Bytes checkpoint;
  bool operator==(const Read&) const = default;
};

Result<Read> ReadAll(BytesView text, size_t chunk) {
  ExportReader reader;
  Read read;
  while (!text.empty()) {
    reader.Append(text.substr(0, chunk));
    text.remove_prefix(std::min(chunk, text.size()));
    while (true) {
      SCHAKEL_ASSIGN(auto frame, reader.Next());
      if (!frame) break;
      read.kinds.push_back(frame->kind);
      read.entries.push_back(frame->entry);
      read.records += frame->record;
      read.details += frame->detail;
    }
  }
  SCHAKEL_ASSIGN(BytesView checkpoint, reader.Finish());
  read.checkpoint = checkpoint;
  return read;
}

TEST(ExportFormat, IsReadBackFromChunksOfAnySize) {
  const TestExport made = MakeExport(12);
  auto whole = ReadAll(made.bytes, made.bytes.size());
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_EQ(whole->entries, made.entries);
  EXPECT_EQ(whole->checkpoint, made.checkpoint);
  for (size_t chunk = 1; chunk < 200; ++chunk) {
    ASSERT_EQ(ReadAll(made.bytes, chunk).value(), *whole) << chunk;
  }
}

TEST(ExportFormat, IsWrittenAsItsHeaderSays) {
  ExportWriter writer;
  Bytes out;
  ExportFrame frame;
  frame.entry = DigestOf(Bytes(32, 'e'));
  ASSERT_TRUE(writer.Add(frame, out).ok());
  frame.kind = FrameKind::kRecord;
  frame.salt = *RecordSalt::From(Bytes(16, 's'));
  frame.record = "record";
  ASSERT_TRUE(writer.Add(frame, out).ok());
  frame.kind = FrameKind::kDetail;
  frame.detail_salt = *DetailSalt::From(Bytes(16, 't'));
  frame.detail = "detail!";
  ASSERT_TRUE(writer.Add(frame, out).ok());
  EXPECT_EQ(writer.frames(), 3u);
  const Bytes entry(32, 'e');
  const Bytes record = ByteWriter().Raw(Bytes(16, 's')).Lp("record").Take();
  const Bytes detail = ByteWriter().Raw(Bytes(16, 't')).Lp("detail!").Take();
  EXPECT_EQ(out, ByteWriter()
                     .Lp(ByteWriter().U8(0).Raw(entry).bytes())
                     .Lp(ByteWriter().U8(1).Raw(entry).Raw(record).bytes())
                     .Lp(ByteWriter().U8(2).Raw(entry).Raw(record).Raw(detail).bytes())
                     .Take());
}

TEST(ExportFormat, StopsNowhereButAtItsEnd) {
  // A cut inside the checkpoint is not seen here but by its signature.
  const TestExport made = MakeExport(6);
  const size_t frames_end = made.bytes.size() - made.checkpoint.size();
  for (size_t length = 0; length <= frames_end; ++length) {
    auto read = ReadAll(BytesView(made.bytes).substr(0, length), 64);
    ASSERT_FALSE(read.ok()) << length;
    EXPECT_EQ(read.error().reason, "EXPORT_MALFORMED");
  }
}

TEST(ExportFormat, RefusesFramesThatAreNotExactlyTheirKinds) {
  const Bytes head = Bytes(32, 'e');
  const Bytes opened = ByteWriter().Raw(Bytes(16, 's')).Lp("record").Take();
  for (const Bytes& frame : {
           Bytes(),
           Bytes(1, '\0'),
           '\0' + head.substr(1),
           '\0' + head + 'x',
           '\0' + head + opened,
           '\1' + head,
           '\1' + head + opened.substr(1),
           '\1' + head + opened + 'x',
           '\1' + head + opened + opened,
           '\1' + head + Bytes(16, 's') + ByteWriter().U32(UINT32_MAX).bytes(),
           '\2' + head,
           '\2' + head + opened,
           '\2' + head + opened + opened.substr(1),
           '\2' + head + opened + opened + 'x',
           '\3' + head,
           '\3' + head + opened + opened,
           '\xff' + head,
       }) {
    ExportReader reader;
    reader.Append(ByteWriter().Lp(frame).bytes());
    auto read = reader.Next();
    ASSERT_FALSE(read.ok()) << HexEncode(frame);
    EXPECT_EQ(read.error().reason, "EXPORT_MALFORMED");
    EXPECT_FALSE(reader.Next().ok());
    EXPECT_FALSE(reader.Finish().ok());
  }
}

TEST(ExportFormat, RefusesLengthsAboveTheLimitBeforeTheirBytesCome) {
  ExportReader reader;
  reader.Append(ByteWriter().U32(limits::kExportFrameBytesMax + 1).bytes());
  EXPECT_FALSE(reader.Next().ok());
}

TEST(ExportFormat, RefusesACheckpointAboveTheLimit) {
  ExportReader reader;
  reader.Append(Bytes(limits::kNoteBytesMax + 1, 'x'));
  EXPECT_FALSE(reader.Next().ok());
}

TEST(ExportFormat, LeavesNoFrameUnread) {
  const TestExport made = MakeExport(2);
  ExportReader reader;
  reader.Append(made.bytes);
  EXPECT_EQ(reader.Finish().error().reason, "EXPORT_MALFORMED");
}

TEST(ExportWriter, RefusesFramesThatHoldWhatTheirKindHasNot) {
  ExportFrame record;
  record.record = "record";
  ExportFrame salt;
  salt.salt = *RecordSalt::From(Bytes(16, 's'));
  ExportFrame detail;
  detail.kind = FrameKind::kRecord;
  detail.detail = "detail";
  ExportFrame detail_salt;
  detail_salt.kind = FrameKind::kRecord;
  detail_salt.detail_salt = *DetailSalt::From(Bytes(16, 's'));
  ExportFrame unknown;
  unknown.kind = static_cast<FrameKind>(3);
  const Bytes much(limits::kExportFrameBytesMax, 'x');
  ExportFrame large;
  large.kind = FrameKind::kRecord;
  large.record = much;
  for (const auto& frame : {record, salt, detail, detail_salt, unknown, large}) {
    ExportWriter writer;
    Bytes out;
    EXPECT_EQ(writer.Add(frame, out).error().reason, "EXPORT_MALFORMED");
    EXPECT_TRUE(out.empty());
    EXPECT_EQ(writer.frames(), 0u);
  }
}

TEST(ExportWriter, EndsWithTheCheckpointOfItsSizeOnly) {
  const auto signer = TestKey('x');
  ExportWriter writer;
  Bytes out;
  ASSERT_TRUE(writer.Add({}, out).ok());
  const std::string right = SignCheckpoint({"a", {1, Digest{}}}, signer).value();
  const std::string wrong = SignCheckpoint({"a", {2, Digest{}}}, signer).value();
  EXPECT_FALSE(writer.Finish(wrong, out).ok());
  EXPECT_FALSE(writer.Finish("no note", out).ok());
  EXPECT_FALSE(writer.Finish(right + "\xe2\x80\x94 a AAAAAAA=\n", out).ok());
  ASSERT_TRUE(writer.Finish(right, out).ok());
  EXPECT_FALSE(writer.Finish(right, out).ok());
  EXPECT_FALSE(writer.Add({}, out).ok());
}

}  // namespace
}  // namespace schakel::merkle
