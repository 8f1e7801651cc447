// A copy of a store that goes on working.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "broker/store/testing/fault_file_system.h"
#include "tests/unit/store/store_fixture.h"

namespace schakel::store {
namespace {

namespace fs = std::filesystem;

class StoreBackupTest : public ::testing::Test {
 protected:
  fs::path data() const { return folder_ / "data"; }
  fs::path copy() const { return folder_ / "copy"; }
  static std::unique_ptr<Store> OpenCopy(const fs::path& at, bool read_only) {
    StoreOptions options = SmallOptions(at);
    options.create = false;
    options.read_only = read_only;
    return MustOpen(std::move(options));
  }
  static void Fill(Store& store, uint64_t from, uint64_t until, size_t bytes = 40) {
    for (uint64_t p = from; p <= until; ++p) ASSERT_TRUE(store.Commit(BatchAt(p, bytes), p).ok());
  }
  // Whether a sorted file of the copy is the store's own one.
  static bool SharesFiles(const fs::path& at) {
    for (const auto& entry : fs::directory_iterator(at / "db")) {
      struct stat facts {};
      if (entry.path().extension() == ".sst" && ::stat(entry.path().c_str(), &facts) == 0) {
        return facts.st_nlink > 1;
      }
    }
    ADD_FAILURE() << "no sorted file in " << at;
    return false;
  }
  TempFolder folder_;
};

TEST_F(StoreBackupTest, HoldsWhatWasDurableAndNothingOfWhatCameLater) {
  const auto store = MustOpen(SmallOptions(data()));
  Fill(*store, 1, 20);
  ASSERT_TRUE(store->BackUp(copy()).ok());
  Fill(*store, 21, 30);
  {
    const auto opened = OpenCopy(copy(), /*read_only=*/true);
    EXPECT_EQ(WholeBatches(opened->durable()), 20u);
    EXPECT_EQ(opened->position(), 20u);
    EXPECT_TRUE(opened->VerifyFiles().ok());
  }
  EXPECT_TRUE(SharesFiles(copy()));
  // It is a store of its own: what is written to one is not in the other.
  const auto opened = OpenCopy(copy(), /*read_only=*/false);
  Fill(*opened, 21, 22);
  EXPECT_EQ(WholeBatches(opened->durable()), 22u);
  EXPECT_EQ(WholeBatches(store->durable()), 30u);
}

TEST_F(StoreBackupTest, PutsWhoStartsFromItInDoubtUntilACommit) {
  const auto store = MustOpen(SmallOptions(data()));
  Fill(*store, 1, 5);
  ASSERT_TRUE(store->BackUp(copy()).ok());
  EXPECT_FALSE(fs::exists(copy() / "high-water"));
  for (int start = 0; start < 2; ++start) {
    EXPECT_TRUE(OpenCopy(copy(), false)->facts().Doubtful(nullptr)) << start;
  }
  Fill(*OpenCopy(copy(), false), 6, 6);
  EXPECT_FALSE(OpenCopy(copy(), false)->facts().Doubtful(nullptr));
}

TEST_F(StoreBackupTest, IsOneMomentOfAStoreThatIsWrittenTo) {
  const auto store = MustOpen(SmallOptions(data()));
  std::atomic<bool> end{false};
  std::thread writer([&] {
    for (uint64_t p = 1; !end; ++p) ASSERT_TRUE(store->Commit(BatchAt(p, 4096), p).ok());
  });
  for (int i = 0; i < 5; ++i) {
    const uint64_t before = store->position();
    while (store->position() < before + 20) std::this_thread::yield();
    const fs::path to = folder_ / ("copy" + std::to_string(i));
    const uint64_t at_least = store->position();
    const Status made = store->BackUp(to);
    ASSERT_TRUE(made.ok()) << made.error().message;
    const auto opened = OpenCopy(to, /*read_only=*/true);
    const uint64_t whole = WholeBatches(opened->durable());
    EXPECT_EQ(whole, opened->position());
    EXPECT_GE(whole, at_least);
    EXPECT_LE(whole, store->position());
  }
  end = true;
  writer.join();
  EXPECT_FALSE(store->failure().has_value());
}

TEST_F(StoreBackupTest, CopiesToAnotherFileSystem) {
  // The only other one that every machine has.
  const fs::path other = "/dev/shm/schakel-backup-" + std::to_string(::getpid());
  struct stat here {};
  struct stat there {};
  ASSERT_EQ(::stat(folder_.path().c_str(), &here), 0);
  ASSERT_EQ(::stat("/dev/shm", &there), 0);
  ASSERT_NE(here.st_dev, there.st_dev) << "TMPDIR must not lie in /dev/shm";
  const auto store = MustOpen(SmallOptions(data()));
  Fill(*store, 1, 20);
  const Status made = store->BackUp(other);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
  EXPECT_EQ(WholeBatches(OpenCopy(other, true)->durable()), 20u);
  EXPECT_FALSE(SharesFiles(other));
  fs::remove_all(other);
}

TEST_F(StoreBackupTest, NeverWritesOverSomething) {
  const auto store = MustOpen(SmallOptions(data()));
  Fill(*store, 1, 3);
  fs::create_directories(copy());
  std::ofstream(copy() / "kept") << "x";
  EXPECT_FALSE(store->BackUp(copy()).ok());
  EXPECT_TRUE(fs::exists(copy() / "kept"));
  EXPECT_FALSE(store->BackUp(folder_ / "missing" / "copy").ok());
}

TEST_F(StoreBackupTest, ThatRunsOutOfRoomLeavesNothingBehindAndTheStoreWorking) {
  int failed = 0;
  for (uint64_t nth = 1; nth <= 6; ++nth) {
    testing::FaultFileSystem faults(folder_ / ("shadow" + std::to_string(nth)));
    StoreOptions options = SmallOptions(folder_ / ("data" + std::to_string(nth)));
    options.file_system = faults.handle();
    const auto store = MustOpen(std::move(options));
    Fill(*store, 1, 20);
    // Everything is in files after this one: what is written from here on is the copy's. (What the
    // store itself can't write ends its writing, as ever.)
    ASSERT_TRUE(store->BackUp(copy()).ok());
    fs::remove_all(copy());
    faults.FailWrite(nth);
    const Status made = store->BackUp(copy());
    if (made.ok()) {
      fs::remove_all(copy());
      continue;
    }
    ++failed;
    EXPECT_FALSE(fs::exists(copy())) << nth;
    EXPECT_FALSE(store->failure().has_value()) << nth;
    Fill(*store, 21, 22);
    EXPECT_EQ(WholeBatches(store->durable()), 22u);
    EXPECT_TRUE(store->BackUp(copy()).ok()) << nth;
    fs::remove_all(copy());
  }
  EXPECT_GT(failed, 0) << "no write of a copy was hit";
}

}  // namespace
}  // namespace schakel::store
