#include "clients/sdk/pull_stream.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include "broker/base/limits.h"
#include "clients/sdk/resuming_stream.h"
#include "schakel/v1/inbox.grpc.pb.h"

namespace schakel::sdk {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Error SettlementError(const std::string& reason) {
  const ErrorCode code =
      reason == "DELIVERY_UNKNOWN" ? ErrorCode::kNotFound : ErrorCode::kFailedPrecondition;
  return MakeError(code, reason, "the broker did not settle the delivery: " + reason);
}

Error TooLate() {
  return MakeError(ErrorCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                   "the broker did not answer in time");
}

// Whether the broker itself said so, rather than not being reached.
bool IsAnswer(const Result<v1::LogReceipt>& result) {
  return result.ok() || (result.error().code != ErrorCode::kUnavailable &&
                         result.error().code != ErrorCode::kDeadlineExceeded);
}

}  // namespace

struct PullStream::Impl final : ResumingStream<v1::PullRequest, v1::PullResponse> {
  // One settlement that waits for its answer.
  struct Waiter {
    DeliveryId delivery;
    std::optional<v1::SettlementResult> result = std::nullopt;
    bool broken = false;  // no stream could carry it

    bool done() const { return result || broken; }
  };

  Impl(std::shared_ptr<Connection> to, PullOptions with)
      : ResumingStream(std::move(to)),
        options(with),
        calls(connection),
        stub(v1::InboxService::NewStub(connection->channel())) {}

  const PullOptions options;
  InboxClient calls;  // for settlements that no stream can carry
  const std::unique_ptr<v1::InboxService::Stub> stub;
  std::thread reader;

  // `mutex` guards what follows.
  std::deque<v1::Delivery> queue;
  std::deque<Waiter*> to_acknowledge;              // not written yet
  std::map<DeliveryId, std::deque<Waiter*>> sent;  // by delivery
  bool batches = false;                            // the broker delivers in batches
  bool is_idle = false;

  // ---- Reading ----

  std::unique_ptr<Stream> Call(grpc::ClientContext* with) override { return stub->Pull(with); }

  v1::PullRequest FirstMessage() const override {
    v1::PullRequest request;
    auto* open = request.mutable_open();
    open->set_window(options.window);
    open->set_batch_max(
        std::min<uint32_t>(options.window, static_cast<uint32_t>(limits::kPullBatchMax)));
    if (options.lease) open->mutable_lease()->set_seconds(options.lease->count());
    return request;
  }

  std::optional<Error> Take(v1::PullResponse& response) override {
    const std::lock_guard guard(mutex);
    if (response.has_delivery()) {
      is_idle = false;
      queue.push_back(std::move(*response.mutable_delivery()));
    } else if (response.has_deliveries()) {
      is_idle = false;
      batches = true;
      for (auto& delivery : *response.mutable_deliveries()->mutable_deliveries()) {
        queue.push_back(std::move(delivery));
      }
    } else if (response.has_idle()) {
      is_idle = true;
    } else if (response.has_settlement()) {
      Answer(std::move(*response.mutable_settlement()));
    } else if (response.has_settlements()) {
      for (auto& result : *response.mutable_settlements()->mutable_results()) {
        Answer(std::move(result));
      }
    }
    changed.notify_all();
    return std::nullopt;
  }

  // REQUIRES: mutex is held
  void Answer(v1::SettlementResult result) {
    const auto delivery = DeliveryId::From(result.delivery_id());
    const auto found = delivery ? sent.find(*delivery) : sent.end();
    if (found == sent.end()) return;
    found->second.front()->result = std::move(result);
    found->second.pop_front();
    if (found->second.empty()) sent.erase(found);
  }

  void Ended() override {
    // Nobody has seen these yet, and the broker released them: they come again.
    queue.clear();
    is_idle = false;
    batches = false;
    for (auto& [id, waiters] : sent) {
      for (auto* waiter : waiters) waiter->broken = true;
    }
    sent.clear();
  }

  // ---- Settling ----

  // Waits for their answers; those that have none then are forgotten.
  void Await(std::vector<Waiter>& waiters, steady_clock::time_point deadline) {
    std::unique_lock guard(mutex);
    const auto done = [](const Waiter& waiter) { return waiter.done(); };
    changed.wait_until(guard, deadline,
                       [&] { return std::all_of(waiters.begin(), waiters.end(), done); });
    for (auto& waiter : waiters) {
      const auto found = waiter.done() ? sent.end() : sent.find(waiter.delivery);
      if (found == sent.end()) continue;
      std::erase(found->second, &waiter);
      if (found->second.empty()) sent.erase(found);
    }
  }

