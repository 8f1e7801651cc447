// The periods of the chain director's figures, in whole weeks from Monday, UTC.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "schakel/v1/flow.pb.h"

namespace schakel::query {

// [begin_us, end_us), microseconds UTC.
struct FlowPeriod {
  uint64_t begin_us = 0;
  uint64_t end_us = 0;
  bool operator==(const FlowPeriod&) const = default;
};

// The last `count` periods that ended at or before `now_us`, the newest first, but none that began
// before `oldest_us`. A month or quarter
// has the weeks whose Thursday lies in it, so that periods of a kind share no week and leave none
// out.
std::vector<FlowPeriod> ClosedPeriods(v1::FlowPeriodKind kind, uint64_t now_us, size_t count,
                                      uint64_t oldest_us = 0);

// The first moment of the day, UTC.
uint64_t DayOf(uint64_t time_us);

}  // namespace schakel::query
