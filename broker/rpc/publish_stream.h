// One PublishStream: reads batches while earlier ones are decided, and answers them in their order.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "broker/rpc/parts.h"
#include "broker/rpc/publish_batch.h"

namespace schakel::rpc {

// Keeps itself alive from Start to OnDone.
class PublishStream final
    : public grpc::ServerBidiReactor<v1::PublishStreamRequest, v1::PublishStreamResponse>,
      public std::enable_shared_from_this<PublishStream> {
 public:
  static PublishStream* Start(grpc::CallbackServerContext* context, transport::StreamPass pass,
                              const Parts& parts);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // A batch that was read and whose answer is not written.
  struct Pending {
    size_t envelopes = 0;
    size_t bytes = 0;
    bool decided = false;
    v1::PublishStreamAnswer answer;
  };

  PublishStream(grpc::CallbackServerContext* context, transport::StreamPass pass,
                const Parts& parts);

  Status Handle(v1::PublishStreamRequest& request);
  Status Open(const v1::PublishStreamOpen& open);
  Status Take(v1::PublishBatch& batch);
  void OnDecided(const std::shared_ptr<Pending>& pending, PublishBatch& batch, const Status& ended);
  // Reads the next batch, unless too much is unanswered. mutex_ held.
  void ReadNext();
  // Writes the answers of those in front that are decided, if no write is in progress. Ends the
  // stream behind the last answer when the client closed its side. mutex_ not held.
  void MaybeWrite();
  // READER_STALLED when an answer has not been taken for kWriteTimeout.
  Status CheckReader();
  void End(const Status& status, bool cancel);

  grpc::CallbackServerContext* const context_;
  transport::StreamPass pass_;
  const Parts parts_;
  const transport::Caller caller_;
  std::shared_ptr<PublishStream> self_;  // until OnDone

  transport::StreamMessage<v1::PublishStreamRequest> request_;  // of the read in progress

  std::mutex mutex_;  // guards what follows
  bool opened_ = false;
  bool full_receipts_ = false;
  bool client_done_ = false;  // it closed its side: no more batches
  bool ended_ = false;
  bool reading_ = true;           // a request is being read or handled
  bool writing_ = false;          // response_ is being written
  Micros write_began_{0};         // steady
  size_t unanswered_ = 0;         // envelopes
  size_t unanswered_bytes_ = 0;   // and their bytes
  size_t written_envelopes_ = 0;  // of the write in progress
  size_t written_bytes_ = 0;
  uint64_t batches_ = 0;                              // answered
  std::deque<std::shared_ptr<Pending>> pending_;      // in the order in which they came
  std::optional<v1::PublishStreamResponse> opening_;  // waits to be written
  v1::PublishStreamResponse response_;
};

}  // namespace schakel::rpc
