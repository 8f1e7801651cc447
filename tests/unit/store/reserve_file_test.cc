#include "broker/store/reserve_file.h"

#include <gtest/gtest.h>

#include "tests/unit/store/temp_folder.h"

namespace schakel::store {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

TEST(ReserveFile, HoldsSpaceUntilItIsGivenUp) {
  const TempFolder folder;
  ReserveFile reserve(folder / "reserve", 3 * kMiB);
  EXPECT_FALSE(reserve.held());
  ASSERT_TRUE(reserve.Take().ok());
  EXPECT_TRUE(reserve.held());
  EXPECT_TRUE(ReserveFile(folder / "reserve", 3 * kMiB).held());
  ASSERT_TRUE(reserve.Take().ok());
  ASSERT_TRUE(reserve.GiveUp().ok());
  ASSERT_TRUE(reserve.GiveUp().ok());
  EXPECT_FALSE(std::filesystem::exists(folder / "reserve"));
}

TEST(ReserveFile, TakesAHalfMadeFileForNone) {
  const TempFolder folder;
  WriteAllTo(folder / "reserve", "half");
  ReserveFile reserve(folder / "reserve", kMiB);
  EXPECT_FALSE(reserve.held());
  ASSERT_TRUE(reserve.Take().ok());
  EXPECT_TRUE(reserve.held());
}

TEST(ReserveFile, LeavesNothingBehindWhenThereIsNoRoom) {
  const TempFolder folder;
  ReserveFile reserve(folder / "reserve", uint64_t{1} << 60);
  const Status taken = reserve.Take();
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().reason, "STORAGE_LOW");
  EXPECT_FALSE(std::filesystem::exists(folder / "reserve"));
}

// A disk whose free bytes the test sets; the reserve file counts.
class StorageGuardTest : public ::testing::Test {
 protected:
  StorageGuard Guard(ReserveFile* reserve) {
    return StorageGuard([this]() -> Result<uint64_t> { return free_; }, kGiB, reserve);
  }
  TempFolder folder_;
  Result<uint64_t> free_ = uint64_t{0};
};

TEST_F(StorageGuardTest, KnowsNothingBeforeItLooked) {
  free_ = 100 * kGiB;
  StorageGuard guard = Guard(nullptr);
  EXPECT_EQ(guard.LevelFor(0), StorageLevel::kCritical);
  ASSERT_TRUE(guard.Refresh().ok());
  EXPECT_EQ(guard.LevelFor(0), StorageLevel::kPlenty);
}

TEST_F(StorageGuardTest, RanksByFreeBytesLessTheBatch) {
  StorageGuard guard = Guard(nullptr);
  const auto level = [&](uint64_t free, uint64_t batch) {
    free_ = free;
    EXPECT_TRUE(guard.Refresh().ok());
    return guard.LevelFor(batch);
  };
  EXPECT_EQ(level(kGiB, 0), StorageLevel::kPlenty);
  EXPECT_EQ(level(kGiB - 1, 0), StorageLevel::kLow);
  EXPECT_EQ(level(kGiB + 3 * kMiB, kMiB), StorageLevel::kPlenty);
  EXPECT_EQ(level(kGiB + 3 * kMiB - 1, kMiB), StorageLevel::kLow);
  const uint64_t floor = StorageGuard::kNearZeroBytes / 2;
  EXPECT_EQ(level(floor, 0), StorageLevel::kLow);
  EXPECT_EQ(level(floor - 1, 0), StorageLevel::kCritical);
  EXPECT_EQ(level(floor, 1), StorageLevel::kCritical);
}

TEST_F(StorageGuardTest, ReckonsWhatWasWrittenUntilItLooksAgain) {
  free_ = kGiB + 3 * kMiB;
  StorageGuard guard = Guard(nullptr);
  ASSERT_TRUE(guard.Refresh().ok());
  guard.Wrote(kMiB);
  EXPECT_EQ(guard.free_bytes(), kGiB);
  EXPECT_EQ(guard.LevelFor(0), StorageLevel::kPlenty);
  EXPECT_EQ(guard.LevelFor(1), StorageLevel::kLow);
  ASSERT_TRUE(guard.Refresh().ok());
  EXPECT_EQ(guard.LevelFor(kMiB), StorageLevel::kPlenty);
  guard.Wrote(100 * kGiB);
  EXPECT_EQ(guard.free_bytes(), 0u);
}

TEST_F(StorageGuardTest, GivesTheReserveUpNearZeroAndTakesItAgainWithRoom) {
  ReserveFile reserve(folder_ / "reserve", kMiB);
  StorageGuard guard = Guard(&reserve);
  free_ = 10 * kGiB;
  ASSERT_TRUE(guard.Refresh().ok());
  EXPECT_TRUE(reserve.held());
  free_ = kGiB / 2;
  ASSERT_TRUE(guard.Refresh().ok());
  EXPECT_TRUE(reserve.held());
  EXPECT_EQ(guard.LevelFor(0), StorageLevel::kLow);
  free_ = StorageGuard::kNearZeroBytes - 1;
  ASSERT_TRUE(guard.Refresh().ok());
  EXPECT_FALSE(reserve.held());
  free_ = kGiB;  // not yet enough for both
  ASSERT_TRUE(guard.Refresh().ok());
  EXPECT_FALSE(reserve.held());
  free_ = 2 * kGiB;
  ASSERT_TRUE(guard.Refresh().ok());
  EXPECT_TRUE(reserve.held());
}

TEST_F(StorageGuardTest, AcceptsNothingWhenTheDiskCannotBeAsked) {
  free_ = 10 * kGiB;
  StorageGuard guard = Guard(nullptr);
  ASSERT_TRUE(guard.Refresh().ok());
  free_ = Internal("no answer");
  EXPECT_FALSE(guard.Refresh().ok());
  EXPECT_EQ(guard.LevelFor(0), StorageLevel::kCritical);
}

}  // namespace
}  // namespace schakel::store
