#include "clients/sdk/publisher.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "broker/base/limits.h"
#include "clients/sdk/sign_batch.h"
#include "clients/sdk/status.h"
#include "schakel/v1/signal.grpc.pb.h"

namespace schakel::sdk {
namespace {

using std::chrono::milliseconds;

Error Closed() {
  return MakeError(ErrorCode::kCancelled, "CLOSED", "the publisher was closed before an answer");
}

// One signal in hand.
struct Item {
  ComposedSignal signal;  // its bytes only while they are needed for the outbox
  v1::Envelope envelope;
  size_t bytes = 0;
  Publisher::Done done;
};

// Signed together, in the order in which they were sent.
struct Batch {
  v1::PublishStreamRequest request;
  std::vector<Item> items;
};

}  // namespace

struct Publisher::Impl {
  using Stream = grpc::ClientReaderWriter<v1::PublishStreamRequest, v1::PublishStreamResponse>;

  Impl(std::shared_ptr<Connection> to, OwnKeySet own, PublisherOptions with)
      : connection(std::move(to)),
        keys(std::move(own)),
        options(with),
        stub(v1::SignalService::NewStub(connection->channel())) {}

  const std::shared_ptr<Connection> connection;
  const OwnKeySet keys;
  const PublisherOptions options;
  const std::unique_ptr<v1::SignalService::Stub> stub;
  std::thread reader;
  std::thread writer;

  std::mutex outbox_mutex;  // the outbox is not thread-safe

  std::mutex write_mutex;  // held while writing; taken before `mutex`
  std::unique_ptr<Stream>
      stream;  // guarded by write_mutex for the writer; null while there is none

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::shared_ptr<grpc::ClientContext> context;
  std::deque<Item> waiting;
  std::deque<std::shared_ptr<Batch>> unanswered;
  size_t sent = 0;     // of `unanswered`, on the present stream
  size_t in_hand = 0;  // signals
  size_t bytes_in_hand = 0;
  size_t window = 0;      // of the present stream; 0 until the broker said it is open
  uint64_t answered = 0;  // batches, on the present stream
  uint64_t opened = 0;
  Publisher::Counts counts;
  std::optional<Error> fatal;
  bool closed = false;
  bool joined = false;

  bool over() const { return closed || fatal.has_value(); }

  // ---- Writing ----

  void Write() {
    while (true) {
      std::shared_ptr<Batch> next;
      std::vector<Item> taken;
      {
        std::unique_lock guard(mutex);
        changed.wait(guard, [&] { return over() || CanSend(); });
        if (over()) return;
        if (sent < unanswered.size()) {
          next = unanswered[sent];
        } else {
          taken = TakeWaiting();
        }
      }
      if (!next) {
        next = Sign(std::move(taken));
        if (next->items.empty()) continue;
        const std::lock_guard guard(mutex);
        unanswered.push_back(next);
        if (over()) return;
      }
      Put(*next);
    }
  }

  // mutex held, as by all of these.
  bool CanSend() const {
    if (window == 0) return false;
    if (sent < unanswered.size()) return true;
    size_t out = 0;
    for (const auto& batch : unanswered) out += batch->items.size();
    return !waiting.empty() && out + limits::kBatchEnvelopesMax <= window;
  }

  std::vector<Item> TakeWaiting() {
    std::vector<Item> taken;
    size_t bytes = 0;
    while (!waiting.empty() && taken.size() < limits::kBatchEnvelopesMax) {
      // Each grows by its place in the batch: a path of 6 hashes.
      bytes += waiting.front().bytes + 256;
      if (!taken.empty() && bytes > limits::kBatchBytesMax) break;
      taken.push_back(std::move(waiting.front()));
      waiting.pop_front();
    }
    return taken;
  }

  std::shared_ptr<Batch> Sign(std::vector<Item> items) {
    auto batch = std::make_shared<Batch>();
    std::vector<v1::Envelope*> envelopes;
    std::vector<Digest> digests;
    auto* out = batch->request.mutable_batch();
    for (auto& item : items) {
      if (Status kept = Keep(item); !kept.ok()) {
        Forget(1, item.bytes);
        item.done(kept.error());
        continue;
      }
      *out->add_envelopes() = std::move(item.envelope);
      digests.push_back(item.signal.envelope_digest);
      batch->items.push_back(std::move(item));
    }
    for (auto& envelope : *out->mutable_envelopes()) envelopes.push_back(&envelope);
    if (!envelopes.empty()) SignTogether(envelopes, digests, *keys.signing);
    const std::lock_guard guard(mutex);
    counts.batches += envelopes.empty() ? 0 : 1;
    counts.signals += envelopes.size();
    return batch;
  }

  // In the outbox before it is sent.
  Status Keep(Item& item) {
    if (options.outbox == nullptr) return {};
    const std::lock_guard guard(outbox_mutex);
    auto kept = options.outbox->Prepare(item.signal, "", item.signal.envelope_digest);
    item.signal.envelope.clear();
    return kept.ok() ? Status() : Status(kept.error());
  }

  void Put(const Batch& batch) {
    const std::lock_guard writing(write_mutex);
    if (!stream) return;  // it is sent again on the next one
    {
      const std::lock_guard guard(mutex);
      // Another stream began meanwhile, and this batch is not its next.
      if (window == 0 || sent >= unanswered.size() || unanswered[sent].get() != &batch) return;
      ++sent;
    }
    stream->Write(batch.request);  // a failure shows at the next Read
  }

