// What a program tells the service manager that started it (systemd, Type=notify): that it serves,
// reloads, stops, is alive. Who started it otherwise hears nothing. SOURCE: sd_notify(3),
// sd_watchdog_enabled(3)
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "broker/transport/log.h"

namespace schakel::transport {

// Sends datagrams to $NOTIFY_SOCKET. For one thread at a time; a message that can't be sent is
// dropped: the manager's own time limits are the answer to that.
class ServiceManager {
 public:
  // How often the manager expects a ping, from $WATCHDOG_USEC; nullopt: not at all.
  static std::optional<std::chrono::microseconds> PingsWithin();

  // `status` is one line for people, without personal data.
  void Ready(std::string_view status);
  void Reloading();
  void Stopping();
  // A ping, if one is due to be sent (`alive`), and the status, if it changed.
  void Beat(bool alive, std::string_view status);

 private:
  std::string status_;
};

// Whether something that works through a queue still gets on, from two figures that are looked at
// now and then.
class ProgressWatch {
 public:
  // `done` counts what was finished, `waiting` what is not. True when nothing waits, or when
  // something was finished since the look before; the first look is true.
  bool GetsOn(uint64_t done, uint64_t waiting) {
    const bool moved = !last_done_ || *last_done_ != done;
    last_done_ = done;
    return moved || waiting == 0;
  }

 private:
  std::optional<uint64_t> last_done_;
};

// A program's state, as it is looked at each second.
struct Vitals {
  uint64_t done = 0;     // work finished since the start
  uint64_t waiting = 0;  // work that waits or runs
  bool failed = false;   // can do no more work until it is started anew
  std::string status;    // one line for people
};

// What a server program does between its start and its end.
struct ServerLife {
  std::function<Vitals()> look;
  std::function<void()> reload;  // SIGHUP: reads again what can be read again
  std::function<void()> drain;   // SIGTERM, SIGINT; may take its time
};

// The signals that Live waits for; block them before any thread is started.
sigset_t ServerSignals();

// Says READY=1, then looks once a second (more often when the manager wants it) and pings while
// work gets on; SIGHUP reloads; SIGTERM or SIGINT drains, and then it returns. While it drains it
// pings: how long that may take is bounded by the manager (TimeoutStopSec=). REQUIRES:
// ServerSignals() are blocked in all threads.
void Live(const ServerLife& life, Logger* log);

}  // namespace schakel::transport
