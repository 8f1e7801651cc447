// A day, for tests in which many pass.
#pragma once

#include "broker/base/clock.h"

namespace schakel::testing {

inline constexpr Micros kDay = std::chrono::hours(24);

}  // namespace schakel::testing
