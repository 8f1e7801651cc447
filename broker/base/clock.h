// Time. The machine has none of its own: it gets it in its commands.
#pragma once

#include <chrono>
#include <cstdint>

namespace schakel {

// Microseconds since 1970-01-01 UTC, without leap seconds: the time of commands and records.
using Micros = std::chrono::microseconds;
// Milliseconds since 1970-01-01 UTC: the time in header, routing, meta and statement bytes.
using Millis = std::chrono::milliseconds;

// What the broker reads time from. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Micros Wall() const = 0;    // since the epoch; may jump
  virtual Micros Steady() const = 0;  // since any fixed moment; never goes back
};

class SystemClock final : public Clock {
 public:
  Micros Wall() const override {
    return std::chrono::duration_cast<Micros>(std::chrono::system_clock::now().time_since_epoch());
  }
  Micros Steady() const override {
    return std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now().time_since_epoch());
  }
};

}  // namespace schakel