  // ---- Reading ----

  void Read() {
    int attempt = 0;
    while (true) {
      Stream* current = Begin();
      if (current == nullptr) return;
      v1::PublishStreamResponse response;
      std::optional<Error> wrong;
      while (!wrong && current->Read(&response)) {
        attempt = 0;
        wrong = Take(response);
      }
      if (wrong) context->TryCancel();
      const grpc::Status status = End();
      if (!Continue(status, wrong, ++attempt)) return;
    }
  }

  Stream* Begin() {
    auto fresh = std::make_shared<grpc::ClientContext>();
    connection->AddMetadata(*fresh);
    {
      const std::lock_guard guard(mutex);
      if (closed) return nullptr;
      context = fresh;
      ++opened;
      answered = 0;
    }
    const std::lock_guard writing(write_mutex);
    stream = stub->PublishStream(fresh.get());
    v1::PublishStreamRequest open;
    open.mutable_open()->set_full_receipts(options.full_receipts);
    stream->Write(open);  // a failure shows at the first Read
    return stream.get();
  }

  // An Error: the broker's answer makes no sense.
  std::optional<Error> Take(v1::PublishStreamResponse& response) {
    if (response.has_opened()) {
      const std::lock_guard guard(mutex);
      window = std::max<size_t>(response.opened().window(), limits::kBatchEnvelopesMax);
      changed.notify_all();
      return std::nullopt;
    }
    auto& results = *response.mutable_answer()->mutable_results();
    std::vector<std::shared_ptr<Batch>> done;
    {
      const std::lock_guard guard(mutex);
      const uint64_t further = response.answer().batches() - answered;
      if (further == 0 || further > sent) return NoSense("batches");
      for (uint64_t i = 0; i < further; ++i) {
        done.push_back(unanswered[i]);
      }
      size_t expected = 0;
      for (const auto& batch : done) expected += batch->items.size();
      if (static_cast<size_t>(results.size()) != expected) return NoSense("results");
      unanswered.erase(unanswered.begin(), unanswered.begin() + static_cast<long>(further));
      sent -= further;
      answered += further;
    }
    int place = 0;
    for (const auto& batch : done) {
      for (auto& item : batch->items) Answer(item, std::move(*results.Mutable(place++)));
      Forget(*batch);
    }
    return std::nullopt;
  }

  static Error NoSense(const char* what) {
    return MakeError(ErrorCode::kDataLoss, "INTERNAL",
                     std::string("the broker answered for another number of ") + what);
  }

  void Answer(const Item& item, v1::PublishResult result) {
    if (result.has_accepted() && result.accepted().signal_id() != item.signal.id.str()) {
      return item.done(
          MakeError(ErrorCode::kDataLoss, "INTERNAL", "the broker answered for another signal"));
    }
    if (options.outbox != nullptr) {
      const std::lock_guard guard(outbox_mutex);
      auto settled = options.outbox->Settle(item.signal.id, result);
      if (!settled.ok()) return item.done(settled.error());
    }
    item.done(std::move(result));
  }

  void Forget(const Batch& batch) {
    size_t bytes = 0;
    for (const auto& item : batch.items) bytes += item.bytes;
    Forget(batch.items.size(), bytes);
  }
  void Forget(size_t signals, size_t bytes) {
    const std::lock_guard guard(mutex);
    in_hand -= signals;
    bytes_in_hand -= bytes;
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
    window = 0;
    sent = 0;
    return status;
  }

  bool Continue(const grpc::Status& status, const std::optional<Error>& wrong, int attempt) {
    std::unique_lock guard(mutex);
    if (closed) return false;
    milliseconds delay(50);
    if (wrong || !status.ok()) {
      Error error = wrong ? *wrong : connection->Translate(status);
      if (wrong || EndsForGood(error.code)) {
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

  // ---- Ending ----

  // mutex held.
  Error Why() const { return fatal ? *fatal : Closed(); }

  void Run() {
    Read();
    changed.notify_all();
    writer.join();
    FailAll();
  }

  // Nothing is on its way any more.
  void FailAll() {
    std::deque<Item> rest;
    Error why = Closed();
    {
      const std::lock_guard guard(mutex);
      why = Why();
      for (const auto& batch : unanswered) {
        for (auto& item : batch->items) rest.push_back(std::move(item));
      }
      unanswered.clear();
      for (auto& item : waiting) rest.push_back(std::move(item));
      waiting.clear();
      in_hand = 0;
      bytes_in_hand = 0;
      changed.notify_all();
    }
    for (const auto& item : rest) item.done(why);
  }
};

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
  auto impl = std::make_unique<Impl>(std::move(connection), keys, options);
  impl->writer = std::thread([raw = impl.get()] { raw->Write(); });
  impl->reader = std::thread([raw = impl.get()] { raw->Run(); });
  return std::unique_ptr<Publisher>(new Publisher(std::move(impl)));
}

Publisher::Publisher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Publisher::~Publisher() { Close(); }

Status Publisher::Send(const ComposedSignal& signal, Done done) {
  Item item{signal, {}, signal.envelope.size(), std::move(done)};
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
  return MakeError(ErrorCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                   std::to_string(impl_->in_hand) + " signals are not answered yet");
}

void Publisher::Close() {
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

uint64_t Publisher::reconnects() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->opened == 0 ? 0 : impl_->opened - 1;
}

Publisher::Counts Publisher::counts() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->counts;
}

}  // namespace schakel::sdk
