// What a load publishes: sealed beforehand, signed while it is sent, as a sender does.
#pragma once

#include <atomic>
#include <vector>

#include "clients/sdk/session.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::bench {

inline constexpr int kBatch = 64;

// Requests of one envelope each: one section of 1 KiB, one recipient, one subject. All bytes but
// the signature lie ready, as the echo's payload does. Take is thread-safe.
class Requests {
 public:
  Requests(sdk::Session& session, size_t count);
  // One that was not taken before, signed, a serialised PublishRequest; null when all were.
  const Bytes* Take();

 private:
  struct Request {
    Bytes bytes;           // a PublishRequest
    size_t signature = 0;  // where its 64 bytes begin
    Bytes message;         // what is signed
  };

  Request Seal(sdk::Composer& composer) const;

  const sdk::OwnKeySet keys_;
  std::vector<Request> requests_;
  std::atomic<size_t> next_ = 0;
};

// Batches of kBatch such envelopes under one signature. Take is thread-safe.
class Batches {
 public:
  Batches(sdk::Session& session, size_t count);
  // One that was not taken before, signed; null when all were.
  const v1::PublishStreamRequest* Take();

 private:
  const sdk::OwnKeySet keys_;
  std::vector<v1::PublishStreamRequest> requests_;
  std::vector<std::vector<Digest>> digests_;
  std::atomic<size_t> next_ = 0;
};

}  // namespace schakel::bench
