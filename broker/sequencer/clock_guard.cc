#include "broker/sequencer/clock_guard.h"

#include <algorithm>

#include "broker/base/limits.h"

namespace schakel::sequencer {

namespace {
Error Doubtful(const char* what) {
  return MakeError(ErrorCode::kUnavailable, "CLOCK_DOUBTFUL", what);
}
}  // namespace

Result<ClockGuard> ClockGuard::Start(const Clock& clock, Micros last) {
  ClockGuard guard(clock, last);
  if (last.count() != 0 && (guard.wall_ < last - Micros(limits::kClockBackAtStart) ||
                            guard.wall_ > last + Micros(limits::kClockAheadAtStart))) {
    return Doubtful(
        "the clock is more than 60 s before, or more than 7 days after, the last command; set it, or "
        "run accept-time");
  }
  return guard;
}

Result<Micros> ClockGuard::Now() {
  Micros wall = clock_->Wall();
  Micros drift = (wall - wall_) - (clock_->Steady() - steady_);
  if (drift > Micros(limits::kClockDrift) || drift < -Micros(limits::kClockDrift)) doubtful_ = true;
  if (doubtful_) return Doubtful("wall clock and steady clock differ by more than 60 s");
  last_ = std::max(last_, wall);
  return last_;
}

}  // namespace schakel::sequencer
