#include "broker/store/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "broker/store/overlay_view.h"
#include "broker/store/testing/raw_database.h"
#include "tests/support/paths.h"
#include "tests/unit/store/store_fixture.h"

namespace schakel::store {
namespace {

namespace fs = std::filesystem;

class StoreTest : public ::testing::Test {
 protected:
  StoreOptions Options() const { return SmallOptions(folder_ / "data"); }
  TempFolder folder_;
};

uint64_t BytesUnder(const fs::path& folder, const std::string& extension) {
  uint64_t sum = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == extension) sum += entry.file_size();
  }
  return sum;
}

TEST_F(StoreTest, NewStoreIsEmptyAndSaysThatItWasMade) {
  const auto store = MustOpen(Options());
  EXPECT_TRUE(store->facts().created);
  EXPECT_EQ(store->position(), 0u);
  EXPECT_EQ(store->facts().high_water.state, HighWaterReading::State::kMissing);
  EXPECT_FALSE(store->facts().Doubtful(nullptr));
  EXPECT_EQ(*store->durable().Get(Family::kHot, "a"), std::nullopt);
  EXPECT_EQ(store->failure(), std::nullopt);
}

TEST_F(StoreTest, KeepsCommitsOverAReopening) {
  {
    const auto store = MustOpen(Options());
    for (uint64_t p = 1; p <= 20; ++p) ASSERT_TRUE(store->Commit(BatchAt(p), p).ok());
    EXPECT_EQ(store->position(), 20u);
    ASSERT_TRUE(store->Close().ok());
  }
  StoreOptions options = Options();
  options.create = false;
  const auto store = MustOpen(options);
  EXPECT_FALSE(store->facts().created);
  EXPECT_EQ(store->facts().position, 20u);
  EXPECT_EQ(store->facts().high_water, (HighWaterReading{HighWaterReading::State::kRead, 20}));
  EXPECT_FALSE(store->facts().Doubtful(nullptr));
  EXPECT_EQ(WholeBatches(store->durable()), 20u);
}

TEST_F(StoreTest, WritesItsOwnKeysAsTheFormatPageSays) {
  ASSERT_TRUE(MustOpen(Options())->Commit(BatchAt(1), 4660).ok());
  const std::string page = ReadAll(checkout::SourcePath("broker/store/FORMAT.md"));
  for (const std::string key : {"format", "position"}) {
    const auto value = testing::ReadOwnKey(folder_ / "data", key);
    ASSERT_TRUE(value.ok());
    const std::string line =
        "\n    " + key + std::string(10 - key.size(), ' ') + HexEncode(*value) + "\n";
    EXPECT_NE(page.find(line), std::string::npos) << line;
    EXPECT_NE(page.find("`" + key + "` = `" + HexEncode(key) + "`"), std::string::npos);
  }
}

TEST_F(StoreTest, AppliesPutsDeletionsAndRanges) {
  const auto store = MustOpen(Options());
  Batch first;
  for (const char* key : {"a", "b", "c", "d", "e"})
    first.Put(Family::kContent, key, Bytes(300, 'x'));
  ASSERT_TRUE(store->Commit(first, 1).ok());
  Batch second;
  second.DeleteRange(Family::kContent, "b", "d");
  second.Put(Family::kContent, "c", "again");
  second.Delete(Family::kContent, "e");
  ASSERT_TRUE(store->Commit(second, 2).ok());
  const Pairs expected = {{"a", Bytes(300, 'x')}, {"c", "again"}, {"d", Bytes(300, 'x')}};
  EXPECT_EQ(ScanAll(store->durable(), Family::kContent), expected);
  const std::vector<BytesView> keys = {"d", "b", "c"};
  EXPECT_EQ(*store->durable().MultiGet(Family::kContent, keys),
            (std::vector<std::optional<Bytes>>{Bytes(300, 'x'), std::nullopt, "again"}));
}

