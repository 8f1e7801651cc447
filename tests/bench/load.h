// Keeps a number of calls in flight over some channels for a while, and measures each.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "clients/cli/bench/histogram.h"

namespace schakel::bench {

struct LoadResult {
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
  uint64_t calls = 0;
  uint64_t with_warm_up = 0;  // calls that ended, counted or not
  uint64_t failed = 0;
  std::string first_error;
};

// Starts one call; `done(ok, error)` is called when it ended, from any thread.
using StartCall = std::function<void(std::function<void(bool ok, std::string error)> done)>;

// Makes one call and returns when it ended: what was wrong, or nothing.
using BlockingCall = std::function<std::string()>;

// `in_flight` calls at a time, for `warm_up` uncounted and then `duration` counted: calls that end
// in it.
LoadResult RunLoad(const StartCall& start, int in_flight, std::chrono::milliseconds warm_up,
                   std::chrono::milliseconds duration);
// The same with a thread for each call in flight.
LoadResult RunBlockingLoad(const BlockingCall& call, int in_flight,
                           std::chrono::milliseconds warm_up, std::chrono::milliseconds duration);

}  // namespace schakel::bench
