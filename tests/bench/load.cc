#include "tests/bench/load.h"

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace schakel::bench {

namespace {

using Clock = std::chrono::steady_clock;

struct Run {
  Run(const StartCall& s, Clock::time_point from, Clock::time_point until, int in_flight)
      : start(s), count_from(from), end(until), open(in_flight) {}

  const StartCall& start;
  const Clock::time_point count_from;
  const Clock::time_point end;
  std::mutex mutex;  // guards what follows
  std::condition_variable idle;
  int open = 0;
  Latencies latencies;
  uint64_t failed = 0;
  std::string first_error;
};

void Next(const std::shared_ptr<Run>& run) {
  auto began = Clock::now();
  run->start([run, began](bool ok, const std::string& error) {
    auto now = Clock::now();
    bool more = now < run->end;
    {
      std::lock_guard lock(run->mutex);
      if (!ok) {
        ++run->failed;
        if (run->first_error.empty()) run->first_error = error;
      } else if (began >= run->count_from && more) {
        run->latencies.Add(now - began);
      }
      if (!more) {
        --run->open;
        run->idle.notify_all();
      }
    }
    if (more) Next(run);
  });
}

}  // namespace

LoadResult RunLoad(const StartCall& start, int in_flight, std::chrono::milliseconds warm_up,
                   std::chrono::milliseconds duration) {
  auto now = Clock::now();
  auto run = std::make_shared<Run>(start, now + warm_up, now + warm_up + duration, in_flight);
  for (int i = 0; i < in_flight; ++i) Next(run);
  std::unique_lock lock(run->mutex);
  run->idle.wait(lock, [&] { return run->open == 0; });
  LoadResult result;
  result.calls = run->latencies.size();
  result.failed = run->failed;
  result.first_error = run->first_error;
  if (result.calls == 0) return result;
  result.per_second =
      static_cast<double>(result.calls) / std::chrono::duration<double>(duration).count();
  result.p50_us = run->latencies.Micros(0.50);
  result.p99_us = run->latencies.Micros(0.99);
  return result;
}

}  // namespace schakel::bench
