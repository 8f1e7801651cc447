// Envelopes of one batch on their way: each is verified and queued, and its result comes to its
// place.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "broker/rpc/parts.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::rpc {

using Envelopes = google::protobuf::RepeatedPtrField<v1::Envelope>;

// Bytes of 1 to 64 envelopes, at most 4 MiB together. `field`: where the request has them.
Result<size_t> CheckBatch(const Envelopes& envelopes, const std::string& field);

// Thread-safe: results arrive in any order.
class PublishBatch {
 public:
  using Results = google::protobuf::RepeatedPtrField<v1::PublishResult>;
  // Called once, with the last result. An Error: the broker could not go on (full, stopping, short
  // of disk, a directory entry that changed meanwhile); what it took counts, and the same envelopes
  // again are harmless.
  using Done = std::function<void(PublishBatch&, const Status&)>;

  // REQUIRES: count >= 1
  PublishBatch(int count, std::string field, Bytes trace_id, Done done);

  void Refused(int i, const Error& error);
  void Decided(int i, Result<machine::Outcome> outcome);

  // From `done` on.
  Results& results() { return results_; }
  uint64_t position() const { return position_; }

 private:
  void End(std::unique_lock<std::mutex> lock);

  const std::string field_;
  const Bytes trace_id_;
  const Done done_;
  std::mutex mutex_;  // guards what follows
  Results results_;
  int open_;
  uint64_t position_ = 0;
  std::optional<Error> failed_;
};

// Verifies each, in the order sizes and shape, digest, signature, and queues those that pass. Takes
// the envelopes over.
void Publish(const Parts& parts, const transport::Caller& caller, Envelopes* envelopes,
             const std::shared_ptr<PublishBatch>& batch);

}  // namespace schakel::rpc
