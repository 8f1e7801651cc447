// One Pull stream: leases items while the client grants room, writes one message at a time through
// the gate, settles what the client says on the same stream.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "broker/delivery/inbox_hub.h"
#include "broker/delivery/pull_queue.h"
#include "broker/sequencer/sequencer.h"
#include "broker/transport/call_guard.h"
#include "schakel/v1/inbox.pb.h"

namespace schakel::delivery {

// What streams share. All must outlive them.
struct PullParts {
  sequencer::Sequencer* sequencer = nullptr;
  WriteGate* gate = nullptr;
  InboxHub* hub = nullptr;
  const Clock* clock = nullptr;
};

// Keeps itself alive from Start to OnDone.
class PullStream final : public grpc::ServerBidiReactor<v1::PullRequest, v1::PullResponse>,
                         public InboxHub::Sleeper,
                         public std::enable_shared_from_this<PullStream> {
 public:
  static PullStream* Start(grpc::CallbackServerContext* context, transport::StreamPass pass,
                           PullParts parts);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;
  void Wake() override;
  // Ends the stream with READER_STALLED when its write has not been taken for kWriteTimeout.
  void Check(Micros now) override;
  void EndWith(const Error& error) override;
  void LeaseMoved(const DeliveryId& delivery, Micros until) override;

 private:
  // The answer to an AcknowledgementBatch, until it is complete.
  struct Gathered {
    v1::PullResponse response;
    size_t missing = 0;  // results; mutex_
  };

  PullStream(grpc::CallbackServerContext* context, transport::StreamPass pass, PullParts parts);

  Status Handle(const v1::PullRequest& request);
  Status Open(const v1::PullOpen& open);
  // Reads the next request, unless too many answers wait for their reader. mutex_ held.
  void ReadNext();
  template <typename Settlement>
  Status HandleSettlement(const Settlement& settlement, const char* field);
  void Settle(const DeliveryId& delivery, machine::Request request);
  // Each as a command of its own; their answers go out together.
  Status AcknowledgeAll(const v1::AcknowledgementBatch& batch);
  // What became of a lease of this stream. mutex_ held.
  void Note(const DeliveryId& delivery, const machine::Outcome& outcome);
  void Moved(const DeliveryId& delivery, Micros until);
  void OnSettled(const DeliveryId& delivery, Result<machine::Outcome> outcome);
  void OnAcknowledged(const std::shared_ptr<Gathered>& gathered, int place,
                      Result<machine::Outcome> outcome);
  void OnLeased(Result<machine::Outcome> outcome);
  // Asks for items when there is room and something may wait. mutex_ not held.
  void MaybeDeliver();
  // Starts the next write, if none is in progress. mutex_ not held.
  void MaybeWrite();
  void End(const Status& status, bool cancel);
  void Cancel(const std::vector<DeliveryId>& deliveries);
  // Lets go what the write in progress holds of the gate. mutex_ held.
  void EndWrites();

  grpc::CallbackServerContext* const context_;
  transport::StreamPass pass_;
  const PullParts parts_;
  const machine::Caller caller_;
  std::shared_ptr<PullStream> self_;  // until OnDone

  transport::StreamMessage<v1::PullRequest> request_;  // of the read in progress

  std::mutex mutex_;  // guards what follows
  bool opened_ = false;
  bool ended_ = false;
  bool delivering_ = false;  // a Deliver command is under way
  bool may_wait_ = true;     // the inbox may hold something
  bool idle_told_ = false;
  bool reading_ = true;     // a request is being read or handled
  size_t answers_due_ = 0;  // settlements that were asked for and whose answer is not written
  uint32_t window_ = 0;
  Micros lease_{0};
  // Leased and not settled on this stream, each with the end of its lease.
  std::map<DeliveryId, Micros> outstanding_;
  PullQueue queue_;
  std::optional<PullQueue::Message> writing_;
  Micros write_began_{0};  // steady
};

}  // namespace schakel::delivery
