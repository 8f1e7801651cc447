#include "broker/query/flow_calendar.h"

#include <gtest/gtest.h>

#include <chrono>

namespace schakel::query {
namespace {

using namespace std::chrono;  // NOLINT(google-build-using-namespace): dates are written with it
using namespace std::chrono_literals;

uint64_t At(year_month_day date, microseconds time = 0us) {
  return static_cast<uint64_t>((sys_days(date).time_since_epoch() + time) / 1us);
}

constexpr auto kAllKinds = {v1::FLOW_PERIOD_KIND_WEEK, v1::FLOW_PERIOD_KIND_MONTH,
                            v1::FLOW_PERIOD_KIND_QUARTER};

TEST(FlowCalendar, WeeksGoFromMondayToMonday) {
  const auto weeks = ClosedPeriods(v1::FLOW_PERIOD_KIND_WEEK, At(2026y / November / 26, 1h), 2);
  ASSERT_EQ(weeks.size(), 2u);
  EXPECT_EQ(weeks[0], (FlowPeriod{At(2026y / November / 16), At(2026y / November / 23)}));
  EXPECT_EQ(weeks[1], (FlowPeriod{At(2026y / November / 9), At(2026y / November / 16)}));
}

TEST(FlowCalendar, AWeekIsClosedFromItsLastMomentOn) {
  const auto monday = At(2026y / November / 23);
  EXPECT_EQ(ClosedPeriods(v1::FLOW_PERIOD_KIND_WEEK, monday, 1)[0].end_us, monday);
  EXPECT_EQ(ClosedPeriods(v1::FLOW_PERIOD_KIND_WEEK, monday - 1, 1)[0].end_us,
            At(2026y / November / 16));
}

TEST(FlowCalendar, AMonthHasTheWeeksWhoseThursdayLiesInIt) {
  // 1 October 2026 is a Thursday: its week begins in September and belongs to October.
  const auto months = ClosedPeriods(v1::FLOW_PERIOD_KIND_MONTH, At(2026y / November / 26), 2);
  ASSERT_EQ(months.size(), 2u);
  EXPECT_EQ(months[0], (FlowPeriod{At(2026y / September / 28), At(2026y / November / 2)}));
  EXPECT_EQ(months[1], (FlowPeriod{At(2026y / August / 31), At(2026y / September / 28)}));
}

TEST(FlowCalendar, AMonthMayBeClosedBeforeItsLastDay) {
  // November 2026 has the weeks up to that of Thursday the 26th: it ends on Sunday the 29th.
  EXPECT_EQ(ClosedPeriods(v1::FLOW_PERIOD_KIND_MONTH, At(2026y / November / 30), 1)[0].end_us,
            At(2026y / November / 30));
}

TEST(FlowCalendar, AQuarterHasThreeMonths) {
  const auto quarters = ClosedPeriods(v1::FLOW_PERIOD_KIND_QUARTER, At(2026y / November / 26), 1);
  ASSERT_EQ(quarters.size(), 1u);
  EXPECT_EQ(quarters[0], (FlowPeriod{At(2026y / June / 29), At(2026y / September / 28)}));
}

TEST(FlowCalendar, PeriodsOfAKindShareNoWeekAndLeaveNoneOut) {
  for (auto kind : kAllKinds) {
    for (int day = 0; day < 800; ++day) {
      const uint64_t now = At(2026y / January / 1) + static_cast<uint64_t>(day) * 86'400'000'000;
      const auto periods = ClosedPeriods(kind, now, 5);
      ASSERT_EQ(periods.size(), 5u);
      ASSERT_LE(periods[0].end_us, now);
      for (size_t i = 0; i < periods.size(); ++i) {
        ASSERT_LT(periods[i].begin_us, periods[i].end_us);
        ASSERT_EQ((periods[i].end_us - periods[i].begin_us) % (7 * 86'400'000'000), 0u);
        if (i > 0) {
          ASSERT_EQ(periods[i].end_us, periods[i - 1].begin_us);
        }
      }
      // The newest is the last that closed: the next of its kind is not over yet.
      const uint64_t length = periods[0].end_us - periods[0].begin_us;
      const auto later = ClosedPeriods(kind, periods[0].end_us + 2 * length, 5);
      for (const auto& period : later) {
        ASSERT_FALSE(period.begin_us >= periods[0].end_us && period.end_us <= now);
      }
    }
  }
}

TEST(FlowCalendar, HasNoPeriodThatBeganBeforeWhatIsKept) {
  const auto now = At(2026y / November / 26);
  const auto kept = At(2026y / November / 9);
  EXPECT_EQ(ClosedPeriods(v1::FLOW_PERIOD_KIND_WEEK, now, 5, kept).size(), 2u);
  EXPECT_EQ(ClosedPeriods(v1::FLOW_PERIOD_KIND_WEEK, now, 5, kept + 1).size(), 1u);
  EXPECT_TRUE(ClosedPeriods(v1::FLOW_PERIOD_KIND_MONTH, now, 5, kept).empty());
}

TEST(FlowCalendar, HasNoPeriodBeforeTheFirst) {
  EXPECT_TRUE(ClosedPeriods(v1::FLOW_PERIOD_KIND_WEEK, 0, 5).empty());
  EXPECT_TRUE(ClosedPeriods(v1::FLOW_PERIOD_KIND_QUARTER, 0, 5).empty());
}

}  // namespace
}  // namespace schakel::query
