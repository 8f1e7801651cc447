#include "broker/sequencer/lanes.h"

#include "broker/base/limits.h"

namespace schakel::sequencer {

namespace {

struct LaneFinder {
  Lane operator()(const machine::WithdrawStatement&) const { return Lane::kSettle; }
  // An objection; a consent takes the same way.
  Lane operator()(const machine::RecordStatement&) const { return Lane::kSettle; }
  Lane operator()(const machine::DisableOrganisation&) const { return Lane::kSettle; }
  Lane operator()(const machine::Acknowledge&) const { return Lane::kSettle; }
  Lane operator()(const machine::Refuse&) const { return Lane::kSettle; }
  Lane operator()(const machine::CancelDelivery&) const { return Lane::kSettle; }
  Lane operator()(const machine::ReleaseStream&) const { return Lane::kSettle; }
  Lane operator()(const machine::ReleaseLeftovers&) const { return Lane::kSettle; }
  Lane operator()(const machine::Tick&) const { return Lane::kSettle; }
  Lane operator()(const machine::Sweep&) const { return Lane::kSettle; }
  Lane operator()(const machine::Deliver&) const { return Lane::kDeliver; }
  template <typename T>
  Lane operator()(const T&) const {
    return Lane::kRest;
  }
};

Error Full(const char* what) {
  Error error = MakeError(ErrorCode::kResourceExhausted, "QUEUE_FULL", what);
  error.retry_after_ms = 100;
  return error;
}

}  // namespace

Lane LaneOf(const machine::Request& request) { return std::visit(LaneFinder{}, request); }

Status Lanes::Push(Lane lane, Waiting& waiting) {
  if (lane != Lane::kRest) {
    auto& queue = lane == Lane::kSettle ? settle_ : deliver_;
    if (queue.size() >= limits::kUrgentQueueCommandsMax) return Full("too many settlements wait");
    queue.push_back(std::move(waiting));
    return {};
  }
  if (rest_size_ >= limits::kQueueCommandsMax) return Full("too many commands wait");
  auto& queue = rest_[waiting.caller ? waiting.caller->organisation.str() : std::string()];
  if (queue.size() >= limits::kQueueCommandsMax / 4) {
    return Full("too many commands of this organisation wait");
  }
  queue.push_back(std::move(waiting));
  ++rest_size_;
  return {};
}

std::vector<Waiting> Lanes::Take(size_t max) {
  std::vector<Waiting> taken;
  auto take = [&](std::deque<Waiting>& queue) {
    taken.push_back(std::move(queue.front()));
    queue.pop_front();
  };
  while (taken.size() < max && !settle_.empty()) take(settle_);
  while (taken.size() < max && !deliver_.empty()) take(deliver_);
  while (taken.size() < max && rest_size_ > 0) {
    auto next = rest_.upper_bound(last_served_);
    if (next == rest_.end()) next = rest_.begin();
    last_served_ = next->first;
    take(next->second);
    --rest_size_;
    if (next->second.empty()) rest_.erase(next);
  }
  return taken;
}

std::vector<Waiting> Lanes::TakeAll() { return Take(SIZE_MAX); }

}  // namespace schakel::sequencer
