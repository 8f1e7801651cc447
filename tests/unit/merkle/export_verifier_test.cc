#include "broker/merkle/export_verifier.h"

#include <gtest/gtest.h>

#include "tests/unit/merkle/export_support.h"

namespace schakel::merkle {
namespace {

ExportVerifier NewVerifier() { return ExportVerifier(ExportKey(), ReadTestRecord); }

Result<ExportSummary> Verify(BytesView bytes) {
  ExportVerifier verifier = NewVerifier();
  return VerifyExport(bytes, verifier);
}

// The frames of `made` in the order of `indexes`, then its checkpoint.
Bytes Rearranged(const TestExport& made, const std::vector<size_t>& indexes) {
  Bytes bytes;
  for (size_t i : indexes) {
    bytes += made.bytes.substr(made.frame_begin[i], made.frame_begin[i + 1] - made.frame_begin[i]);
  }
  return bytes + made.checkpoint;
}

TEST(ExportVerifier, ProvesAnExportAndSaysWhatItProved) {
  const TestExport made = MakeExport(300);
  auto summary = Verify(made.bytes);
  ASSERT_TRUE(summary.ok()) << summary.error().message;
  EXPECT_EQ(summary->checkpoint, (Checkpoint{kExportOrigin, made.heads.back()}));
  EXPECT_EQ(summary->entries, 300u);
  EXPECT_EQ(summary->records, 270u);
  EXPECT_EQ(summary->details, 90u);
  EXPECT_FALSE(summary->consistent_with_remembered);
}

TEST(ExportVerifier, ProvesTheEmptyLog) {
  const TestExport made = MakeExport(0);
  auto summary = Verify(made.bytes);
  ASSERT_TRUE(summary.ok()) << summary.error().message;
  EXPECT_EQ(summary->entries, 0u);
}

TEST(ExportVerifier, NoticesEveryCut) {
  const TestExport made = MakeExport(40);
  for (size_t length = 0; length < made.bytes.size(); ++length) {
    ASSERT_FALSE(Verify(BytesView(made.bytes).substr(0, length)).ok()) << length;
  }
  EXPECT_FALSE(Verify(made.bytes + "\n").ok());
  EXPECT_FALSE(Verify(made.bytes + made.checkpoint).ok());
}

TEST(ExportVerifier, NoticesFramesLeftOutRepeatedOrExchanged) {
  const TestExport made = MakeExport(30);
  std::vector<size_t> all;
  for (size_t i = 0; i < 30; ++i) all.push_back(i);
  ASSERT_TRUE(Verify(Rearranged(made, all)).ok());
  for (size_t i = 0; i < 30; ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    auto without = all;
    without.erase(without.begin() + at);
    EXPECT_EQ(Verify(Rearranged(made, without)).error().reason, "TREE_MISMATCH");
    auto twice = all;
    twice.insert(twice.begin() + at, i);
    EXPECT_EQ(Verify(Rearranged(made, twice)).error().reason, "TREE_MISMATCH");
    auto replaced = all;
    replaced[i] = (i + 7) % 30;
    EXPECT_EQ(Verify(Rearranged(made, replaced)).error().reason, "TREE_MISMATCH");
    for (size_t j = i + 1; j < 30; ++j) {
      auto exchanged = all;
      std::swap(exchanged[i], exchanged[j]);
      EXPECT_EQ(Verify(Rearranged(made, exchanged)).error().reason, "TREE_MISMATCH");
    }
  }
}

TEST(ExportVerifier, NamesTheFirstWrongIndex) {
  const TestExport made = MakeExport(30);
  for (size_t wrong : {1u, 8u, 17u, 29u}) {
    Bytes changed = made.bytes;
    const size_t last = made.frame_begin[wrong + 1] - 1;  // of the record's or the detail's bytes
    changed[last] = static_cast<char>(changed[last] ^ 1);
    const size_t later = made.frame_begin[30] - 1;
    if (wrong != 29) changed[later] = static_cast<char>(changed[later] ^ 1);
    ExportVerifier verifier = NewVerifier();
    auto result = VerifyExport(changed, verifier);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().reason, "COMMITMENT_MISMATCH");
    EXPECT_EQ(verifier.first_wrong_index(), wrong);
    EXPECT_TRUE(result.error().message.starts_with("index " + std::to_string(wrong) + ":"));
    // The failure stays.
    EXPECT_EQ(verifier.Feed({}).error(), result.error());
    EXPECT_EQ(verifier.Finish(made.checkpoint).error(), result.error());
  }
}

TEST(ExportVerifier, RefusesARecordThatItsReaderRefuses) {
  ExportFrame frame;
  frame.kind = FrameKind::kRecord;
  frame.record = "-lower case";
  frame.entry = EntryOf(frame.salt, frame.record);
  ExportVerifier verifier = NewVerifier();
  EXPECT_EQ(verifier.Feed(frame).error().reason, "RECORD_MALFORMED");
  EXPECT_EQ(verifier.first_wrong_index(), 0u);
}

TEST(ExportVerifier, RefusesADetailThatItsRecordDoesNotCommitTo) {
  ExportFrame frame;
  frame.kind = FrameKind::kDetail;
  frame.record = "-RECORD";
  frame.entry = EntryOf(frame.salt, frame.record);
  frame.detail = "DETAIL";
  ExportVerifier verifier = NewVerifier();
  EXPECT_EQ(verifier.Feed(frame).error().reason, "COMMITMENT_MISMATCH");
}

TEST(ExportVerifier, TakesOnlyItsOwnLogsCheckpoint) {
  const TestExport made = MakeExport(5);
  const size_t frames_end = made.frame_begin.back();
  const BytesView frames = BytesView(made.bytes).substr(0, frames_end);
  const TreeHead head = made.heads.back();
  auto with = [&](const Checkpoint& checkpoint, char key) {
    return Verify(Bytes(frames) + SignCheckpoint(checkpoint, TestKey(key)).value());
  };
  EXPECT_TRUE(with({kExportOrigin, head}, 'x').ok());
  EXPECT_EQ(with({kExportOrigin, head}, 'y').error().reason, "SIGNATURE_MISSING");
  EXPECT_EQ(with({"other.example/1", head}, 'x').error().reason, "SIGNATURE_MISSING");
  EXPECT_EQ(with({kExportOrigin, {4, head.root}}, 'x').error().reason, "TREE_MISMATCH");
  EXPECT_EQ(with({kExportOrigin, {6, head.root}}, 'x').error().reason, "TREE_MISMATCH");
  EXPECT_EQ(with({kExportOrigin, {5, made.heads[4].root}}, 'x').error().reason, "TREE_MISMATCH");
  EXPECT_EQ(Verify(made.bytes + "\xe2\x80\x94 witness AAAAAAA=\n").error().reason,
            "CHECKPOINT_MALFORMED");
}

TEST(ExportVerifier, PassesThroughTheRememberedHead) {
  const TestExport made = MakeExport(50);
  for (size_t size = 0; size <= 50; ++size) {
    ExportVerifier verifier = NewVerifier();
    verifier.Remember(made.heads[size]);
    auto summary = VerifyExport(made.bytes, verifier);
    ASSERT_TRUE(summary.ok()) << size;
    EXPECT_TRUE(summary->consistent_with_remembered);
    EXPECT_EQ(verifier.suspect_begin(), size);
    ExportVerifier other = NewVerifier();
    other.Remember({size, crypto::Sha256("another root")});
    EXPECT_EQ(VerifyExport(made.bytes, other).error().reason, "CHECKPOINT_INCONSISTENT") << size;
  }
  ExportVerifier larger = NewVerifier();
  larger.Remember({51, made.heads[50].root});
  EXPECT_EQ(VerifyExport(made.bytes, larger).error().reason, "CHECKPOINT_INCONSISTENT");
}

}  // namespace
}  // namespace schakel::merkle
