// Where each signal of a flow is: sent, answered, delivered, acknowledged.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "clients/cli/bench/histogram.h"
#include "clients/cli/bench/sending.h"

namespace schakel::cli {

struct FlowCounts {
  uint64_t published = 0;        // signals that wait for at least one recipient
  uint64_t expected = 0;         // deliveries of them, one a recipient
  uint64_t delivered = 0;        // of those
  uint64_t acknowledged = 0;     // of those
  uint64_t again = 0;            // deliveries of what was delivered before
  bench::Latencies publish;      // until the broker's answer
  bench::Latencies delivery;     // from the same moment, until it is here
  bench::Latencies acknowledge;  // from the same moment, until the broker has it
  std::map<std::string, uint64_t> problems;
};

// Thread-safe. A signal's token goes back when all that follows from it has happened.
class FlowLedger final : public SendObserver {
 public:
  explicit FlowLedger(Tokens& tokens) : tokens_(tokens) {}

  void Began(const SignalId& signal, BenchClock::time_point began) override;
  void Answered(const SignalId& signal, BenchClock::time_point began,
                const Result<v1::PublishResult>& answer) override;

  // Recipients are numbered from 0, at most 32. False: the signal is none of this flow.
  bool Delivered(const std::string& signal, size_t recipient);
  void Acknowledged(const std::string& signal, size_t recipient);

  // Nothing more can come: the first is told by Failure().
  void Fail(const Error& error);
  std::optional<Error> Failure() const;
  // Counts up with everything that happens.
  uint64_t events() const;

  // REQUIRES: nothing is in flight
  void Reset();
  // What never came counts as a problem: UNDELIVERED, UNACKNOWLEDGED.
  FlowCounts Counts() const;

 private:
  struct Entry {
    BenchClock::time_point began;
    bool answered = false;
    size_t queued = 0;  // once answered: recipients that wait for it
    uint32_t delivered = 0;
    uint32_t acknowledged = 0;
  };
  using Entries = std::unordered_map<std::string, Entry>;
  // mutex_ held. Whether the token is to go back.
  bool Done(Entries::iterator entry);

  Tokens& tokens_;
  mutable std::mutex mutex_;  // guards what follows
  Entries entries_;
  FlowCounts counts_;
  uint64_t events_ = 0;
  std::optional<Error> failure_;
};

}  // namespace schakel::cli
