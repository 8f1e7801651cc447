#include "clients/sdk/pull_stream.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "clients/sdk/status.h"

namespace schakel::sdk {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Error SettlementError(const std::string& reason) {
  const ErrorCode code =
      reason == "DELIVERY_UNKNOWN" ? ErrorCode::kNotFound : ErrorCode::kFailedPrecondition;
  return MakeError(code, reason, "the broker did not settle the delivery: " + reason);
}

}  // namespace

struct PullStream::Impl {
  using Stream = grpc::ClientReaderWriter<v1::PullRequest, v1::PullResponse>;

  // One settlement that waits for its answer.
  struct Waiter {
    std::optional<v1::SettlementResult> result;
    bool broken = false;
  };

  Impl(std::shared_ptr<Connection> to, PullOptions with)
      : connection(std::move(to)),
        options(with),
        calls(connection),
        stub(v1::InboxService::NewStub(connection->channel())) {}

  std::shared_ptr<Connection> connection;
  PullOptions options;
  InboxClient calls;  // for settlements that no stream can carry
  std::unique_ptr<v1::InboxService::Stub> stub;
  std::thread reader;

  std::mutex write_mutex;          // held while writing; taken before `mutex`
  std::unique_ptr<Stream> stream;  // guarded by write_mutex for writers; null while there is none

  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::shared_ptr<grpc::ClientContext> context;
  std::deque<v1::Delivery> queue;
  std::map<Bytes, std::deque<Waiter*>> waiting;
  std::optional<Error> fatal;
  bool closed = false;
  bool is_idle = false;
  bool joined = false;
  uint64_t opened = 0;

  void Run() {
    int attempt = 0;
    while (true) {
      Stream* current = Begin();
      if (current == nullptr) return;
      v1::PullResponse response;
      while (current->Read(&response)) {
        attempt = 0;
        Take(response);
      }
      const grpc::Status status = End();
      if (!Continue(status, ++attempt)) return;
    }
  }

  // Opens a stream; null once closed.
  Stream* Begin() {
    auto fresh = std::make_shared<grpc::ClientContext>();
    connection->AddMetadata(*fresh);
    {
      const std::lock_guard guard(mutex);
      if (closed) return nullptr;
      context = fresh;
      // gRPC polls a channel only while a call waits on it: one that failed at once, again and
      // again, would never be connected anew.
      fresh->set_wait_for_ready(opened > 0);
      ++opened;
    }
    const std::lock_guard writing(write_mutex);
    stream = stub->Pull(fresh.get());
    v1::PullRequest open;
    open.mutable_open()->set_window(options.window);
    if (options.lease) open.mutable_open()->mutable_lease()->set_seconds(options.lease->count());
    stream->Write(open);  // a failure shows at the first Read
    return stream.get();
  }

  void Take(v1::PullResponse& response) {
    const std::lock_guard guard(mutex);
    if (response.has_delivery()) {
      is_idle = false;
      queue.push_back(std::move(*response.mutable_delivery()));
    } else if (response.has_idle()) {
      is_idle = true;
    } else if (response.has_settlement()) {
      const auto found = waiting.find(response.settlement().delivery_id());
      if (found != waiting.end()) {
        found->second.front()->result = std::move(*response.mutable_settlement());
        found->second.pop_front();
        if (found->second.empty()) waiting.erase(found);
      }
    }
    changed.notify_all();
  }

  grpc::Status End() {
    std::unique_ptr<Stream> ended;
    {
      const std::lock_guard writing(write_mutex);
      ended = std::move(stream);
    }
    const grpc::Status status = ended->Finish();
    const std::lock_guard guard(mutex);
    // Nobody has seen these yet, and the broker released them: they come again.
    queue.clear();
    is_idle = false;
    for (auto& [id, waiters] : waiting) {
      for (auto* waiter : waiters) waiter->broken = true;
    }
    waiting.clear();
    changed.notify_all();
    return status;
  }

  bool Continue(const grpc::Status& status, int attempt) {
    std::unique_lock guard(mutex);
    if (closed) return false;
    milliseconds delay(50);
    if (!status.ok()) {
      Error error = connection->Translate(status);
      if (EndsForGood(error.code)) {
        fatal = std::move(error);
        changed.notify_all();
        return false;
      }
      error.code = ErrorCode::kUnavailable;  // any other end of a stream is worth another try
      delay = RetryDelay(error, attempt, 0.5).value_or(delay);
    }
    changed.wait_for(guard, delay, [&] { return closed; });
    return !closed;
  }

