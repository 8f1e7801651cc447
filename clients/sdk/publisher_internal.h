// What runs inside a Publisher: one thread signs and writes, one reads answers and opens the stream
// again when it breaks.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "clients/sdk/publisher.h"
#include "clients/sdk/resuming_stream.h"
#include "schakel/v1/signal.grpc.pb.h"

namespace schakel::sdk {

struct Publisher::Impl final : ResumingStream<v1::PublishStreamRequest, v1::PublishStreamResponse> {
  // One signal in hand.
  struct Item {
    ComposedSignal signal;  // its bytes only while they are needed for the outbox
    v1::Envelope envelope;
    size_t bytes = 0;
    Done done;
  };
  // Signed together, in the order in which they were sent.
  struct Batch {
    v1::PublishStreamRequest request;
    std::vector<Item> items;
  };

  Impl(std::shared_ptr<Connection> to, OwnKeySet own, PublisherOptions with);

  // The threads. Run also ends the other one and answers what is left.
  void Write();
  void Run();

  // ---- Writing ----
  // mutex held.
  bool CanSend() const;
  bool FullBatchWaits() const;
  // Each grows by its place in the batch: a path of 6 hashes.
  static size_t BytesInBatch(const Item& item);
  std::vector<Item> TakeWaiting();
  std::shared_ptr<Batch> Sign(std::vector<Item> items);
  // In the outbox before it is sent.
  Status Keep(Item& item);
  void Put(const Batch& batch);

  // ---- Reading ----
  std::unique_ptr<Stream> Call(grpc::ClientContext* with) override;
  v1::PublishStreamRequest FirstMessage() const override;
  std::optional<Error> Take(v1::PublishStreamResponse& response) override;
  void Ended() override;
  void Answer(const Item& item, v1::PublishResult result);
  // They are no longer in hand.
  void Forget(size_t signals, size_t bytes);

  // ---- Ending ----
  // mutex held, by both.
  bool over() const { return closed || fatal.has_value(); }
  Error Why() const;
  // Nothing is on its way any more.
  void FailAll();

  const OwnKeySet keys;
  const PublisherOptions options;
  const std::unique_ptr<v1::SignalService::Stub> stub;
  std::thread reader;
  std::thread writer;

  std::mutex outbox_mutex;  // the outbox is not thread-safe

  // `mutex` guards what follows.
  std::deque<Item> waiting;
  std::deque<std::shared_ptr<Batch>> unanswered;
  size_t sent = 0;     // of `unanswered`, on the present stream
  size_t in_hand = 0;  // signals
  size_t bytes_in_hand = 0;
  size_t window = 0;      // of the present stream; 0 until the broker said it is open
  uint64_t answered = 0;  // batches, on the present stream
  Counts counts;
};

}  // namespace schakel::sdk
