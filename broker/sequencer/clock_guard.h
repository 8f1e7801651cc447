// Whether the broker's clock may be believed. Wall and steady clock are compared from the start on.
#pragma once

#include "broker/base/clock.h"
#include "broker/base/result.h"

namespace schakel::sequencer {

// For one thread at a time.
class ClockGuard {
 public:
  // CLOCK_DOUBTFUL unless the wall clock lies in [last - 60 s, last + 7 days]. `last` is the time of
  // the last command; zero in an empty store.
  static Result<ClockGuard> Start(const Clock& clock, Micros last);

  // The time for the next command: never before the one given last. CLOCK_DOUBTFUL, for good, once
  // wall and steady clock differ by more than 60 s.
  Result<Micros> Now();

 private:
  ClockGuard(const Clock& clock, Micros last)
      : clock_(&clock), last_(last), wall_(clock.Wall()), steady_(clock.Steady()) {}

  const Clock* clock_;
  Micros last_;
  Micros wall_;    // at the start
  Micros steady_;  // at the start
  bool doubtful_ = false;
};

}  // namespace schakel::sequencer
