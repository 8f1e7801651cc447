// When files of a family that queues write to are merged.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/unit/store/store_fixture.h"

namespace schakel::store {
namespace {

using namespace std::chrono_literals;

class StoreMerge : public ::testing::Test {
 protected:
  StoreMerge() {
    StoreOptions options = SmallOptions(folder_ / "data");
    options.cache_bytes = size_t{128} << 20;  // a flush makes one file
    store_ = MustOpen(std::move(options));
  }
  void Write(const Batch& batch) {
    ASSERT_TRUE(store_->Commit(batch, ++position_).ok());
    ASSERT_TRUE(store_->Flush().ok());
  }
  // A file of so many keys that last, and then deletions in a row.
  void WriteFile(int lasting, int deletions) {
    Batch batch;
    for (int i = 0; i < lasting; ++i) batch.Put(Family::kHot, Key('a', i), "lasts");
    for (int i = 0; i < deletions; ++i) batch.Delete(Family::kHot, Key('b', i));
    Write(batch);
  }
  uint64_t FileBytes() const {
    return store_->Stats().families[FamilyIndex(Family::kHot)].file_bytes;
  }
  // Whether the files take less room than that in time.
  bool FallsBelow(uint64_t bytes) const {
    const auto patience = std::chrono::steady_clock::now() + 30s;
    while (FileBytes() >= bytes && std::chrono::steady_clock::now() < patience) {
      std::this_thread::sleep_for(10ms);
    }
    return FileBytes() < bytes;
  }
  static Bytes Key(char kind, int i) {
    return ByteWriter().Raw(Bytes(1, kind)).U32(static_cast<uint32_t>(i)).Take();
  }

  TempFolder folder_;
  std::unique_ptr<Store> store_;
  uint64_t position_ = 0;
};

// Whoever looks for the first of a queue would have to pass them all.
TEST_F(StoreMerge, AFileOfDeletionsIsMergedAtOnce) {
  Batch queued;
  for (int i = 0; i < 100'000; ++i) queued.Put(Family::kHot, Key('b', i), "");
  Write(queued);
  WriteFile(0, 100'000);
  EXPECT_TRUE(FallsBelow(1)) << "nothing is left of what was deleted";
}

// A merge rewrites what lasts as well: that pays with the fourth file, not with each.
TEST_F(StoreMerge, ABusyQueuesFileWaitsForTheNextOnes) {
  uint64_t before = 0;
  for (int file = 0; file < 3; ++file) {
    WriteFile(80'000, 20'000);
    EXPECT_GT(FileBytes(), before);
    before = FileBytes();
  }
  const auto until = std::chrono::steady_clock::now() + 300ms;
  while (std::chrono::steady_clock::now() < until) {
    ASSERT_EQ(FileBytes(), before) << "merged before its time";
    std::this_thread::sleep_for(10ms);
  }
  WriteFile(80'000, 20'000);
  EXPECT_TRUE(FallsBelow(before)) << "four are merged into one";
}

}  // namespace
}  // namespace schakel::store
