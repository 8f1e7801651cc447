#include "broker/query/export.h"

#include <functional>
#include <set>

#include "broker/base/limits.h"
#include "broker/merkle/export_verifier.h"
#include "broker/query/log.h"
#include "broker/store/overlay_view.h"
#include "tests/unit/query/query_fixture.h"

namespace schakel::query {
namespace {

// Reads a record as a verifier must: nothing in its bytes that its reader does not see.
Result<std::optional<Digest>> ReadRecord(BytesView raw) {
  v1::Record record;
  if (!record.ParseFromArray(raw.data(), static_cast<int>(raw.size())) ||
      record.SerializeAsString() != raw) {
    return MakeError(ErrorCode::kDataLoss, "RECORD_MALFORMED", "no canonical record");
  }
  return Digest::From(record.detail_commitment());
}

class ExportTest : public QueryTest {
 protected:
  struct Exported {
    merkle::ExportSummary summary;
    std::set<std::string> parties;  // of the records that were opened
    int pieces = 0;
  };

  // Pulls the whole export, verifies it, and says what it held. `between` runs after each piece.
  Exported Pull(const Scope& scope, ExportDepth depth, const std::function<void()>& between = {}) {
    Exported out;
    auto exporter = Exporter::Open(state(), scope, depth);
    EXPECT_TRUE(exporter.ok());
    merkle::ExportReader reader;
    merkle::ExportVerifier verifier(Vkey(), ReadRecord);
    while (exporter.ok() && !exporter->done()) {
      EXPECT_EQ(exporter->next_index(), reader.frames());
      auto piece = exporter->Next(state());
      EXPECT_TRUE(piece.ok());
      if (!piece.ok()) return out;
      ++out.pieces;
      EXPECT_LE(piece->frames().size(), limits::kExportPieceBytesMax);
      EXPECT_EQ(piece->checkpoint().empty(), !exporter->done());
      reader.Append(piece->frames());
      reader.Append(piece->checkpoint());
      for (;;) {
        auto frame = reader.Next();
        EXPECT_TRUE(frame.ok());
        if (!frame.ok() || !*frame) break;
        EXPECT_TRUE(verifier.Feed(**frame).ok());
        v1::Record record;
        if (!(*frame)->record.empty() && record.ParseFromString(Bytes((*frame)->record))) {
          out.parties.insert(record.organisation());
        }
      }
      if (between) between();
    }
    auto note = reader.Finish();
    EXPECT_TRUE(note.ok());
    auto summary = verifier.Finish(*note);
    EXPECT_TRUE(summary.ok()) << summary.error().message;
    if (summary.ok()) out.summary = *summary;
    return out;
  }
};

TEST_F(ExportTest, OpensEverythingToARegionAndVerifies) {
  PlayStory(Linked("a"));
  auto head = SignHead();
  f.Do(machine::AcceptTime{});
  auto all = Pull(Scope::Region(f.machine().meta().tree_size()), ExportDepth::kDetails);
  EXPECT_EQ(all.summary.checkpoint.head, head);
  EXPECT_EQ(all.summary.entries, head.size);
  EXPECT_EQ(all.summary.records, head.size);
  EXPECT_GT(all.summary.details, 0u);
  auto records = Pull(Scope::Region(head.size), ExportDepth::kRecords);
  EXPECT_EQ(records.summary.records, head.size);
  EXPECT_EQ(records.summary.details, 0u);
}

TEST_F(ExportTest, OpensOnlyItsOwnToScopeOwnAndVerifiesTheSameRoot) {
  PlayStory(Linked("a"));
  auto grant = Look(sample::kAuditor);
  auto head = SignHead();
  auto own = Pull(Scope::Of(grant), ExportDepth::kDetails);
  EXPECT_EQ(own.summary.checkpoint.head, head);
  EXPECT_GT(own.summary.records, 0u);
  EXPECT_LT(own.summary.records, head.size);
  EXPECT_EQ(own.parties, std::set<std::string>{sample::kPolice.str()});
}

TEST_F(ExportTest, GivesAMirrorNothingButCommitments) {
  PlayStory(Linked("a"));
  auto head = SignHead();
  auto mirror = Pull(Scope::Region(head.size), ExportDepth::kEntries);
  EXPECT_EQ(mirror.summary.entries, head.size);
  EXPECT_EQ(mirror.summary.records, 0u);
}

TEST_F(ExportTest, GoesOnPieceByPieceWhileTheLogGrowsAndRecordsAreDestroyed) {
  while (f.machine().meta().tree_size() < 15'000) Look(sample::kAuditor);
  auto head = SignHead();
  bool swept = false;
  auto all = Pull(Scope::Region(head.size), ExportDepth::kRecords, [&] {
    f.Do(machine::AcceptTime{});
    if (swept) return;
    f.Advance(std::chrono::hours(24 * 1827));
    for (int i = 0; i < 100; ++i) f.Do(machine::Sweep{});
    swept = true;
  });
  EXPECT_GT(all.pieces, 1);
  EXPECT_EQ(all.summary.checkpoint.head, head);
  EXPECT_EQ(all.summary.entries, head.size);
  EXPECT_LT(all.summary.records, head.size);
  EXPECT_GT(all.summary.records, 0u);
}

TEST_F(ExportTest, NeedsACheckpoint) {
  auto early = Exporter::Open(state(), Scope::Region(1), ExportDepth::kEntries);
  ASSERT_FALSE(early.ok());
  EXPECT_EQ(early.error().reason, "NOT_SERVING");
}

TEST_F(ExportTest, FailsWhereTheStoreLostARecordAndCanBeAskedAgain) {
  auto head = SignHead();
  auto exporter = Exporter::Open(state(), Scope::Region(head.size), ExportDepth::kRecords);
  ASSERT_TRUE(exporter.ok());
  store::Batch lost;
  lost.Delete(store::Family::kRecords, machine::keys::Record(3));
  store::OverlayView without(state(), {&lost});
  auto failed = exporter->Next(without);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().reason, "STORE_CORRUPT");
  EXPECT_EQ(exporter->next_index(), 0u);
  auto piece = exporter->Next(state());
  ASSERT_TRUE(piece.ok());
  EXPECT_TRUE(exporter->done());
}

}  // namespace
}  // namespace schakel::query
