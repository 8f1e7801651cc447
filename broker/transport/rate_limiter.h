// Calls a second and open streams, per organisation.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/limits.h"
#include "broker/base/result.h"

namespace schakel::transport {

struct OrganisationLimits {
  uint32_t calls_per_second = limits::kRequestsPerSecondPerOrganisation;  // >= 1; also the burst
  uint32_t streams = limits::kStreamsPerOrganisationMax;                  // >= 1
};

// Token buckets that hold one second's calls, and counters of streams. Thread-safe.
// LIMIT: at most limits::kOrganisationsMax organisations are remembered; idle ones are forgotten.
class RateLimiter : public std::enable_shared_from_this<RateLimiter> {
 public:
  // Gives its place back at the end of its life. Movable; may outlive the limiter's other users.
  class StreamSlot {
   public:
    StreamSlot() = default;
    StreamSlot(StreamSlot&& other) noexcept = default;
    StreamSlot& operator=(StreamSlot&& other) noexcept;
    ~StreamSlot();

   private:
    friend class RateLimiter;
    StreamSlot(std::shared_ptr<RateLimiter> limiter, std::string oin)
        : limiter_(std::move(limiter)), oin_(std::move(oin)) {}
    std::shared_ptr<RateLimiter> limiter_;
    std::string oin_;
  };

  // `clock` (Steady is read) must outlive it.
  static std::shared_ptr<RateLimiter> Make(OrganisationLimits limits, const Clock* clock);

  // Takes one call. Errors: RATE_LIMITED with retry_after_ms.
  Status TakeCall(const OrganisationId& organisation);
  // Takes a place for a stream. Errors: RATE_LIMITED.
  Result<StreamSlot> OpenStream(const OrganisationId& organisation);

  uint32_t OpenStreams(const OrganisationId& organisation) const;
  size_t size() const;

 private:
  struct Bucket {
    double tokens = 0;
    Micros filled{};
    uint32_t streams = 0;
  };
  RateLimiter(OrganisationLimits limits, const Clock* clock) : limits_(limits), clock_(clock) {}
  Bucket* FindOrAdd(const std::string& oin);  // nullptr when full; mutex_ held
  void CloseStream(const std::string& oin);

  const OrganisationLimits limits_;
  const Clock* const clock_;
  mutable std::mutex mutex_;  // guards buckets_
  std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace schakel::transport
