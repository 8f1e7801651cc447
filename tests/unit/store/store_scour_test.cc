// What was destroyed leaves the disk: every raw file is searched.
#include <gtest/gtest.h>

#include "tests/unit/store/store_fixture.h"

namespace schakel::store {
namespace {

namespace fs = std::filesystem;

const std::string kMark = "mark-that-has-to-go";

class StoreScour : public ::testing::Test {
 protected:
  StoreOptions Options() { return SmallOptions(folder_ / "data"); }
  // Names of the files below the data folder that hold the mark.
  std::vector<std::string> Marked() {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "data")) {
      if (!entry.is_regular_file()) continue;
      if (ReadAll(entry.path()).find(kMark) != std::string::npos) {
        names.push_back(entry.path().filename().string());
      }
    }
    return names;
  }
  bool Holds(const std::string& kind) {
    for (const auto& name : Marked()) {
      if (name.find(kind) != std::string::npos) return true;
    }
    return false;
  }
  // Marks in keys and values of every family that anything is destroyed in, in the log, in files
  // and, as first and last keys of files, in the list of files.
  void Mark(Store& store) {
    for (uint64_t position = 1; position <= 4; ++position) {
      Batch batch;
      for (const Family family : kMarked) {
        for (int i = 0; i < 20; ++i) batch.Put(family, Key(i), kMark + Bytes(1000, 'm'));
        batch.Put(family, "kept" + std::to_string(position), Bytes(1000, 'k'));
      }
      ASSERT_TRUE(store.Commit(batch, position).ok());
      if (position < 4) {
        ASSERT_TRUE(store.Flush().ok());
      }
    }
  }
  void Destroy(Store& store) {
    Batch batch;
    for (const Family family : kMarked) {
      for (int i = 0; i < 20; ++i) batch.Delete(family, Key(i));
    }
    ASSERT_TRUE(store.Commit(batch, 5).ok());
  }
  static Bytes Key(int i) { return "a" + kMark + std::to_string(i); }
  static std::vector<Store::Range> Everything() {
    std::vector<Store::Range> ranges;
    for (const Family family : kMarked) ranges.push_back({family, "", ""});
    return ranges;
  }

  TempFolder folder_;

  static constexpr Family kMarked[] = {Family::kHot, Family::kContent, Family::kRecords,
                                       Family::kRegistry, Family::kLocal};
};

TEST_F(StoreScour, LeavesNoByteInAnyFile) {
  const auto store = MustOpen(Options());
  Mark(*store);
  Destroy(*store);
  for (const char* kind : {".sst", ".blob", ".log", "MANIFEST-"}) {
    EXPECT_TRUE(Holds(kind)) << kind << " shows nothing: this test could not fail";
  }
  const Status scoured = store->Scour(Everything(), 0);
  ASSERT_TRUE(scoured.ok()) << scoured.error().message;
  EXPECT_EQ(Marked(), std::vector<std::string>{});
  for (const Family family : kMarked) EXPECT_EQ(ScanAll(store->durable(), family).size(), 4u);
}

TEST_F(StoreScour, CanBeDoneAgainAndSurvivesARestart) {
  {
    const auto store = MustOpen(Options());
    Mark(*store);
    ASSERT_TRUE(store->Scour(Everything(), 0).ok());
    EXPECT_FALSE(Marked().empty()) << "nothing was destroyed yet";
    Destroy(*store);
  }
  const auto store = MustOpen(Options());
  EXPECT_EQ(store->position(), 5u);
  EXPECT_FALSE(Marked().empty());
  ASSERT_TRUE(store->Scour(Everything(), 0).ok());
  ASSERT_TRUE(store->Scour(Everything(), 0).ok());
  EXPECT_EQ(Marked(), std::vector<std::string>{});
  ASSERT_TRUE(store->Commit(BatchAt(6), 6).ok());
}

TEST_F(StoreScour, DeletesTheTornListOfFilesToo) {
  const auto store = MustOpen(Options());
  std::ofstream(folder_ / "data" / "torn-manifest") << kMark;
  EXPECT_TRUE(Holds("torn-manifest"));
  ASSERT_TRUE(store->Scour({}, 0).ok());
  EXPECT_EQ(Marked(), std::vector<std::string>{});
}

TEST_F(StoreScour, IsHeldUpByAReaderOfBeforeAndByNoLaterOne) {
  const auto store = MustOpen(Options());
  Mark(*store);
  auto before = store->TakeSnapshot();
  Destroy(*store);
  EXPECT_EQ(store->Scour(Everything(), 0).error().reason, "STORE_IN_USE");
  ASSERT_TRUE(store->Commit(BatchAt(6), 6).ok());
  const auto later = store->TakeSnapshot();
  ASSERT_TRUE(store->Commit(BatchAt(7), 7).ok());
  EXPECT_EQ(store->Scour(Everything(), 0).error().reason, "STORE_IN_USE");
  before.reset();
  ASSERT_TRUE(store->Scour(Everything(), 0).ok());
  EXPECT_EQ(Marked(), std::vector<std::string>{});
}

TEST_F(StoreScour, RefusesToWriteIntoADiskThatIsNearlyFull) {
  uint64_t free = 1;
  StoreOptions options = Options();
  options.free_bytes = [&free]() -> Result<uint64_t> { return free; };
  const auto store = MustOpen(options);
  Mark(*store);
  Destroy(*store);
  EXPECT_EQ(store->Scour(Everything(), 0).error().reason, "STORAGE_LOW");
  EXPECT_FALSE(Marked().empty());
  free = uint64_t{1} << 30;
  EXPECT_EQ(store->Scour(Everything(), free).error().reason, "STORAGE_LOW");
  ASSERT_TRUE(store->Scour(Everything(), free / 2).ok());
  EXPECT_EQ(Marked(), std::vector<std::string>{});
}

TEST_F(StoreScour, EndsWhenItIsCancelled) {
  const auto store = MustOpen(Options());
  store->CancelScour();
  EXPECT_EQ(store->Scour(Everything(), 0).error().reason, "STORE_CANCELLED");
}

}  // namespace
}  // namespace schakel::store
