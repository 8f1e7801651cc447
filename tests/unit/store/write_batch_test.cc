#include "broker/store/write_batch.h"

#include <gtest/gtest.h>

namespace schakel::store {
namespace {

TEST(Batch, LaterWriteToTheSameKeyWins) {
  Batch batch;
  batch.Put(Family::kHot, "a", "1");
  batch.Put(Family::kHot, "a", "2");
  ASSERT_TRUE(batch.Find(Family::kHot, "a").known);
  EXPECT_EQ(*batch.Find(Family::kHot, "a").value, "2");
  batch.Delete(Family::kHot, "a");
  EXPECT_TRUE(batch.Find(Family::kHot, "a").known);
  EXPECT_EQ(batch.Find(Family::kHot, "a").value, nullptr);
  EXPECT_EQ(batch.operations(), 1u);
}

TEST(Batch, KeepsFamiliesApart) {
  Batch batch;
  batch.Put(Family::kHot, "a", "1");
  EXPECT_FALSE(batch.Find(Family::kRegistry, "a").known);
  EXPECT_FALSE(batch.OnlyLocal());
  Batch local;
  local.Put(Family::kLocal, "a", "1");
  EXPECT_TRUE(local.OnlyLocal());
}

TEST(Batch, RangeRemovesEarlierWritesAndKeepsLaterOnes) {
  Batch batch;
  batch.Put(Family::kContent, "b", "before");
  batch.Put(Family::kContent, "d", "outside");
  batch.DeleteRange(Family::kContent, "a", "d");
  batch.Put(Family::kContent, "c", "after");
  EXPECT_TRUE(batch.Find(Family::kContent, "b").known);
  EXPECT_EQ(batch.Find(Family::kContent, "b").value, nullptr);
  EXPECT_EQ(*batch.Find(Family::kContent, "c").value, "after");
  EXPECT_EQ(*batch.Find(Family::kContent, "d").value, "outside");
}

TEST(Batch, JoinsRangesThatOverlapOrTouch) {
  Batch batch;
  batch.DeleteRange(Family::kHot, "c", "e");
  batch.DeleteRange(Family::kHot, "g", "i");
  batch.DeleteRange(Family::kHot, "e", "f");
  batch.DeleteRange(Family::kHot, "x", "y");
  EXPECT_EQ(batch.ranges(Family::kHot), (Batch::Ranges{{"c", "f"}, {"g", "i"}, {"x", "y"}}));
  batch.DeleteRange(Family::kHot, "d", "h");
  EXPECT_EQ(batch.ranges(Family::kHot), (Batch::Ranges{{"c", "i"}, {"x", "y"}}));
}

TEST(Batch, AppendedChangesWin) {
  Batch first;
  first.Put(Family::kHot, "a", "1");
  first.Put(Family::kHot, "b", "1");
  first.DeleteRange(Family::kHot, "m", "n");
  Batch second;
  second.DeleteRange(Family::kHot, "b", "c");
  second.Put(Family::kHot, "m", "2");
  second.Delete(Family::kHot, "a");
  first.Append(second);
  EXPECT_EQ(first.Find(Family::kHot, "a").value, nullptr);
  EXPECT_EQ(first.Find(Family::kHot, "b").value, nullptr);
  EXPECT_EQ(*first.Find(Family::kHot, "m").value, "2");
  EXPECT_EQ(first.ranges(Family::kHot), (Batch::Ranges{{"b", "c"}, {"m", "n"}}));
}

TEST(Batch, CountsTheBytesOfItsNetForm) {
  Batch batch;
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.bytes(), 0u);
  batch.Put(Family::kHot, "key", "value");
  EXPECT_EQ(batch.bytes(), 3u + 5u + 16u);
  batch.Put(Family::kHot, "key", "v");
  EXPECT_EQ(batch.bytes(), 3u + 1u + 16u);
  batch.DeleteRange(Family::kHot, "a", "z");
  EXPECT_EQ(batch.bytes(), 1u + 1u + 16u);
  batch.DeleteRange(Family::kHot, "b", "c");
  EXPECT_EQ(batch.bytes(), 1u + 1u + 16u);
  batch.Clear();
  EXPECT_EQ(batch, Batch());
}

TEST(BatchDeathTest, RefusesRangesInFamiliesThatKeepEverything) {
  Batch batch;
  EXPECT_DEATH(batch.DeleteRange(Family::kRecords, "a", "b"), "I8");
  EXPECT_DEATH(batch.DeleteRange(Family::kHot, "b", "a"), "begin before its end");
}

}  // namespace
}  // namespace schakel::store
