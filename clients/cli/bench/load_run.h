// A load from its warm-up to its end: seals what is needed, sends it, and keeps the time of the
// sending alone.
#pragma once

#include <functional>
#include <optional>

#include "clients/cli/bench/sending.h"
#include "clients/cli/interrupt.h"
#include "clients/cli/invocation.h"

namespace schakel::cli {

struct LoadTimes {
  double seconds = 0;  // in which signals were sent, the wait for the last answer included
  uint64_t sent = 0;
  uint64_t repeats = 0;
  uint64_t signatures = 0;
  bool interrupted = false;
  std::optional<Error> error;  // what ended it early
};

class LoadRun {
 public:
  // What is given outlives it.
  LoadRun(Invocation& invocation, const LoadSettings& settings, Stock& stock, Sending& sending,
          const InterruptGuard& guard)
      : invocation_(invocation),
        settings_(settings),
        stock_(stock),
        sending_(sending),
        guard_(guard) {}

  // Called when everything that was sent is answered: to wait for what comes after.
  std::function<Status()> settle = [] { return Status(); };
  // Called between warm-up and what counts; nothing is in flight then.
  std::function<void()> begin_counting = [] {};

  // Rounds of sealing and sending, so that never more lies ready than goes in some 5 s, nor more
  // than 256 MiB. Errors: those of sealing.
  Result<LoadTimes> Go();

 private:
  Status Phase(std::chrono::nanoseconds duration, uint64_t most, LoadTimes& times);
  Status Seal(std::chrono::nanoseconds left, uint64_t most);
  bool Ended(const LoadTimes& times) const { return guard_.interrupted() || times.error; }

  Invocation& invocation_;
  const LoadSettings& settings_;
  Stock& stock_;
  Sending& sending_;
  const InterruptGuard& guard_;
  double per_second_ = 0;  // as the last round showed
  bool counting_ = false;
};

}  // namespace schakel::cli
