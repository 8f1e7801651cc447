// Budgets as members meet them: a day, 30 days, the cap, and the alarm at half.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/custodian/service_fixture.h"

namespace schakel::custodian {
namespace {

using ::testing::HasSubstr;

TEST_F(ServiceTest, ABudgetStaysUsedUpAfterARestart) {
  Admit({.per_day = 10, .per_30_days = 100});
  Start(0);
  EXPECT_EQ(EvaluateSome(0, 8).reason, "");
  const Ended refused = EvaluateSome(0, 3);
  EXPECT_EQ(refused.reason, "BUDGET_EXHAUSTED");
  EXPECT_EQ(refused.error.code, ErrorCode::kResourceExhausted);
  EXPECT_GT(refused.error.retry_after_ms, 0);
  EXPECT_EQ(EvaluateSome(0, 2).reason, "");

  Stop(0);
  Start(0);
  EXPECT_EQ(EvaluateSome(0, 1).reason, "BUDGET_EXHAUSTED");
  v1::GetBudgetResponse budget;
  EXPECT_EQ(Budget(0, &budget).reason, "");
  EXPECT_EQ(budget.day_remaining(), 0u);
  EXPECT_EQ(budget.day_limit(), 10u);
  EXPECT_EQ(budget.month_remaining(), 90u);
  EXPECT_EQ(budget.month_limit(), 100u);
  EXPECT_EQ(budget.day_resets().seconds() % 86'400, 0);
  const auto now = std::chrono::floor<std::chrono::seconds>(clock_.Wall()).count();
  EXPECT_GT(budget.day_resets().seconds(), now);
  EXPECT_LE(budget.day_resets().seconds(), now + 86'400);
}

TEST_F(ServiceTest, TheNextDayFillsTheDaysBudgetAndNotThatOf30Days) {
  Admit({.per_day = 10, .per_30_days = 15});
  Start(0);
  EXPECT_EQ(EvaluateSome(0, 10).reason, "");
  clock_.SetAhead(std::chrono::days(1));
  EXPECT_EQ(EvaluateSome(0, 5).reason, "");
  EXPECT_EQ(EvaluateSome(0, 1).reason, "BUDGET_EXHAUSTED");
  clock_.SetAhead(std::chrono::days(0));
  EXPECT_EQ(EvaluateSome(0, 1).reason, "BUDGET_EXHAUSTED");
  clock_.SetAhead(std::chrono::days(30));
  EXPECT_EQ(EvaluateSome(0, 10).reason, "");
}

TEST_F(ServiceTest, TheCapHoldsOverAllMembers) {
  set_.WriteMembers({{kMember, member_.certificate}, {kOther, other_.certificate}});
  Start(0, "cap_per_day: 12\n");
  EXPECT_EQ(EvaluateSome(0, 8).reason, "");
  const Ended refused = EvaluateSome(0, 5, &other_);
  EXPECT_EQ(refused.reason, "BUDGET_EXHAUSTED");
  EXPECT_THAT(refused.error.message, HasSubstr("cap"));
  EXPECT_EQ(EvaluateSome(0, 4, &other_).reason, "");
}

TEST_F(ServiceTest, ConcurrentCallsNeverGetMoreThanTheBudget) {
  Admit({.per_day = 50, .per_30_days = 5000});
  Start(0);
  std::atomic<int> granted = 0, exhausted = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      for (int n = 0; n < 10; ++n) {
        const std::string reason = EvaluateSome(0, 1).reason;
        granted += reason.empty() ? 1 : 0;
        exhausted += reason == "BUDGET_EXHAUSTED" ? 1 : 0;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(granted, 50);
  EXPECT_EQ(exhausted, 30);
}

TEST_F(ServiceTest, AGaugeNamesWhoUsedHalfOfABudget) {
  Admit({.per_day = 10, .per_30_days = 40});
  auto& server = Start(0, "cap_per_day: 20\n");
  const std::string day =
      "schakel_custodian_budget_used_ratio{organisation=\"" + kMember + "\",scope=\"day\"} ";
  const std::string window =
      "schakel_custodian_budget_used_ratio{organisation=\"" + kMember + "\",scope=\"30-days\"} ";
  EXPECT_EQ(EvaluateSome(0, 4).reason, "");
  server.Look();
  EXPECT_EQ(server.metrics().Text().find(kMember), std::string::npos);
  EXPECT_THAT(server.metrics().Text(), HasSubstr("schakel_custodian_members_over_half 0"));
  EXPECT_EQ(lines_.str().find("budget_half_used"), std::string::npos);
  EXPECT_EQ(EvaluateSome(0, 2).reason, "");
  server.Look();
  EXPECT_THAT(server.metrics().Text(), HasSubstr(day + "0.6"));
  EXPECT_THAT(server.metrics().Text(), HasSubstr("schakel_custodian_members_over_half 1"));
  EXPECT_EQ(server.metrics().Text().find(window), std::string::npos);
  EXPECT_THAT(server.metrics().Text(), HasSubstr("schakel_custodian_cap_used_ratio 0.3"));
  EXPECT_THAT(lines_.str(), HasSubstr("budget_half_used"));
  EXPECT_EQ(lines_.str().find("user-1"), std::string::npos) << "no personal data";
  EXPECT_EQ(EvaluateSome(0, 4).reason, "");
  clock_.SetAhead(std::chrono::days(1));
  EXPECT_EQ(EvaluateSome(0, 10).reason, "");
  server.Look();
  EXPECT_THAT(server.metrics().Text(), HasSubstr(day + "1"));
  EXPECT_THAT(server.metrics().Text(), HasSubstr(window + "0.5"));
  EXPECT_THAT(server.metrics().Text(),
              HasSubstr("schakel_custodian_budget_half_used_total{scope=\"30-days\"} 1"));
  EXPECT_THAT(server.metrics().Text(),
              HasSubstr("schakel_custodian_budget_half_used_total{scope=\"cap\"} 2"));
}

}  // namespace
}  // namespace schakel::custodian
