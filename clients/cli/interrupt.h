// SIGINT and SIGTERM as a wish to end after what is at hand.
#pragma once

#include <chrono>
#include <csignal>

namespace schakel::cli {

// While one lives the two signals only set a flag. One at a time in a process.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool interrupted() const;
  // Sleeps so long, or until interrupted.
  void Sleep(std::chrono::milliseconds time) const;

 private:
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

}  // namespace schakel::cli
