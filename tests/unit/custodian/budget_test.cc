#include "broker/custodian/budget.h"

#include <gtest/gtest.h>

#include "tests/unit/custodian/sample.h"
#include "tests/unit/custodian/test_ledger.h"

namespace schakel::custodian {
namespace {

using std::chrono::days;
using std::chrono::hours;
using store::testing::MemoryState;

constexpr uint32_t kNoCap = 1'000'000;
constexpr Micros kNoon = days(20'000) + hours(12);

std::unique_ptr<TestLedger> Open(MemoryState& store) {
  auto ledger = TestLedger::Open(store);
  EXPECT_TRUE(ledger.ok());
  return std::move(ledger).value();
}

ChargeOutcome Charge(TestLedger& ledger, const OrganisationId& who, BudgetLimits limits,
                     uint32_t count, Micros now, uint32_t cap = kNoCap) {
  auto outcome = ledger.Charge(who, limits, cap, count, now);
  EXPECT_TRUE(outcome.ok());
  return std::move(outcome).value();
}

TEST(Budget, GrantsUpToTheLastOneOfTheDayAndNotOneMore) {
  MemoryState store;
  const auto ledger = Open(store);
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 100}, 9, kNoon).granted);
  const auto refused = Charge(*ledger, kPolice, {10, 100}, 2, kNoon);
  EXPECT_FALSE(refused.granted);
  EXPECT_EQ(refused.exceeded, std::vector{BudgetScope::kDay});
  EXPECT_EQ(refused.resets_at, Micros(days(20'001)));
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 100}, 1, kNoon).granted);
  EXPECT_FALSE(Charge(*ledger, kPolice, {10, 100}, 1, kNoon).granted);
  EXPECT_EQ(ledger->View(kPolice, kNoon).day_used, 10u);
}

TEST(Budget, SaysWhatIsLeftToWhoWritesTheChargeDown) {
  MemoryState store;
  const auto ledger = Open(store);
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 12}, 4, kNoon).granted);
  EXPECT_EQ(ledger->last_left.day, 6u);
  EXPECT_EQ(ledger->last_left.window, 8u);
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 12}, 8, kNoon + days(1)).granted);
  EXPECT_EQ(ledger->last_left.day, 2u);
  EXPECT_EQ(ledger->last_left.window, 0u);
}

TEST(Budget, ARefusalCostsNothing) {
  MemoryState store;
  const auto ledger = Open(store);
  EXPECT_FALSE(Charge(*ledger, kPolice, {10, 100}, 11, kNoon).granted);
  EXPECT_EQ(ledger->View(kPolice, kNoon).day_used, 0u);
  EXPECT_EQ(store.position(), 0u);
}

TEST(Budget, ARequestLargerThanAWholeBudgetNeverFits) {
  MemoryState store;
  const auto ledger = Open(store);
  EXPECT_EQ(Charge(*ledger, kPolice, {10, 100}, 11, kNoon).resets_at, std::nullopt);
  EXPECT_EQ(Charge(*ledger, kPolice, {200, 100}, 101, kNoon).resets_at, std::nullopt);
  EXPECT_EQ(Charge(*ledger, kPolice, {10, 100}, 5, kNoon, 4).resets_at, std::nullopt);
}

