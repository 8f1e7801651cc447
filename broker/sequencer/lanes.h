// What waits to be ordered, in three lanes: (1) withdrawals and settlements, with reserved room;
// (2) deliveries; (3) the rest, round robin over organisations, none more than a quarter of the
// queue.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/machine/command.h"
#include "broker/machine/outcome.h"

namespace schakel::sequencer {

enum class Lane : uint8_t { kSettle = 1, kDeliver = 2, kRest = 3 };

// The lane of a request: what ends, withdraws or settles comes first.
Lane LaneOf(const machine::Request& request);

// Called once, when the command is durable, or with the error for which it never took effect.
using Done = std::function<void(Result<machine::Outcome>)>;

struct Waiting {
  machine::Request request;
  std::optional<machine::Caller> caller;
  Done done;
};

// Not thread-safe: the sequencer guards it.
class Lanes {
 public:
  // QUEUE_FULL, RESOURCE_EXHAUSTED with a time to retry after, when the lane or the organisation's
  // share of it is full; `waiting` is untouched then.
  Status Push(Lane lane, Waiting& waiting);
  // The next in order, at most `max`.
  std::vector<Waiting> Take(size_t max);
  // Everything.
  std::vector<Waiting> TakeAll();
  bool empty() const { return size() == 0; }
  // Whether something waits in the first lane.
  bool urgent() const { return !settle_.empty(); }
  size_t size() const { return settle_.size() + deliver_.size() + rest_size_; }

 private:
  std::deque<Waiting> settle_;
  std::deque<Waiting> deliver_;
  std::map<std::string, std::deque<Waiting>> rest_;  // by organisation
  std::string last_served_;
  size_t rest_size_ = 0;
};

}  // namespace schakel::sequencer