  // Writes on the stream and waits for the answer. nullopt when no stream could carry it.
  Result<std::optional<v1::LogReceipt>> SettleOnStream(const DeliveryId& delivery,
                                                       const v1::PullRequest& request) {
    const auto deadline = steady_clock::now() + connection->options().timeout;
    Waiter waiter;
    {
      const std::lock_guard writing(write_mutex);
      if (!stream) return std::optional<v1::LogReceipt>();
      {
        const std::lock_guard guard(mutex);
        waiting[delivery.str()].push_back(&waiter);
      }
      // When it fails the reader finds the stream broken and says so to every waiter.
      stream->Write(request);
    }
    std::unique_lock guard(mutex);
    changed.wait_until(guard, deadline, [&] { return waiter.result || waiter.broken; });
    if (waiter.result) {
      if (!waiter.result->reason().empty()) return SettlementError(waiter.result->reason());
      return std::optional<v1::LogReceipt>(waiter.result->receipt());
    }
    if (waiter.broken) return std::optional<v1::LogReceipt>();
    Forget(delivery, &waiter);
    return MakeError(ErrorCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                     "the broker did not answer in time");
  }

  // REQUIRES: mutex is held
  void Forget(const DeliveryId& delivery, Waiter* waiter) {
    const auto found = waiting.find(delivery.str());
    if (found == waiting.end()) return;
    std::erase(found->second, waiter);
    if (found->second.empty()) waiting.erase(found);
  }

  template <typename Unary>
  Result<v1::LogReceipt> Settle(const DeliveryId& delivery, const v1::PullRequest& request,
                                const Unary& unary) {
    SCHAKEL_ASSIGN(const auto receipt, SettleOnStream(delivery, request));
    if (receipt) return *receipt;
    const auto response = unary();
    if (!response.ok()) return response.error();
    return response->receipt();
  }
};

std::unique_ptr<PullStream> PullStream::Open(std::shared_ptr<Connection> connection,
                                             PullOptions options) {
  auto impl = std::make_unique<Impl>(std::move(connection), options);
  impl->reader = std::thread([raw = impl.get()] { raw->Run(); });
  return std::unique_ptr<PullStream>(new PullStream(std::move(impl)));
}

PullStream::PullStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PullStream::~PullStream() { Close(); }

Result<std::optional<v1::Delivery>> PullStream::Next(milliseconds timeout) {
  std::unique_lock guard(impl_->mutex);
  impl_->changed.wait_for(guard, timeout, [&] {
    return !impl_->queue.empty() || impl_->fatal.has_value() || impl_->closed;
  });
  if (!impl_->queue.empty() && !impl_->closed) {
    v1::Delivery delivery = std::move(impl_->queue.front());
    impl_->queue.pop_front();
    return std::optional<v1::Delivery>(std::move(delivery));
  }
  if (impl_->fatal) return *impl_->fatal;
  return std::optional<v1::Delivery>();
}

Result<v1::LogReceipt> PullStream::Acknowledge(const DeliveryId& delivery) {
  v1::PullRequest request;
  request.mutable_acknowledge()->set_delivery_id(delivery.str());
  return impl_->Settle(delivery, request, [&] { return impl_->calls.Acknowledge(delivery); });
}

Result<v1::LogReceipt> PullStream::Refuse(const DeliveryId& delivery, const Refusal& refusal) {
  v1::PullRequest request;
  *request.mutable_refuse() = RefuseRequestOf(delivery, refusal);
  return impl_->Settle(delivery, request, [&] { return impl_->calls.Refuse(delivery, refusal); });
}

Result<v1::LogReceipt> PullStream::Release(const DeliveryId& delivery) {
  v1::PullRequest request;
  request.mutable_release()->set_delivery_id(delivery.str());
  return impl_->Settle(delivery, request, [&] { return impl_->calls.Release(delivery); });
}

Result<v1::LogReceipt> PullStream::Extend(const DeliveryId& delivery, std::chrono::seconds lease) {
  v1::PullRequest request;
  request.mutable_extend()->set_delivery_id(delivery.str());
  request.mutable_extend()->mutable_lease()->set_seconds(lease.count());
  return impl_->Settle(delivery, request, [&] { return impl_->calls.Extend(delivery, lease); });
}

bool PullStream::idle() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->is_idle && impl_->queue.empty();
}

uint64_t PullStream::reconnects() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->opened == 0 ? 0 : impl_->opened - 1;
}

void PullStream::Close() {
  {
    const std::lock_guard guard(impl_->mutex);
    if (impl_->joined) return;
    impl_->joined = true;
    impl_->closed = true;
    if (impl_->context) impl_->context->TryCancel();
    impl_->changed.notify_all();
  }
  impl_->reader.join();
}

}  // namespace schakel::sdk
