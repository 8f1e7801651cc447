#include "broker/rpc/publish_batch.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/transport/errors.h"

namespace schakel::rpc {

namespace {

// Verifies signatures. Envelopes of one batch have one in common, which is looked at once.
class Verifier {
 public:
  explicit Verifier(KeySets* key_sets) : key_sets_(*key_sets) {}

  Result<std::shared_ptr<const machine::ParsedEnvelope>> Verify(v1::Envelope envelope) {
    SCHAKEL_ASSIGN(auto parsed, machine::ParseEnvelope(std::move(envelope)));
    const auto& e = *parsed;
    if (!good_ || !SameBatch(*good_, e)) {
      SCHAKEL_TRY(VerifyBy(key_sets_, e.sender_key_set, e.sender.str(), e.batch_message,
                           e.envelope.proof().signature(),
                           {"header.sender_key_set_digest", "proof.signature"}));
      good_ = parsed;
    }
    return parsed;
  }

 private:
  static bool SameBatch(const machine::ParsedEnvelope& a, const machine::ParsedEnvelope& b) {
    return a.sender_key_set == b.sender_key_set && a.sender == b.sender &&
           a.batch_message == b.batch_message &&
           a.envelope.proof().signature() == b.envelope.proof().signature();
  }

  KeySets& key_sets_;
  std::shared_ptr<const machine::ParsedEnvelope> good_;  // the last whose signature was looked at
};

}  // namespace

Result<size_t> CheckBatch(const Envelopes& envelopes, const std::string& field) {
  if (envelopes.empty()) return InvalidArgument("FIELD_MISSING", field, "1 to 64 expected");
  if (static_cast<size_t>(envelopes.size()) > limits::kBatchEnvelopesMax) {
    return InvalidArgument("TOO_LARGE", field, "1 to 64 expected");
  }
  size_t bytes = 0;
  for (const auto& envelope : envelopes) bytes += envelope.ByteSizeLong();
  if (bytes > limits::kBatchBytesMax) {
    return InvalidArgument("TOO_LARGE", field, "at most 4 MiB together expected");
  }
  return bytes;
}

PublishBatch::PublishBatch(int count, std::string field, Bytes trace_id, Done done)
    : field_(std::move(field)),
      trace_id_(std::move(trace_id)),
      done_(std::move(done)),
      open_(count) {
  for (int i = 0; i < count; ++i) results_.Add();
}

void PublishBatch::Refused(int i, const Error& error) {
  Error placed = error;
  const std::string path = field_ + "[" + std::to_string(i) + "]";
  placed.field = error.field.empty() ? path : path + "." + error.field;
  std::unique_lock lock(mutex_);
  *results_.Mutable(i)->mutable_error() = transport::ToRpcStatus(placed, trace_id_);
  End(std::move(lock));
}

void PublishBatch::Decided(int i, Result<machine::Outcome> outcome) {
  if (!outcome.ok()) {
    std::unique_lock lock(mutex_);
    failed_ = outcome.error();
    return End(std::move(lock));
  }
  // No verdict on the envelope: the caller's own entry in the directory changed under its call.
  if (outcome->refused && outcome->refused->reason == "STALE_VERSION") {
    std::unique_lock lock(mutex_);
    failed_ = *outcome->refused;
    return End(std::move(lock));
  }
  if (outcome->refused) return Refused(i, *outcome->refused);
  std::unique_lock lock(mutex_);
  *results_.Mutable(i)->mutable_accepted() =
      std::get<v1::SignalAccepted>(std::move(outcome->answer));
  position_ = std::max(position_, outcome->position);
  End(std::move(lock));
}

void PublishBatch::End(std::unique_lock<std::mutex> lock) {
  if (--open_ > 0) return;
  lock.unlock();
  done_(*this, failed_ ? Status(*failed_) : Status());
}

void Publish(const Parts& parts, const transport::Caller& caller, Envelopes* envelopes,
             const std::shared_ptr<PublishBatch>& batch) {
  const auto as_machine = ToMachine(caller);
  Verifier verifier(parts.key_sets);
  const int count = envelopes->size();  // the last result may end the call, and its request
  for (int i = 0; i < count; ++i) {
    auto parsed = verifier.Verify(std::move(*envelopes->Mutable(i)));
    if (parsed.ok()) {
      parts.sequencer->Submit(
          machine::PublishEnvelope{*std::move(parsed)}, as_machine,
          [batch, i](Result<machine::Outcome> outcome) { batch->Decided(i, std::move(outcome)); });
      continue;
    }
    Recorded(parts, parsed.error(), "Publish", caller,
             [batch, i](const Error& error) { batch->Refused(i, error); });
  }
}

}  // namespace schakel::rpc