  // By the stream, or else by a call of its own.
  template <typename Unary>
  Result<v1::LogReceipt> ResultOf(Waiter& waiter, const Unary& unary) {
    if (waiter.result) {
      if (!waiter.result->reason().empty()) return SettlementError(waiter.result->reason());
      return std::move(*waiter.result->mutable_receipt());
    }
    if (!waiter.broken) return TooLate();
    const auto response = unary();
    if (!response.ok()) return response.error();
    return response->receipt();
  }

  template <typename Unary>
  Result<v1::LogReceipt> Settle(const DeliveryId& delivery, const v1::PullRequest& request,
                                const Unary& unary) {
    const auto deadline = steady_clock::now() + connection->options().timeout;
    std::vector<Waiter> waiters = {{delivery}};
    {
      const std::lock_guard writing(write_mutex);
      {
        const std::lock_guard guard(mutex);
        waiters[0].broken = !stream;
        if (stream) sent[delivery].push_back(&waiters[0]);
      }
      // When it fails the reader finds the stream broken and says so to every waiter.
      if (stream) stream->Write(request);
    }
    Await(waiters, deadline);
    return ResultOf(waiters[0], unary);
  }

  // Whoever comes while a message is under way finds others waiting too: they go together.
  void WriteAcknowledgements() {
    const std::lock_guard writing(write_mutex);
    while (true) {
      v1::PullRequest request;
      {
        const std::lock_guard guard(mutex);
        if (to_acknowledge.empty()) return;
        if (!stream) {
          for (auto* waiter : to_acknowledge) waiter->broken = true;
          to_acknowledge.clear();
          changed.notify_all();
          return;
        }
        request = NextAcknowledgements();
      }
      stream->Write(request);
    }
  }

  // REQUIRES: mutex is held, and some wait
  v1::PullRequest NextAcknowledgements() {
    v1::PullRequest request;
    std::set<DeliveryId> taken;
    std::deque<Waiter*> rest;
    // A broker that does not deliver in batches takes none either.
    const size_t max = batches ? limits::kAcknowledgementsMax : 1;
    for (auto* waiter : to_acknowledge) {
      // One that several ask for goes with the next message.
      if (taken.size() == max || !taken.insert(waiter->delivery).second) {
        rest.push_back(waiter);
        continue;
      }
      sent[waiter->delivery].push_back(waiter);
      if (batches) {
        request.mutable_acknowledgements()->add_delivery_ids(waiter->delivery.str());
      } else {
        request.mutable_acknowledge()->set_delivery_id(waiter->delivery.str());
      }
    }
    to_acknowledge = std::move(rest);
    return request;
  }

  std::vector<Result<v1::LogReceipt>> AcknowledgeAll(const std::vector<DeliveryId>& deliveries) {
    const auto deadline = steady_clock::now() + connection->options().timeout;
    std::vector<Waiter> waiters;
    waiters.reserve(deliveries.size());
    for (const auto& delivery : deliveries) waiters.push_back({delivery});
    {
      const std::lock_guard guard(mutex);
      for (auto& waiter : waiters) to_acknowledge.push_back(&waiter);
    }
    WriteAcknowledgements();
    Await(waiters, deadline);
    std::vector<Result<v1::LogReceipt>> results;
    std::optional<Error> unreached;
    for (auto& waiter : waiters) {
      // A broker that is not reached for one is not tried again for each of the others.
      if (waiter.broken && unreached) {
        results.push_back(*unreached);
        continue;
      }
      results.push_back(ResultOf(waiter, [&] { return calls.Acknowledge(waiter.delivery); }));
      if (waiter.broken && !IsAnswer(results.back())) unreached = results.back().error();
    }
    return results;
  }
};

std::unique_ptr<PullStream> PullStream::Open(std::shared_ptr<Connection> connection,
                                             PullOptions options) {
  auto impl = std::make_unique<Impl>(std::move(connection), options);
  impl->reader = std::thread([raw = impl.get()] { raw->Read(); });
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
  return std::move(impl_->AcknowledgeAll({delivery}).front());
}

std::vector<Result<v1::LogReceipt>> PullStream::AcknowledgeAll(
    const std::vector<DeliveryId>& deliveries) {
  return impl_->AcknowledgeAll(deliveries);
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

uint64_t PullStream::reconnects() const { return impl_->reconnects(); }

void PullStream::Close() {
  if (impl_->Close()) impl_->reader.join();
}

}  // namespace schakel::sdk