TEST_F(StoreTest, ScansHalfOpenRangesInBothDirections) {
  const auto store = MustOpen(Options());
  Batch batch;
  for (const char* key : {"a", "b", "ba", "c"}) batch.Put(Family::kHot, key, key);
  ASSERT_TRUE(store->Commit(batch, 1).ok());
  const StateReader& reader = store->durable();
  EXPECT_EQ(ScanAll(reader, Family::kHot, "b", "c"), (Pairs{{"b", "b"}, {"ba", "ba"}}));
  EXPECT_EQ(ScanAll(reader, Family::kHot, "b", "c", true), (Pairs{{"ba", "ba"}, {"b", "b"}}));
  EXPECT_EQ(ScanAll(reader, Family::kHot, "b"), (Pairs{{"b", "b"}, {"ba", "ba"}, {"c", "c"}}));
  EXPECT_EQ(ScanAll(reader, Family::kHot, "c", "b"), Pairs{});
  int seen = 0;
  ASSERT_TRUE(
      reader.ScanPrefix(Family::kHot, "b", [&](BytesView, BytesView) { return ++seen < 1; }).ok());
  EXPECT_EQ(seen, 1);
}

TEST_F(StoreTest, SnapshotDoesNotChange) {
  const auto store = MustOpen(Options());
  ASSERT_TRUE(store->Commit(BatchAt(1), 1).ok());
  auto snapshot = store->TakeSnapshot();
  ASSERT_TRUE(store->Commit(BatchAt(2), 2).ok());
  EXPECT_EQ(snapshot->position(), 1u);
  EXPECT_EQ(WholeBatches(*snapshot), 1u);
  EXPECT_EQ(WholeBatches(store->durable()), 2u);
  EXPECT_EQ(store->Close().error().reason, "STORE_IN_USE");
  snapshot.reset();
  EXPECT_TRUE(store->Close().ok());
}

TEST_F(StoreTest, SnapshotOutlivesItsStore) {
  auto store = MustOpen(Options());
  ASSERT_TRUE(store->Commit(BatchAt(1), 1).ok());
  const auto snapshot = store->TakeSnapshot();
  store.reset();
  EXPECT_EQ(WholeBatches(*snapshot), 1u);
  EXPECT_EQ(Store::Open(Options()).error().reason, "STORE_LOCKED");
}

TEST_F(StoreTest, ReadersSeeWholeCommitsWhileOthersAreWritten) {
  const auto store = MustOpen(Options());
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const auto snapshot = store->TakeSnapshot();
      EXPECT_EQ(WholeBatches(*snapshot), snapshot->position());
    }
  });
  for (uint64_t p = 1; p <= 100; ++p) EXPECT_TRUE(store->Commit(BatchAt(p), p).ok());
  done = true;
  reader.join();
}

TEST_F(StoreTest, LocalWritesTakeNoPositionAndSurviveAClose) {
  Batch local;
  local.Put(Family::kLocal, "checkpoint", "c");
  {
    const auto store = MustOpen(Options());
    ASSERT_TRUE(store->Commit(BatchAt(1), 1).ok());
    ASSERT_TRUE(store->CommitLocal(local).ok());
    EXPECT_EQ(store->position(), 1u);
    ASSERT_TRUE(store->Close().ok());
  }
  EXPECT_EQ(*MustOpen(Options())->durable().Get(Family::kLocal, "checkpoint"), "c");
}

TEST_F(StoreTest, IsTheBaseOfAnOverlay) {
  const auto store = MustOpen(Options());
  ASSERT_TRUE(store->Commit(BatchAt(1), 1).ok());
  const Batch next = BatchAt(2);
  const OverlayView view(store->durable(), {&next});
  EXPECT_EQ(WholeBatches(view), 2u);
  ASSERT_TRUE(store->Commit(next, 2).ok());
  EXPECT_EQ(WholeBatches(view), 2u);
}

