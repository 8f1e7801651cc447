// A sender's fast lane: signals that are handed over one by one, from any threads, go out together,
// up to 64 under one signature, on one stream. A signal goes at once while fewer than two batches
// are unanswered; behind them signals gather until an answer comes or a batch is full.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "broker/base/result.h"
#include "clients/sdk/composer.h"
#include "clients/sdk/connection.h"
#include "clients/sdk/key_store.h"
#include "clients/sdk/outbox.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::sdk {

struct PublisherOptions {
  // Signals and bytes that may be in hand (waiting, or sent and unanswered): Send blocks beyond.
  size_t signals_max = 2048;
  size_t bytes_max = 32 * 1024 * 1024;
  // Signals under one signature, 1 to 64.
  size_t batch_max = 64;
  // Whether answers hold their records and salts. Without them a receipt says where its record
  // stands; publishing the same envelope again by a call of its own gives the rest.
  bool full_receipts = false;
  // Where each signal is kept before it is sent, and settled when it was answered; null: the caller
  // keeps what it sends. While the publisher is open nothing else may use this object.
  Outbox* outbox = nullptr;
};

// Two threads inside. Thread-safe.
//
// When the stream breaks it is opened again with backoff until Close(), and what was not answered
// is sent again, in its order: a signal counts once, by its id. What can't be helped by trying
// again (no access, role) ends it: every signal in hand gets that Error, and so does Send.
class Publisher {
 public:
  // Called once for each signal, from a thread of the publisher; must not block, nor call Flush or
  // Close. The broker's answer, which may be a refusal of this one signal; or an Error: not
  // answered (it waits in the outbox, if there is one).
  using Done = std::function<void(const Result<v1::PublishResult>&)>;

  // Errors: FAILED_PRECONDITION KEY_SET_MISSING without a signing key; FIELD_INVALID for a limit of
  // 0, or a batch_max above 64. Connects in the background.
  static Result<std::unique_ptr<Publisher>> Open(std::shared_ptr<Connection> connection,
                                                 const OwnKeySet& keys,
                                                 PublisherOptions options = {});
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Takes a signal over; blocks while there is no room. Success: `done` will be called. Errors:
  // CLOSED, or what ended the publisher; DATA_LOSS when the signal's bytes are no envelope.
  Status Send(const ComposedSignal& signal, Done done);

  // Waits until everything that was handed over is answered. DEADLINE_EXCEEDED after `timeout`,
  // with what keeps the stream from being open;
  // what ended the publisher.
  Status Flush(std::chrono::milliseconds timeout);

  // Ends it; what is in hand is not answered: CLOSED. Idempotent.
  void Close();

  // How often the stream was opened again.
  uint64_t reconnects() const;
  // Batches that were signed, and signals in them.
  struct Counts {
    uint64_t batches = 0;
    uint64_t signals = 0;
  };
  Counts counts() const;

 private:
  struct Impl;
  explicit Publisher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace schakel::sdk