TEST(Budget, IsFullAgainAtMidnightUtcAndNotBefore) {
  MemoryState store;
  const auto ledger = Open(store);
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 100}, 10, kNoon).granted);
  EXPECT_FALSE(Charge(*ledger, kPolice, {10, 100}, 1, Micros(days(20'001)) - Micros(1)).granted);
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 100}, 10, days(20'001)).granted);
}

TEST(Budget, ThirtyDaysRollDayByDay) {
  MemoryState store;
  const auto ledger = Open(store);
  EXPECT_TRUE(Charge(*ledger, kPolice, {100, 100}, 60, days(20'000)).granted);
  EXPECT_TRUE(Charge(*ledger, kPolice, {100, 100}, 40, days(20'010)).granted);
  const auto refused = Charge(*ledger, kPolice, {100, 100}, 1, days(20'029));
  EXPECT_EQ(refused.exceeded, std::vector{BudgetScope::k30Days});
  EXPECT_EQ(refused.resets_at, Micros(days(20'030)));
  EXPECT_EQ(Charge(*ledger, kPolice, {100, 100}, 61, days(20'029)).resets_at, Micros(days(20'040)));
  EXPECT_TRUE(Charge(*ledger, kPolice, {100, 100}, 60, days(20'030)).granted);
  EXPECT_FALSE(Charge(*ledger, kPolice, {100, 100}, 1, days(20'030)).granted);
}

TEST(Budget, OneMemberDoesNotUseAnothersButAllShareTheCap) {
  MemoryState store;
  const auto ledger = Open(store);
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 100}, 10, kNoon, 15).granted);
  EXPECT_TRUE(Charge(*ledger, kCare, {10, 100}, 5, kNoon, 15).granted);
  const auto refused = Charge(*ledger, kCare, {10, 100}, 1, kNoon, 15);
  EXPECT_EQ(refused.exceeded, std::vector{BudgetScope::kCap});
  EXPECT_EQ(refused.resets_at, Micros(days(20'001)));
  EXPECT_EQ(ledger->TotalToday(kNoon), 15u);
  EXPECT_TRUE(Charge(*ledger, kCare, {10, 100}, 1, kNoon + days(1), 15).granted);
}

TEST(Budget, AClockThatGoesBackGivesNothingBack) {
  MemoryState store;
  const auto ledger = Open(store);
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 100}, 10, kNoon).granted);
  for (const int back : {1, 2, 40, 5000}) {
    const auto refused = Charge(*ledger, kPolice, {10, 100}, 1, kNoon - days(back));
    EXPECT_FALSE(refused.granted) << back;
    EXPECT_EQ(refused.resets_at, Micros(days(20'001)));
    EXPECT_EQ(ledger->DaysBehind(kNoon - days(back)), static_cast<uint32_t>(back));
  }
  EXPECT_EQ(ledger->DaysBehind(kNoon), 0u);
  const auto reopened = Open(store);
  EXPECT_FALSE(Charge(*reopened, kPolice, {10, 100}, 1, kNoon - days(1)).granted);
}

TEST(Budget, ATimeBeforeTheEpochOrFarAheadIsHarmless) {
  MemoryState store;
  const auto ledger = Open(store);
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 100}, 10, Micros(-1)).granted);
  EXPECT_FALSE(Charge(*ledger, kPolice, {10, 100}, 1, Micros(0)).granted);
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 100}, 10, Micros::max()).granted);
  const auto refused = Charge(*ledger, kPolice, {10, 100}, 1, kNoon);
  EXPECT_FALSE(refused.granted);
  EXPECT_GT(*refused.resets_at, kNoon);
}

TEST(Budget, SurvivesARestart) {
  MemoryState store;
  EXPECT_TRUE(Charge(*Open(store), kPolice, {10, 100}, 7, kNoon).granted);
  const auto ledger = Open(store);
  EXPECT_EQ(ledger->View(kPolice, kNoon).day_used, 7u);
  EXPECT_FALSE(Charge(*ledger, kPolice, {10, 100}, 4, kNoon).granted);
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 100}, 3, kNoon).granted);
}

TEST(Budget, AFailedSyncGrantsNothingEverAfter) {
  for (const bool kept : {false, true}) {
    MemoryState store;
    const auto ledger = Open(store);
    EXPECT_TRUE(Charge(*ledger, kPolice, {10, 100}, 1, kNoon).granted);
    store.FailNextCommit(kept);
    EXPECT_FALSE(ledger->Charge(kPolice, {10, 100}, kNoCap, 1, kNoon).ok());
    EXPECT_FALSE(ledger->Charge(kCare, {10, 100}, kNoCap, 1, kNoon).ok());
    const MemoryState restarted(store);
    MemoryState after(restarted);
    EXPECT_EQ(Open(after)->View(kPolice, kNoon).day_used, kept ? 2u : 1u);
  }
}

TEST(Budget, AlarmsOnceWhenHalfIsReached) {
  MemoryState store;
  const auto ledger = Open(store);
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 30}, 4, kNoon, 100).half_used.empty());
  EXPECT_EQ(Charge(*ledger, kPolice, {10, 30}, 1, kNoon, 100).half_used,
            std::vector{BudgetScope::kDay});
  EXPECT_TRUE(Charge(*ledger, kPolice, {10, 30}, 5, kNoon, 100).half_used.empty());
  EXPECT_EQ(Charge(*ledger, kPolice, {10, 30}, 5, kNoon + days(1), 10).half_used,
            (std::vector{BudgetScope::kDay, BudgetScope::k30Days, BudgetScope::kCap}));
}

TEST(Budget, ForgetsWhatIsOlderThanThirtyDays) {
  MemoryState store;
  const auto ledger = Open(store);
  for (int day = 0; day < 100; ++day) {
    EXPECT_TRUE(Charge(*ledger, kPolice, {10, 1000}, 1, days(20'000 + day)).granted);
    EXPECT_TRUE(Charge(*ledger, kCare, {10, 1000}, 1, days(20'000 + day)).granted);
    EXPECT_LE(store.Contents(store::Family::kHot).size(), 2 * kWindowDays);
  }
  EXPECT_EQ(ledger->View(kPolice, days(20'099)).window_used, 30u);
}

TEST(Budget, RefusesAStoreThatItDidNotWrite) {
  const std::string prefix = "custodian/1/used/";
  const std::vector<std::pair<Bytes, Bytes>> bad = {
      {prefix, Bytes(4, '\1')},
      {prefix + kPolice.str() + Bytes(3, '\1'), Bytes(4, '\1')},
      {prefix + kPolice.str() + Bytes(5, '\1'), Bytes(4, '\1')},
      {prefix + std::string(20, 'x') + Bytes(4, '\1'), Bytes(4, '\1')},
      {prefix + kPolice.str() + Bytes(4, '\1'), Bytes(3, '\1')},
      {prefix + kPolice.str() + Bytes(4, '\1'), Bytes(4, '\0')},
  };
  for (const auto& [key, value] : bad) {
    MemoryState store;
    store::Batch batch;
    batch.Put(store::Family::kHot, key, value);
    ASSERT_TRUE(store.Commit(batch, 1).ok());
    const auto ledger = BudgetLedger::Open(store);
    ASSERT_FALSE(ledger.ok());
    EXPECT_EQ(ledger.error().reason, "BUDGETS_CORRUPT");
  }
}

TEST(Budget, StoresOneCountAMemberAndDayAsFormatMdShows) {
  MemoryState store;
  EXPECT_TRUE(Charge(*Open(store), kPolice, {500, 5000}, 256, days(20'779)).granted);
  const auto contents = store.Contents(store::Family::kHot);
  ASSERT_EQ(contents.size(), 1u);
  EXPECT_EQ(HexEncode(contents.begin()->first),
            "637573746f6469616e2f312f757365642f"
            "3030303030303939303030303030303031303030"
            "0000512b");
  EXPECT_EQ(HexEncode(contents.begin()->second), "00000100");
}

}  // namespace
}  // namespace schakel::custodian
