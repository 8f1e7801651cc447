#include "clients/sdk/publisher.h"

#include "broker/base/limits.h"
#include "clients/sdk/publisher_internal.h"

namespace schakel::sdk {

using std::chrono::milliseconds;

Result<std::unique_ptr<Publisher>> Publisher::Open(std::shared_ptr<Connection> connection,
                                                   const OwnKeySet& keys,
                                                   PublisherOptions options) {
  if (!keys.signing) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_MISSING",
                     "the key set has no signing key");
  }
  if (options.signals_max == 0 || options.bytes_max == 0) {
    return InvalidArgument("FIELD_INVALID", options.signals_max == 0 ? "signals_max" : "bytes_max",
                           "at least 1 expected");
  }
  if (options.batch_max == 0 || options.batch_max > limits::kBatchEnvelopesMax) {
    return InvalidArgument("FIELD_INVALID", "batch_max", "1 to 64 expected");
  }
  auto impl = std::make_unique<Impl>(std::move(connection), keys, options);
  impl->writer = std::thread([raw = impl.get()] { raw->Write(); });
  impl->reader = std::thread([raw = impl.get()] { raw->Run(); });
  return std::unique_ptr<Publisher>(new Publisher(std::move(impl)));
}

Publisher::Publisher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Publisher::~Publisher() { Close(); }

Status Publisher::Send(const ComposedSignal& signal, Done done) {
  Impl::Item item{signal, {}, signal.envelope.size(), std::move(done)};
  if (!item.envelope.ParseFromString(signal.envelope)) {
    return MakeError(ErrorCode::kDataLoss, "FIELD_INVALID", "the signal's bytes are no envelope",
                     "envelope");
  }
  if (impl_->options.outbox == nullptr) item.signal.envelope.clear();
  std::unique_lock guard(impl_->mutex);
  // One that is larger than all room goes alone.
  impl_->changed.wait(guard, [&] {
    return impl_->over() ||
           (impl_->in_hand < impl_->options.signals_max &&
            (impl_->in_hand == 0 || impl_->bytes_in_hand + item.bytes <= impl_->options.bytes_max));
  });
  if (impl_->over()) return impl_->Why();
  ++impl_->in_hand;
  impl_->bytes_in_hand += item.bytes;
  impl_->waiting.push_back(std::move(item));
  guard.unlock();
  impl_->changed.notify_all();
  return {};
}

Status Publisher::Flush(milliseconds timeout) {
  std::unique_lock guard(impl_->mutex);
  const bool ended =
      impl_->changed.wait_for(guard, timeout, [&] { return impl_->in_hand == 0 || impl_->over(); });
  if (impl_->over()) return impl_->Why();
  if (ended) return {};
  Error error = MakeError(ErrorCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                          std::to_string(impl_->in_hand) + " signals are not answered yet");
  if (const auto& broke = impl_->broke) {
    error.message += "; the stream broke: " + broke->reason + ", " + broke->message;
  }
  return error;
}

void Publisher::Close() {
  if (impl_->Close()) impl_->reader.join();
}

uint64_t Publisher::reconnects() const { return impl_->reconnects(); }

Publisher::Counts Publisher::counts() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->counts;
}

}  // namespace schakel::sdk
