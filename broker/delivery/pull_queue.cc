#include "broker/delivery/pull_queue.h"

#include "broker/base/limits.h"

namespace schakel::delivery {

void PullQueue::Push(machine::LeasedItem item, uint64_t position) {
  Waiting& last = waiting_.emplace_back();
  last.position = position;
  last.bytes = item.delivery.ByteSizeLong();
  last.item = std::move(item);
  bytes_ += last.bytes;
}

void PullQueue::Push(v1::PullResponse response, size_t answers) {
  Waiting& last = waiting_.emplace_back();
  last.response = std::move(response);
  last.answers = answers;
}

std::optional<PullQueue::Message> PullQueue::Next(const std::function<void()>& cancel,
                                                  std::vector<DeliveryId>* stopped) {
  Message message;
  size_t bytes = 0;
  for (; !waiting_.empty(); waiting_.pop_front()) {
    Waiting& next = waiting_.front();
    if (!next.item) {
      if (!message.begun.empty()) return message;
      message.response = std::move(next.response);
      message.answers = next.answers;
      waiting_.pop_front();
      return message;
    }
    // LIMIT: a withdrawal waits for the message that is being written, so it is bounded.
    const bool room = message.begun.empty() || (message.begun.size() < batch_max_ &&
                                                bytes + next.bytes <= limits::kPullBatchBytesMax);
    if (!room) return message;
    const DeliveryId& id = next.item->delivery_id;
    bytes_ -= next.bytes;
    // Each item passes by itself: what was withdrawn is left out, the others go.
    if (!gate_->BeginWrite(id, next.position, next.item->subjects, cancel)) {
      stopped->push_back(id);
      continue;
    }
    message.begun.push_back(id);
    bytes += next.bytes;
    auto* place = batch_max_ == 0 ? message.response.mutable_delivery()
                                  : message.response.mutable_deliveries()->add_deliveries();
    *place = std::move(next.item->delivery);
  }
  if (message.begun.empty()) return std::nullopt;
  return message;
}

std::vector<DeliveryId> PullQueue::Drain() {
  std::vector<DeliveryId> left;
  for (const auto& waiting : waiting_) {
    if (waiting.item) left.push_back(waiting.item->delivery_id);
  }
  waiting_.clear();
  bytes_ = 0;
  return left;
}

}  // namespace schakel::delivery
