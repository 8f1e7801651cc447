#include "broker/query/flow_calendar.h"

#include <chrono>

namespace schakel::query {

namespace {

using std::chrono::days;
using std::chrono::sys_days;

constexpr int64_t kDayUs = int64_t{24} * 3600 * 1'000'000;

// Weeks are numbered by their Thursdays: the first day of 1970 was one.
uint64_t WeekBegin(int64_t week) { return static_cast<uint64_t>((week * 7 - 3) * kDayUs); }

// The first week whose Thursday is that day or later.
int64_t FirstWeekFrom(sys_days day) {
  const int64_t since = day.time_since_epoch().count();
  return (since + 6) / 7;
}

// The period's first month, and the period as a whole.
FlowPeriod MonthsFrom(std::chrono::year_month first, int months) {
  return {WeekBegin(FirstWeekFrom(sys_days(first / 1))),
          WeekBegin(FirstWeekFrom(sys_days((first + std::chrono::months(months)) / 1)))};
}

}  // namespace

uint64_t DayOf(uint64_t time_us) { return time_us - time_us % static_cast<uint64_t>(kDayUs); }

std::vector<FlowPeriod> ClosedPeriods(v1::FlowPeriodKind kind, uint64_t now_us, size_t count,
                                      uint64_t oldest_us) {
  std::vector<FlowPeriod> periods;
  const int64_t day = static_cast<int64_t>(now_us) / kDayUs;
  if (kind == v1::FLOW_PERIOD_KIND_WEEK) {
    int64_t week = (day + 3) / 7;  // the running one
    while (periods.size() < count && --week > 0 && WeekBegin(week) >= oldest_us) {
      periods.push_back({WeekBegin(week), WeekBegin(week + 1)});
    }
    return periods;
  }
  const int length = kind == v1::FLOW_PERIOD_KIND_QUARTER ? 3 : 1;
  const std::chrono::year_month_day today{sys_days(days(day))};
  const unsigned in_year = (static_cast<unsigned>(today.month()) - 1) / length * length + 1;
  // From one that may have begun already although its first day is still to come.
  auto first = today.year() / std::chrono::month(in_year) + std::chrono::months(length);
  for (; periods.size() < count && first.year() > std::chrono::year(1970);
       first -= std::chrono::months(length)) {
    const FlowPeriod period = MonthsFrom(first, length);
    if (period.begin_us < oldest_us) break;
    if (period.end_us <= now_us) periods.push_back(period);
  }
  return periods;
}

}  // namespace schakel::query
