// Sending what lies ready, with so many signals in flight: a call a signal, or on streams.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "clients/cli/bench/load_options.h"
#include "clients/cli/bench/stock.h"
#include "clients/sdk/publisher.h"

namespace schakel::cli {

using BenchClock = std::chrono::steady_clock;

// What may be in flight. Thread-safe.
class Tokens {
 public:
  explicit Tokens(size_t count) : count_(count), free_(count) {}

  // Waits for one; false when `until` or `stop` came first.
  bool Acquire(BenchClock::time_point until, const Stop& stop);
  void Release();
  // How many are taken.
  size_t taken() const;

 private:
  const size_t count_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  size_t free_;
};

// Hears of every signal that is sent, from many threads.
class SendObserver {
 public:
  virtual ~SendObserver() = default;
  // Before anything is done with it.
  virtual void Began(const SignalId& signal, BenchClock::time_point began) = 0;
  // The broker's answer, or why there is none. Who has no more use for the signal gives its token
  // back.
  virtual void Answered(const SignalId& signal, BenchClock::time_point began,
                        const Result<v1::PublishResult>& answer) = 0;
};

class Sending {
 public:
  // `settings.senders` connections. What is given is to outlive it.
  static Result<std::unique_ptr<Sending>> Open(sdk::Session& session, Stock& stock,
                                               const LoadSettings& settings, Tokens& tokens,
                                               SendObserver& observer);
  ~Sending();
  Sending(const Sending&) = delete;
  Sending& operator=(const Sending&) = delete;

  // Sends until `until`, `most` were sent, the stock is empty, or `stop`; returns when the last of
  // them was answered. `look` is called from this thread every now and then. The Error: a signal
  // that was not answered, or the stream that broke; then nothing can be sent any more.
  Status Run(BenchClock::time_point until, uint64_t most, const Stop& stop,
             const std::function<void()>& look);

  uint64_t sent() const { return sent_; }
  // Calls that were made once more, since the broker said so or the connection was lost; streams
  // that were opened again.
  uint64_t repeats() const;
  // How many signatures there are on them.
  uint64_t signatures() const;

 private:
  struct Round {
    BenchClock::time_point until;
    uint64_t most = 0;
    const Stop& stop;
    std::atomic<uint64_t> begun = 0;
  };

  Sending(Stock& stock, const LoadSettings& settings, Tokens& tokens, SendObserver& observer)
      : stock_(stock), settings_(settings), tokens_(tokens), observer_(observer) {}
  // The next signal, with a token taken; nullopt when the round is over.
  std::optional<sdk::ComposedSignal> Next(Round& round);
  void Call(Round& round, sdk::Connection& connection);
  void Stream(Round& round, sdk::Publisher& publisher);
  void Fail(const Error& error);

  Stock& stock_;
  const LoadSettings settings_;
  Tokens& tokens_;
  SendObserver& observer_;
  std::vector<std::shared_ptr<sdk::Connection>> connections_;
  std::vector<std::unique_ptr<sdk::Publisher>> publishers_;
  std::atomic<uint64_t> sent_ = 0;
  std::atomic<uint64_t> repeated_calls_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;  // guards error_
  std::optional<Error> error_;
};

}  // namespace schakel::cli
