#include "broker/transport/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace schakel::transport {

RateLimiter::StreamSlot& RateLimiter::StreamSlot::operator=(StreamSlot&& other) noexcept {
  if (this != &other) {
    if (limiter_) limiter_->CloseStream(oin_);
    limiter_ = std::move(other.limiter_);
    oin_ = std::move(other.oin_);
  }
  return *this;
}

RateLimiter::StreamSlot::~StreamSlot() {
  if (limiter_) limiter_->CloseStream(oin_);
}

std::shared_ptr<RateLimiter> RateLimiter::Make(OrganisationLimits limits, const Clock* clock) {
  SCHAKEL_CHECK(limits.calls_per_second >= 1 && limits.streams >= 1, "limits are at least 1");
  return std::shared_ptr<RateLimiter>(new RateLimiter(limits, clock));
}

RateLimiter::Bucket* RateLimiter::FindOrAdd(const std::string& oin) {
  if (const auto found = buckets_.find(oin); found != buckets_.end()) return &found->second;
  const Micros now = clock_->Steady();
  if (buckets_.size() >= limits::kOrganisationsMax) {
    // A bucket untouched for a second is full again: forgetting it changes nothing.
    std::erase_if(buckets_, [now](const auto& item) {
      return item.second.streams == 0 && now - item.second.filled >= std::chrono::seconds(1);
    });
    if (buckets_.size() >= limits::kOrganisationsMax) return nullptr;
  }
  return &buckets_.emplace(oin, Bucket{double(limits_.calls_per_second), now, 0}).first->second;
}

Status RateLimiter::TakeCall(const OrganisationId& organisation) {
  std::lock_guard lock(mutex_);
  Bucket* bucket = FindOrAdd(organisation.str());
  const double rate = limits_.calls_per_second;
  double missing = 1;
  if (bucket != nullptr) {
    const Micros now = clock_->Steady();
    const double seconds = std::chrono::duration<double>(now - bucket->filled).count();
    bucket->tokens = std::min(rate, bucket->tokens + seconds * rate);
    bucket->filled = now;
    if (bucket->tokens >= 1) {
      bucket->tokens -= 1;
      return {};
    }
    missing = 1 - bucket->tokens;
  }
  Error error =
      MakeError(ErrorCode::kResourceExhausted, "RATE_LIMITED",
                "more than " + std::to_string(limits_.calls_per_second) + " calls a second");
  error.retry_after_ms = std::max<int64_t>(1, std::llround(std::ceil(missing / rate * 1000)));
  return error;
}

Result<RateLimiter::StreamSlot> RateLimiter::OpenStream(const OrganisationId& organisation) {
  std::lock_guard lock(mutex_);
  Bucket* bucket = FindOrAdd(organisation.str());
  if (bucket == nullptr || bucket->streams >= limits_.streams) {
    Error error = MakeError(ErrorCode::kResourceExhausted, "RATE_LIMITED",
                            "more than " + std::to_string(limits_.streams) + " open streams");
    error.retry_after_ms = 1000;  // streams live long: sooner makes no sense
    return error;
  }
  ++bucket->streams;
  return StreamSlot(shared_from_this(), organisation.str());
}

void RateLimiter::CloseStream(const std::string& oin) {
  std::lock_guard lock(mutex_);
  const auto found = buckets_.find(oin);
  SCHAKEL_CHECK(found != buckets_.end() && found->second.streams > 0,
                "a stream's place is given back once");
  --found->second.streams;
}

uint32_t RateLimiter::OpenStreams(const OrganisationId& organisation) const {
  std::lock_guard lock(mutex_);
  const auto found = buckets_.find(organisation.str());
  return found == buckets_.end() ? 0 : found->second.streams;
}

size_t RateLimiter::size() const {
  std::lock_guard lock(mutex_);
  return buckets_.size();
}

}  // namespace schakel::transport
