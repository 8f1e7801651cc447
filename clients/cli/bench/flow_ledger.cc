#include "clients/cli/bench/flow_ledger.h"

#include <bit>

#include "clients/cli/bench/outcome.h"

namespace schakel::cli {

void FlowLedger::Began(const SignalId& signal, BenchClock::time_point began) {
  const std::lock_guard guard(mutex_);
  entries_.emplace(signal.str(), Entry{began});
}

void FlowLedger::Answered(const SignalId& signal, BenchClock::time_point began,
                          const Result<v1::PublishResult>& answer) {
  const auto took = BenchClock::now() - began;
  const auto outcome = OutcomeOf(answer);
  bool done = false;
  {
    const std::lock_guard guard(mutex_);
    ++events_;
    const auto entry = entries_.find(signal.str());
    if (entry == entries_.end()) return;
    if (outcome.decided) counts_.publish.Add(took);
    counts_.published += outcome.queued > 0 ? 1 : 0;
    counts_.expected += outcome.queued;
    for (const auto& reason : outcome.reasons) ++counts_.problems[reason];
    entry->second.answered = true;
    entry->second.queued = outcome.queued;
    done = Done(entry);
  }
  if (done) tokens_.Release();
}

bool FlowLedger::Delivered(const std::string& signal, size_t recipient) {
  const auto now = BenchClock::now();
  const std::lock_guard guard(mutex_);
  ++events_;
  const auto entry = entries_.find(signal);
  if (entry == entries_.end()) return false;
  const uint32_t bit = uint32_t{1} << recipient;
  if ((entry->second.delivered & bit) != 0) {
    ++counts_.again;
    return true;
  }
  entry->second.delivered |= bit;
  ++counts_.delivered;
  counts_.delivery.Add(now - entry->second.began);
  return true;
}

void FlowLedger::Acknowledged(const std::string& signal, size_t recipient) {
  const auto now = BenchClock::now();
  bool done = false;
  {
    const std::lock_guard guard(mutex_);
    ++events_;
    const auto entry = entries_.find(signal);
    const uint32_t bit = uint32_t{1} << recipient;
    if (entry == entries_.end() || (entry->second.acknowledged & bit) != 0) return;
    entry->second.acknowledged |= bit;
    ++counts_.acknowledged;
    counts_.acknowledge.Add(now - entry->second.began);
    done = Done(entry);
  }
  if (done) tokens_.Release();
}

bool FlowLedger::Done(Entries::iterator entry) {
  const Entry& now = entry->second;
  const auto acknowledged = static_cast<size_t>(std::popcount(now.acknowledged));
  if (!now.answered || acknowledged < now.queued) return false;
  entries_.erase(entry);
  return true;
}

void FlowLedger::Fail(const Error& error) {
  const std::lock_guard guard(mutex_);
  ++events_;
  if (!failure_) failure_ = error;
}

std::optional<Error> FlowLedger::Failure() const {
  const std::lock_guard guard(mutex_);
  return failure_;
}

uint64_t FlowLedger::events() const {
  const std::lock_guard guard(mutex_);
  return events_;
}

void FlowLedger::Reset() {
  const std::lock_guard guard(mutex_);
  counts_ = {};
}

FlowCounts FlowLedger::Counts() const {
  const std::lock_guard guard(mutex_);
  FlowCounts counts = counts_;
  if (counts.expected > counts.delivered) {
    counts.problems["UNDELIVERED"] = counts.expected - counts.delivered;
  }
  if (counts.delivered > counts.acknowledged) {
    counts.problems["UNACKNOWLEDGED"] = counts.delivered - counts.acknowledged;
  }
  return counts;
}

}  // namespace schakel::cli
