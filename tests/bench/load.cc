#include "tests/bench/load.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

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
  uint64_t ended = 0;
  uint64_t failed = 0;
  std::string first_error;
};

void Next(const std::shared_ptr<Run>& run) {
  auto began = Clock::now();
  run->start([run, began](bool ok, const std::string& error) {
    auto now = Clock::now();
    bool more = ok && now < run->end;  // a failed call ends its turn: the whole run is void
    {
      std::lock_guard lock(run->mutex);
      ++run->ended;
      if (!ok) {
        ++run->failed;
        if (run->first_error.empty()) run->first_error = error;
      } else if (now >= run->count_from && more) {
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

LoadResult ResultOf(Latencies& latencies, uint64_t failed, const std::string& first_error,
                    std::chrono::milliseconds duration) {
  LoadResult result;
  result.calls = latencies.size();
  result.failed = failed;
  result.first_error = first_error;
  if (result.calls == 0) return result;
  result.per_second =
      static_cast<double>(result.calls) / std::chrono::duration<double>(duration).count();
  result.p50_us = latencies.Micros(0.50);
  result.p99_us = latencies.Micros(0.99);
  return result;
}

}  // namespace

LoadResult RunLoad(const StartCall& start, int in_flight, std::chrono::milliseconds warm_up,
                   std::chrono::milliseconds duration) {
  auto now = Clock::now();
  auto run = std::make_shared<Run>(start, now + warm_up, now + warm_up + duration, in_flight);
  for (int i = 0; i < in_flight; ++i) Next(run);
  std::unique_lock lock(run->mutex);
  run->idle.wait(lock, [&] { return run->open == 0; });
  auto result = ResultOf(run->latencies, run->failed, run->first_error, duration);
  result.with_warm_up = run->ended;
  return result;
}

LoadResult RunBlockingLoad(const BlockingCall& call, int in_flight,
                           std::chrono::milliseconds warm_up, std::chrono::milliseconds duration) {
  const auto count_from = Clock::now() + warm_up;
  const auto end = count_from + duration;
  std::mutex mutex;  // guards what follows
  Latencies latencies;
  uint64_t ended = 0;
  uint64_t failed = 0;
  std::string first_error;
  std::vector<std::thread> threads;
  for (int i = 0; i < in_flight; ++i) {
    threads.emplace_back([&] {
      Latencies own;
      uint64_t own_ended = 0;
      for (auto began = Clock::now(); began < end;) {
        const std::string error = call();
        const auto now = Clock::now();
        if (!error.empty()) {
          std::lock_guard lock(mutex);
          ++failed;
          if (first_error.empty()) first_error = error;
          return;
        }
        ++own_ended;
        if (now >= count_from && now < end) {
          own.Add(now - began);
        }
        began = now;
      }
      std::lock_guard lock(mutex);
      latencies.Append(own);
      ended += own_ended;
    });
  }
  for (auto& thread : threads) thread.join();
  auto result = ResultOf(latencies, failed, first_error, duration);
  result.with_warm_up = ended;
  return result;
}

}  // namespace schakel::bench
