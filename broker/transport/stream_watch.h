// Looks each second whether those at the other end of open streams are still welcome: a revoked
// certificate, a replaced revocation list, a disabled organisation or another role ends a stream
// within limits::kRevocationCheckInterval and a little.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "broker/base/clock.h"
#include "broker/base/limits.h"
#include "broker/base/result.h"
#include "broker/transport/authenticator.h"

namespace schakel::transport {

// One open stream: its place among the organisation's streams, and the question whether it may go
// on. Movable.
class StreamGuard {
 public:
  StreamGuard(Authenticator* authenticator, Grant grant, RateLimiter::StreamSlot slot)
      : authenticator_(authenticator), grant_(std::move(grant)), slot_(std::move(slot)) {}

  // Success, or the Error to end the stream with. Thread-safe.
  Status Check() const { return authenticator_->Recheck(grant_); }
  // A message of the stream that counts as a call does. RATE_LIMITED. Thread-safe.
  Status TakeCall() const { return authenticator_->TakeCall(organisation()); }
  const OrganisationId& organisation() const { return grant_.identity->organisation; }

 private:
  Authenticator* authenticator_;
  Grant grant_;
  RateLimiter::StreamSlot slot_;
};

// One thread for all streams. Thread-safe.
class StreamWatch {
 private:
  struct Entry;

 public:
  // Ends the watching. After its destruction `on_end` does not run any more, and does not run now
  // unless it is `on_end` itself that destroyed it.
  class Registration {
   public:
    Registration() = default;
    Registration(Registration&&) noexcept = default;
    Registration& operator=(Registration&& other) noexcept;
    ~Registration();

   private:
    friend class StreamWatch;
    explicit Registration(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
    std::shared_ptr<Entry> entry_;
  };

  explicit StreamWatch(Micros interval = limits::kRevocationCheckInterval);
  ~StreamWatch();  // ends nothing: call EndAll before
  StreamWatch(const StreamWatch&) = delete;
  StreamWatch& operator=(const StreamWatch&) = delete;

  // `also` is asked each time beside the guard, when it is there: an Error of it ends the stream.
  // `on_end` is called at most once, with the Error that the stream must end with, from this
  // object's thread or from EndAll's; it must not block. `guard` must outlive the registration.
  // After EndAll it is called before Add returns.
  [[nodiscard]] Registration Add(const StreamGuard* guard, std::function<void(const Error&)> on_end,
                                 std::function<Status()> also = nullptr);

  // Ends all streams with this Error (a stop: NOT_SERVING), and those that come later too.
  void EndAll(const Error& error);

  size_t size() const;

 private:
  void Run();
  std::vector<std::shared_ptr<Entry>> Snapshot();

  const Micros interval_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  bool stopping_ = false;
  std::optional<Error> ended_;
  std::vector<std::weak_ptr<Entry>> entries_;
  std::thread thread_;
};

}  // namespace schakel::transport
