#include "broker/store/head_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/unit/store/temp_folder.h"

namespace schakel::store {
namespace {

namespace fs = std::filesystem;
using Verdict = HeadState::Verdict;

Digest Root(uint8_t fill) {
  Digest digest;
  digest.bytes.fill(fill);
  return digest;
}

Head SomeHead(uint64_t size) {
  return {"log.example/zhz", size, Root(static_cast<uint8_t>(size)), 2 * size};
}

TEST(FileHeadStore, KeepsWhatWasSwappedIn) {
  const TempFolder folder;
  FileHeadStore store(folder / "head");
  EXPECT_EQ(*store.Read(), std::nullopt);
  ASSERT_TRUE(store.CompareAndSwap(std::nullopt, SomeHead(1)).ok());
  ASSERT_TRUE(store.CompareAndSwap(SomeHead(1), SomeHead(2)).ok());
  EXPECT_EQ(*FileHeadStore(folder / "head").Read(), SomeHead(2));
  EXPECT_FALSE(fs::exists(folder / "head.new"));
}

TEST(FileHeadStore, RefusesASwapFromAnotherHead) {
  const TempFolder folder;
  FileHeadStore store(folder / "head");
  EXPECT_EQ(store.CompareAndSwap(SomeHead(1), SomeHead(2)).error().reason, "HEAD_MISMATCH");
  ASSERT_TRUE(store.CompareAndSwap(std::nullopt, SomeHead(2)).ok());
  EXPECT_EQ(store.CompareAndSwap(std::nullopt, SomeHead(3)).error().reason, "HEAD_MISMATCH");
  EXPECT_EQ(store.CompareAndSwap(SomeHead(1), SomeHead(3)).error().reason, "HEAD_MISMATCH");
  EXPECT_EQ(*store.Read(), SomeHead(2));
}

TEST(FileHeadStore, LetsOneOfManySwapsFromTheSameHeadWin) {
  const TempFolder folder;
  std::atomic<int> winners = 0;
  std::vector<std::thread> threads;
  for (uint64_t i = 1; i <= 8; ++i) {
    threads.emplace_back([&, i] {
      FileHeadStore store(folder / "head");  // one each, as in different processes
      if (store.CompareAndSwap(std::nullopt, SomeHead(i)).ok()) ++winners;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 1);
}

TEST(FileHeadStore, NoticesEverySingleBitFlipAndEveryCut) {
  const Bytes good = EncodeHead(SomeHead(300));
  ASSERT_EQ(*DecodeHead(good), SomeHead(300));
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto read = DecodeHead(bad);
    ASSERT_FALSE(read.ok()) << "bit " << bit;
    EXPECT_EQ(read.error().reason, "HEAD_DAMAGED");
  }
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(DecodeHead(BytesView(good).substr(0, length)).ok()) << length;
  }
  EXPECT_FALSE(DecodeHead(good + '\0').ok());
}

TEST(FileHeadStore, NeitherReadsNorReplacesADamagedHead) {
  const TempFolder folder;
  FileHeadStore store(folder / "head");
  WriteAllTo(folder / "head", "not a head");
  EXPECT_EQ(store.Read().error().reason, "HEAD_DAMAGED");
  EXPECT_EQ(store.CompareAndSwap(std::nullopt, SomeHead(1)).error().reason, "HEAD_DAMAGED");
  EXPECT_EQ(ReadAll(folder / "head"), "not a head");
}

TEST(FileHeadStore, SaysWhenItCannotWrite) {
  const TempFolder folder;
  FileHeadStore store(folder / "no-such-folder" / "head");
  EXPECT_EQ(store.CompareAndSwap(std::nullopt, SomeHead(1)).error().reason, "HEAD_IO");
}

TEST(HeadPlacement, RefusesAPathInsideTheDataFolder) {
  const TempFolder folder;
  const auto data = folder / "data";
  fs::create_directories(data / "deep" / "deeper");
  for (const auto& path : {data / "head", data / "deep" / "deeper" / "head",
                           data / ".." / "data" / "head", folder / "data" / "." / "head"}) {
    const auto placed = CheckPlacement(path, data);
    ASSERT_FALSE(placed.ok()) << path;
    EXPECT_EQ(placed.error().reason, "HEAD_PLACEMENT");
  }
}

TEST(HeadPlacement, SeesThroughSymbolicLinks) {
  const TempFolder folder;
  const auto data = folder / "data";
  fs::create_directories(data / "deep");
  fs::create_directory_symlink(data / "deep", folder / "looks-outside");
  EXPECT_FALSE(CheckPlacement(folder / "looks-outside" / "head", data).ok());
  fs::create_directory_symlink(data, folder / "data-too");
  EXPECT_FALSE(CheckPlacement(data / "head", folder / "data-too").ok());
  fs::create_symlink(data / "head", folder / "head-link");
  EXPECT_FALSE(CheckPlacement(folder / "head-link", data).ok());  // dangling
  WriteAllTo(folder / "elsewhere", "x");
  fs::create_symlink(folder / "elsewhere", folder / "harmless-link");
  EXPECT_FALSE(CheckPlacement(folder / "harmless-link", data).ok());
}

TEST(HeadPlacement, RefusesWhatIsNoFilePath) {
  const TempFolder folder;
  EXPECT_FALSE(CheckPlacement(folder / "missing" / "head", folder / "data").ok());
  EXPECT_FALSE(CheckPlacement(folder.path(), folder / "data").ok());
  EXPECT_FALSE(CheckPlacement(folder.path() / "", folder / "data").ok());
}

TEST(HeadPlacement, WarnsOnTheSameFileSystemOnly) {
  const TempFolder folder;
  fs::create_directories(folder / "heads");
  // The data folder need not exist yet.
  const auto beside = CheckPlacement(folder / "heads" / "head", folder / "data" / "new");
  ASSERT_TRUE(beside.ok()) << beside.error().message;
  EXPECT_TRUE(beside->same_file_system);
  // A name that merely begins alike is not inside.
  fs::create_directories(folder / "data-heads");
  EXPECT_TRUE(CheckPlacement(folder / "data-heads" / "head", folder / "data").ok());
  const auto apart = CheckPlacement(folder / "heads" / "head", "/proc/self");
  ASSERT_TRUE(apart.ok()) << apart.error().message;
  EXPECT_FALSE(apart->same_file_system);
}

StoredLog LogOf(uint64_t size) {
  return {"log.example/zhz", size, 2 * size,
          [](uint64_t at) -> Result<Digest> { return Root(static_cast<uint8_t>(at)); }};
}

TEST(CompareHead, FreshWithNeitherHeadNorLog) {
  EXPECT_EQ(CompareHead(std::nullopt, StoredLog{})->verdict, Verdict::kFresh);
}

TEST(CompareHead, OkWhenTheLogHoldsTheHead) {
  EXPECT_EQ(CompareHead(SomeHead(5), LogOf(5))->verdict, Verdict::kOk);
  EXPECT_EQ(CompareHead(SomeHead(5), LogOf(9))->verdict, Verdict::kOk);
}

TEST(CompareHead, RestoredInEveryOtherCase) {
  Head other_origin = SomeHead(5);
  other_origin.origin = "log.example/other";
  Head other_root = SomeHead(5);
  other_root.root = Root(99);
  Head later_position = SomeHead(5);
  later_position.position = 100;
  const std::vector<std::pair<std::optional<Head>, StoredLog>> cases = {
      {std::nullopt, LogOf(1)}, {SomeHead(5), StoredLog{}}, {SomeHead(5), LogOf(4)},
      {other_origin, LogOf(5)}, {other_root, LogOf(5)},     {later_position, LogOf(5)},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto state = CompareHead(cases[i].first, cases[i].second);
    ASSERT_TRUE(state.ok());
    EXPECT_EQ(state->verdict, Verdict::kRestored) << "case " << i;
    EXPECT_FALSE(state->why.empty());
  }
}

TEST(CompareHead, FailsWhenTheRootCannotBeRead) {
  StoredLog log = LogOf(5);
  log.root_at = [](uint64_t) -> Result<Digest> { return Internal("unreadable"); };
  EXPECT_FALSE(CompareHead(SomeHead(5), log).ok());
}

}  // namespace
}  // namespace schakel::store
