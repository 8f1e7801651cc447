// The ledger against a model that keeps every charge and adds them up anew each time.
#include <gtest/gtest.h>

#include <random>

#include "broker/custodian/budget.h"
#include "tests/unit/custodian/test_ledger.h"

namespace schakel::custodian {
namespace {

using store::testing::MemoryState;

struct Model {
  struct Entry {
    size_t who;
    int64_t day;
    uint64_t count;
  };
  std::vector<Entry> entries;
  int64_t latest = 0;

  int64_t Today(int64_t day) const { return std::max(day, latest); }
  uint64_t Day(size_t who, int64_t day) const {
    uint64_t sum = 0;
    for (const auto& e : entries) sum += e.who == who && e.day == day ? e.count : 0;
    return sum;
  }
  uint64_t Window(size_t who, int64_t last) const {
    uint64_t sum = 0;
    for (const auto& e : entries) sum += e.who == who && e.day > last - 30 ? e.count : 0;
    return sum;
  }
  uint64_t All(int64_t day) const {
    uint64_t sum = 0;
    for (const auto& e : entries) sum += e.day == day ? e.count : 0;
    return sum;
  }
  bool Fits(size_t who, BudgetLimits limits, uint32_t cap, uint32_t count, int64_t today) const {
    return Day(who, today) + count <= limits.per_day &&
           Window(who, today) + count <= limits.per_30_days && All(today) + count <= cap;
  }
};

const std::vector<OrganisationId>& Organisations() {
  static const std::vector<OrganisationId> all = {*OrganisationId::From("00000099000000001000"),
                                                  *OrganisationId::From("00000099000000002000"),
                                                  *OrganisationId::From("00000099000000003000")};
  return all;
}

class BudgetModel : public ::testing::TestWithParam<uint32_t> {};

TEST_P(BudgetModel, AgreesWithASimpleOneOverRandomStepsRestartsAndClockJumps) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  std::mt19937 random(GetParam());
  const auto upto = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  const std::vector<BudgetLimits> limits = {{20, 200}, {50, 60}, {7, 100}};
  constexpr uint32_t kCap = 55;

  MemoryState store;
  auto ledger = std::move(TestLedger::Open(store)).value();
  Model model;
  int64_t clock_day = 20'000;
  size_t granted = 0, refused = 0;
  for (int step = 0; step < 3000; ++step) {
    const uint32_t what = upto(100);
    if (what < 10) clock_day += upto(3);
    if (what == 10) clock_day += 35;
    if (what == 11) clock_day -= upto(40);
    if (what < 14) ledger = std::move(TestLedger::Open(store)).value();

    const size_t who = upto(3);
    const uint32_t count = 1 + upto(what % 7 == 0 ? 30 : 6);
    const Micros now = std::chrono::days(clock_day) + std::chrono::seconds(upto(86'400));
    const int64_t today = model.Today(clock_day);
    const auto outcome = ledger->Charge(Organisations()[who], limits[who], kCap, count, now);
    ASSERT_TRUE(outcome.ok());
    ASSERT_EQ(outcome->granted, model.Fits(who, limits[who], kCap, count, today)) << step;
    if (outcome->granted) {
      ++granted;
      model.entries.push_back({who, today, count});
      model.latest = today;
    } else {
      ++refused;
      int64_t fits = today + 1;
      while (fits < today + 40 && !model.Fits(who, limits[who], kCap, count, fits)) ++fits;
      if (fits == today + 40) {
        ASSERT_EQ(outcome->resets_at, std::nullopt) << step;
      } else {
        ASSERT_EQ(outcome->resets_at, Micros(std::chrono::days(fits))) << step;
      }
    }
    const BudgetView view = ledger->View(Organisations()[who], now);
    const int64_t viewed = model.Today(clock_day);
    ASSERT_EQ(view.day_used, model.Day(who, viewed)) << step;
    ASSERT_EQ(view.window_used, model.Window(who, viewed)) << step;
    ASSERT_EQ(ledger->TotalToday(now), model.All(viewed)) << step;
  }
  EXPECT_GT(granted, 300u);
  EXPECT_GT(refused, 300u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, BudgetModel, ::testing::Range(1u, 9u));

}  // namespace
}  // namespace schakel::custodian