TEST_F(StoreTest, CompactionTakesDestroyedContentOffTheDisk) {
  const auto store = MustOpen(Options());
  const std::string secret = "sealed bytes that have to go";
  Batch batch;
  for (int i = 0; i < 50; ++i) {
    batch.Put(Family::kContent, "gone" + std::to_string(i), secret + Bytes(4096, 'g'));
    batch.Put(Family::kContent, "kept" + std::to_string(i), Bytes(4096, 'k'));
  }
  ASSERT_TRUE(store->Commit(batch, 1).ok());
  ASSERT_TRUE(store->Flush().ok());
  EXPECT_GT(store->Stats().families[FamilyIndex(Family::kContent)].blob_bytes, 100u * 4096u);
  Batch destroy;
  destroy.DeleteRange(Family::kContent, "gone", "gonf");
  ASSERT_TRUE(store->Commit(destroy, 2).ok());
  ASSERT_TRUE(store->Flush().ok());
  ASSERT_TRUE(store->CompactRange(Family::kContent, "", "").ok());
  const uint64_t blob_bytes = BytesUnder(folder_ / "data" / "db", ".blob");
  EXPECT_GE(blob_bytes, 50u * 4096u);
  EXPECT_LT(blob_bytes, 60u * 4096u);
  for (const auto& entry : fs::directory_iterator(folder_ / "data" / "db")) {
    const std::string kind = entry.path().extension().string();
    if (kind != ".blob" && kind != ".sst") continue;
    EXPECT_EQ(ReadAll(entry.path()).find(secret), std::string::npos) << entry.path();
  }
  EXPECT_EQ(ScanAll(store->durable(), Family::kContent).size(), 50u);
}

TEST_F(StoreTest, KnowsItsFreeBytesAndSizes) {
  StoreOptions options = Options();
  {
    const auto store = MustOpen(options);
    EXPECT_GT(*store->FreeBytes(), 0u);
    for (uint64_t p = 1; p <= 10; ++p) ASSERT_TRUE(store->Commit(BatchAt(p, 1000), p).ok());
    const StoreStats stats = store->Stats();
    EXPECT_EQ(stats.families[FamilyIndex(Family::kRecords)].keys, 10u);
    EXPECT_GT(stats.families[FamilyIndex(Family::kRecords)].memory_bytes, 10'000u);
    EXPECT_FALSE(stats.writes_stopped);
  }
  options.free_bytes = []() -> Result<uint64_t> { return uint64_t{123}; };
  EXPECT_EQ(*MustOpen(options)->FreeBytes(), 123u);
}

TEST_F(StoreTest, ReadOnlyReadsAndChangesNothing) {
  {
    const auto store = MustOpen(Options());
    ASSERT_TRUE(store->Commit(BatchAt(1), 1).ok());
  }
  StoreOptions options = Options();
  options.read_only = true;
  const auto store = MustOpen(options);
  EXPECT_EQ(WholeBatches(store->durable()), 1u);
  EXPECT_EQ(store->Commit(BatchAt(2), 2).error().reason, "STORE_READ_ONLY");
  EXPECT_EQ(store->Flush().error().reason, "STORE_READ_ONLY");
  const auto second_reader = MustOpen(options);
  EXPECT_EQ(WholeBatches(second_reader->durable()), 1u);
  EXPECT_EQ(Store::Open(Options()).error().reason, "STORE_LOCKED");
}

TEST_F(StoreTest, PrefetchedKeysReadAsBefore) {
  const auto store = MustOpen(Options());
  ASSERT_TRUE(store->Commit(BatchAt(1), 1).ok());
  ASSERT_TRUE(store->Flush().ok());
  const Bytes key = ByteWriter().U64(1).Take();
  const std::vector<BytesView> keys = {key, "missing"};
  store->Prefetch(Family::kHot, keys);
  EXPECT_TRUE(store->durable().Get(Family::kHot, key)->has_value());
}

}  // namespace
}  // namespace schakel::store
