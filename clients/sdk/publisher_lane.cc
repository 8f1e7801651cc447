#include <algorithm>

#include "broker/base/limits.h"
#include "clients/sdk/publisher_internal.h"
#include "clients/sdk/sign_batch.h"

namespace schakel::sdk {
namespace {

// While so many batches are unanswered, one that is not full gathers more: a signature and a commit
// for each signal would take the processor that the answers need.
constexpr size_t kPartBatchesMax = 2;

Error Closed() {
  return MakeError(ErrorCode::kCancelled, "CLOSED", "the publisher was closed before an answer");
}

Error NoSense(const char* what) {
  return MakeError(ErrorCode::kDataLoss, "INTERNAL",
                   std::string("the broker answered for another number of ") + what);
}

}  // namespace

Publisher::Impl::Impl(std::shared_ptr<Connection> to, OwnKeySet own, PublisherOptions with)
    : ResumingStream(std::move(to)),
      keys(std::move(own)),
      options(with),
      stub(v1::SignalService::NewStub(connection->channel())) {}

void Publisher::Impl::Write() {
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

bool Publisher::Impl::CanSend() const {
  if (window == 0) return false;
  if (sent < unanswered.size()) return true;
  if (unanswered.size() >= kPartBatchesMax && !FullBatchWaits()) return false;
  size_t out = 0;
  for (const auto& batch : unanswered) out += batch->items.size();
  return !waiting.empty() && out + options.batch_max <= window;
}

size_t Publisher::Impl::BytesInBatch(const Item& item) { return item.bytes + 256; }

bool Publisher::Impl::FullBatchWaits() const {
  size_t signals = 0;
  size_t bytes = 0;
  for (const auto& item : waiting) {
    bytes += BytesInBatch(item);
    if (++signals == options.batch_max || bytes > limits::kBatchBytesMax) return true;
  }
  return false;
}

std::vector<Publisher::Impl::Item> Publisher::Impl::TakeWaiting() {
  std::vector<Item> taken;
  size_t bytes = 0;
  while (!waiting.empty() && taken.size() < options.batch_max) {
    bytes += BytesInBatch(waiting.front());
    if (!taken.empty() && bytes > limits::kBatchBytesMax) break;
    taken.push_back(std::move(waiting.front()));
    waiting.pop_front();
  }
  return taken;
}

std::shared_ptr<Publisher::Impl::Batch> Publisher::Impl::Sign(std::vector<Item> items) {
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

Status Publisher::Impl::Keep(Item& item) {
  if (options.outbox == nullptr) return {};
  const std::lock_guard guard(outbox_mutex);
  auto kept = options.outbox->Prepare(item.signal, "", item.signal.envelope_digest);
  item.signal.envelope.clear();
  return kept.ok() ? Status() : Status(kept.error());
}

void Publisher::Impl::Put(const Batch& batch) {
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

std::unique_ptr<Publisher::Impl::Stream> Publisher::Impl::Call(grpc::ClientContext* with) {
  return stub->PublishStream(with);
}

v1::PublishStreamRequest Publisher::Impl::FirstMessage() const {
  v1::PublishStreamRequest open;
  open.mutable_open()->set_full_receipts(options.full_receipts);
  return open;
}

std::optional<Error> Publisher::Impl::Take(v1::PublishStreamResponse& response) {
  if (response.has_opened()) {
    const std::lock_guard guard(mutex);
    broke.reset();
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
    size_t bytes = 0;
    for (const auto& item : batch->items) bytes += item.bytes;
    Forget(batch->items.size(), bytes);
  }
  return std::nullopt;
}

void Publisher::Impl::Answer(const Item& item, v1::PublishResult result) {
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

void Publisher::Impl::Forget(size_t signals, size_t bytes) {
  const std::lock_guard guard(mutex);
  in_hand -= signals;
  bytes_in_hand -= bytes;
  changed.notify_all();
}

void Publisher::Impl::Ended() {
  window = 0;
  sent = 0;
  answered = 0;
}

Error Publisher::Impl::Why() const { return fatal ? *fatal : Closed(); }

void Publisher::Impl::Run() {
  Read();
  changed.notify_all();
  writer.join();
  FailAll();
}

void Publisher::Impl::FailAll() {
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

}  // namespace schakel::sdk
