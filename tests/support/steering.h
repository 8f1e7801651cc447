// How a test steers the broker that it started (steered_broker_main.cc): one page of memory, mapped
// by both from a file. What the test sets holds from that moment on, also for a broker that is
// started later.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

namespace schakel::testing {

// Thread-safe, and safe between processes.
class Steering {
 public:
  using Micros = std::chrono::microseconds;

  // Maps the file, and makes it when it is not there: nothing is steered then. Stops the process
  // when it can't.
  explicit Steering(const std::filesystem::path& file);
  ~Steering();
  Steering(const Steering&) = delete;
  Steering& operator=(const Steering&) = delete;

  // ---- The test's side ----
  // Time passes: wall and steady clock go on together.
  void Pass(Micros by);
  // The wall clock alone is moved, forwards or back.
  void Jump(Micros by);
  // What the disk says is free; returns when the broker has seen it, which looks once a second.
  // False when it has not within 10 s.
  bool SetFreeBytes(uint64_t bytes);
  // The next sync of the broker's database fails, once.
  void FailNextSync();
  bool sync_failure_waits() const;
  // Returns when the broker has looked after itself so often (once a second: its disk, its health).
  bool AwaitLooks(uint64_t count) const;

  // ---- The broker's side ----
  Micros wall_ahead() const;
  Micros steady_ahead() const;
  // Counts as a look.
  uint64_t LookAtFreeBytes();
  // Whether this sync is to fail.
  bool TakeSyncFailure();

 private:
  struct Page;
  Page* page_;
};

}  // namespace schakel::testing
