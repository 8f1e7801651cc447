#include "clients/cli/interrupt.h"

#include <atomic>
#include <thread>

namespace schakel::cli {
namespace {

std::atomic<bool> flag{false};

}  // namespace

InterruptGuard::InterruptGuard() {
  flag = false;
  struct sigaction action {};
  action.sa_handler = [](int) { flag = true; };
  sigaction(SIGINT, &action, &before_int_);
  sigaction(SIGTERM, &action, &before_term_);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &before_int_, nullptr);
  sigaction(SIGTERM, &before_term_, nullptr);
}

bool InterruptGuard::interrupted() const { return flag; }

void InterruptGuard::Sleep(std::chrono::milliseconds time) const {
  constexpr std::chrono::milliseconds kSlice{50};
  const auto end = std::chrono::steady_clock::now() + time;
  while (!flag && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(kSlice);
}

}  // namespace schakel::cli
