// What waits to be written to the reader of one Pull stream, and the messages that are made of it.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "broker/delivery/write_gate.h"
#include "broker/machine/outcome.h"
#include "schakel/v1/inbox.pb.h"

namespace schakel::delivery {

// Not thread-safe: the stream guards it.
class PullQueue {
 public:
  // One message, whose write is to begin now.
  struct Message {
    v1::PullResponse response;
    // INVARIANT I4: deliveries that passed the gate; WriteGate::EndWrite is owed for each.
    std::vector<DeliveryId> begun;
    size_t answers = 0;  // settlements that it answers
  };

  // The gate must outlive it.
  explicit PullQueue(WriteGate* gate) : gate_(gate) {}

  // From now on messages hold so many items; 0: each has a message of its own.
  void set_batch_max(uint32_t items) { batch_max_ = items; }

  // An item that was decided at `position`.
  void Push(machine::LeasedItem item, uint64_t position);
  // Any other message.
  void Push(v1::PullResponse response, size_t answers);

  // The next message, in the order in which things were pushed; nullopt when nothing may be
  // written. Items that the gate refuses are left out and go into `stopped`. `cancel` ends the
  // transport (WriteGate::BeginWrite).
  std::optional<Message> Next(const std::function<void()>& cancel,
                              std::vector<DeliveryId>* stopped);

  // Empties it: the deliveries that were in it.
  std::vector<DeliveryId> Drain();

  // Of the items that wait.
  size_t bytes() const { return bytes_; }

 private:
  struct Waiting {
    std::optional<machine::LeasedItem> item;
    uint64_t position = 0;
    size_t bytes = 0;
    v1::PullResponse response;  // unless it is an item
    size_t answers = 0;
  };

  WriteGate* const gate_;
  uint32_t batch_max_ = 0;
  std::deque<Waiting> waiting_;
  size_t bytes_ = 0;
};

}  // namespace schakel::delivery
