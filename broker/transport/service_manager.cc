#include "broker/transport/service_manager.h"

#include <systemd/sd-daemon.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <future>

namespace schakel::transport {
namespace {

using std::chrono::microseconds;

constexpr microseconds kLookInterval = std::chrono::seconds(1);
// One slow sync is no news.
constexpr int kLooksBeforeWarning = 5;

// Control characters would begin another assignment of the datagram.
std::string OneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return line;
}

void Send(const std::string& state) {
  static_cast<void>(sd_notify(/*unset_environment=*/0, state.c_str()));
}

std::string MonotonicMicros() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(uint64_t{1'000'000} * static_cast<uint64_t>(now.tv_sec) +
                        static_cast<uint64_t>(now.tv_nsec) / 1000);
}

// The signal that came within `patience`; 0: none.
int WaitForSignal(const sigset_t& signals, microseconds patience) {
  timespec timeout{};
  timeout.tv_sec = patience.count() / 1'000'000;
  timeout.tv_nsec = (patience.count() % 1'000'000) * 1000;
  return std::max(::sigtimedwait(&signals, nullptr, &timeout), 0);
}

}  // namespace

std::optional<microseconds> ServiceManager::PingsWithin() {
  uint64_t within = 0;
  if (sd_watchdog_enabled(/*unset_environment=*/0, &within) <= 0 || within == 0)
    return std::nullopt;
  return microseconds(within);
}

void ServiceManager::Ready(std::string_view status) {
  status_ = OneLine(status);
  Send("READY=1\nSTATUS=" + status_);
}

// The time lets a newer manager (Type=notify-reload) match the answer to its signal.
void ServiceManager::Reloading() { Send("RELOADING=1\nMONOTONIC_USEC=" + MonotonicMicros()); }

void ServiceManager::Stopping() {
  status_ = "stopping: calls in progress may end";
  Send("STOPPING=1\nSTATUS=" + status_);
}

void ServiceManager::Beat(bool alive, std::string_view status) {
  std::string state;
  if (alive) state = "WATCHDOG=1\n";
  if (std::string line = OneLine(status); line != status_) {
    status_ = std::move(line);
    state += "STATUS=" + status_;
  }
  if (!state.empty()) Send(state);
}

sigset_t ServerSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  return signals;
}

void Live(const ServerLife& life, Logger* log) {
  ServiceManager manager;
  const auto within = ServiceManager::PingsWithin();
  const microseconds interval = std::min(kLookInterval, within.value_or(kLookInterval) / 2);
  const sigset_t signals = ServerSignals();
  ProgressWatch progress;
  manager.Ready(life.look().status);
  int stuck = 0;  // looks in a row without progress
  int signal = 0;
  while (signal == 0 || signal == SIGHUP) {
    signal = WaitForSignal(signals, interval);
    if (signal == SIGHUP) {
      log->Info("reloading", {{LogKey::kSignal, signal}});
      manager.Reloading();
      life.reload();
      manager.Ready(life.look().status);
    }
    if (signal != 0) continue;
    const Vitals vitals = life.look();
    const bool gets_on = progress.GetsOn(vitals.done, vitals.waiting) && !vitals.failed;
    stuck = gets_on ? 0 : stuck + 1;
    if (stuck == kLooksBeforeWarning) {
      log->Failure("no_progress",
                   {{LogKey::kCount, vitals.waiting}, {LogKey::kDetail, vitals.status}});
    }
    manager.Beat(gets_on && within, vitals.status);
  }
  log->Info("draining", {{LogKey::kSignal, signal}});
  manager.Stopping();
  auto drained = std::async(std::launch::async, life.drain);
  while (drained.wait_for(interval) != std::future_status::ready) {
    manager.Beat(within.has_value(), "stopping: calls in progress may end");
  }
  log->Info("stopped");
}

}  // namespace schakel::transport
