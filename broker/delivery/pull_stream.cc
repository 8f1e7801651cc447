#include "broker/delivery/pull_stream.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/delivery/requests.h"
#include "broker/transport/errors.h"

namespace schakel::delivery {

PullStream* PullStream::Start(grpc::CallbackServerContext* context, transport::StreamPass pass,
                              PullParts parts) {
  std::shared_ptr<PullStream> stream(new PullStream(context, std::move(pass), parts));
  stream->self_ = stream;
  parts.hub->Add(stream->caller_.organisation, stream);
  std::weak_ptr<PullStream> weak = stream;
  stream->pass_.Watch([weak](const Error& error) {
    if (auto alive = weak.lock()) alive->End(error, true);
  });
  stream->StartRead(stream->request_.ToRead());
  return stream.get();
}

PullStream::PullStream(grpc::CallbackServerContext* context, transport::StreamPass pass,
                       PullParts parts)
    : context_(context),
      pass_(std::move(pass)),
      parts_(parts),
      caller_{pass_.caller().organisation, pass_.caller().member.entry_version,
              pass_.caller().actor, pass_.caller().actor_role, pass_.caller().trace_id},
      queue_(parts.gate) {}

// ---- Reading ----

void PullStream::OnReadDone(bool ok) {
  if (!ok) {
    // The client closed its side, or sent what is no message.
    return End(
        request_.DidNotParse() ? Status(transport::MalformedMessage(request_.get())) : Status(),
        false);
  }
  Status handled = Handle(request_.get());
  if (!handled.ok()) return End(handled, false);
  std::lock_guard lock(mutex_);
  ReadNext();
}

void PullStream::ReadNext() {
  // LIMIT: who asks and does not read the answers is not listened to until it does.
  reading_ = answers_due_ < limits::kSettlementsPerStreamMax;
  if (reading_ && !ended_) StartRead(request_.ToRead());
}

Status PullStream::Open(const v1::PullOpen& open) {
  SCHAKEL_ASSIGN(Micros lease, ReadLease(open.has_lease() ? &open.lease() : nullptr,
                                         limits::kLeaseDefaultPull, "open.lease"));
  if (open.window() < 1 || open.window() > limits::kPullWindowMax) {
    return InvalidArgument("FIELD_INVALID", "open.window", "1 to 256 expected");
  }
  if (open.batch_max() > limits::kPullBatchMax) {
    return InvalidArgument("FIELD_INVALID", "open.batch_max", "0 to 64 expected");
  }
  {
    std::lock_guard lock(mutex_);
    if (opened_) return InvalidArgument("FIELD_INVALID", "open", "the stream is open already");
    opened_ = true;
    window_ = open.window();
    lease_ = lease;
    queue_.set_batch_max(open.batch_max());
  }
  MaybeDeliver();
  return {};
}

Status PullStream::Handle(const v1::PullRequest& request) {
  {
    std::lock_guard lock(mutex_);
    if (!opened_ && !request.has_open()) {
      return InvalidArgument("FIELD_MISSING", "open", "the first message must open the stream");
    }
  }
  switch (request.request_case()) {
    case v1::PullRequest::kOpen:
      return Open(request.open());
    case v1::PullRequest::kCredit: {
      if (request.credit().deliveries() < 1 ||
          request.credit().deliveries() > limits::kPullWindowMax) {
        return InvalidArgument("FIELD_INVALID", "credit.deliveries", "1 to 256 expected");
      }
      {
        std::lock_guard lock(mutex_);
        window_ =
            std::min<uint32_t>(window_ + request.credit().deliveries(), limits::kPullWindowMax);
      }
      MaybeDeliver();
      return {};
    }
    case v1::PullRequest::kAcknowledge:
      return HandleSettlement(request.acknowledge(), "acknowledge");
    case v1::PullRequest::kRefuse:
      return HandleSettlement(request.refuse(), "refuse");
    case v1::PullRequest::kRelease:
      return HandleSettlement(request.release(), "release");
    case v1::PullRequest::kExtend:
      return HandleSettlement(request.extend(), "extend");
    case v1::PullRequest::kAcknowledgements:
      return AcknowledgeAll(request.acknowledgements());
    case v1::PullRequest::REQUEST_NOT_SET:
      break;
  }
  return InvalidArgument("FIELD_MISSING", "request", "one of its fields expected");
}

// ---- Settling ----

namespace {

Error Inside(Error error, const char* field) {
  if (!error.field.empty()) error.field = std::string(field) + "." + error.field;
  return error;
}

}  // namespace

template <typename Settlement>
Status PullStream::HandleSettlement(const Settlement& settlement, const char* field) {
  auto command = ToCommand(settlement);
  if (!command.ok()) return Inside(command.error(), field);
  Settle(*DeliveryId::From(settlement.delivery_id()), *std::move(command));
  return {};
}

void PullStream::Settle(const DeliveryId& delivery, machine::Request request) {
  {
    std::lock_guard lock(mutex_);
    ++answers_due_;
  }
  parts_.sequencer->Submit(std::move(request), caller_,
                           [self = shared_from_this(), delivery](Result<machine::Outcome> outcome) {
                             self->OnSettled(delivery, std::move(outcome));
                           });
}

Status PullStream::AcknowledgeAll(const v1::AcknowledgementBatch& batch) {
  auto ids = ReadAcknowledgements(batch);
  if (!ids.ok()) return Inside(ids.error(), "acknowledgements");
  auto gathered = std::make_shared<Gathered>();
  gathered->missing = ids->size();
  auto* results = gathered->response.mutable_settlements()->mutable_results();
  for (const auto& id : *ids) results->Add()->set_delivery_id(id.str());
  {
    std::lock_guard lock(mutex_);
    answers_due_ += ids->size();
  }
  int place = 0;
  for (const auto& id : *ids) {
    parts_.sequencer->Submit(
        machine::Acknowledge{id}, caller_,
        [self = shared_from_this(), gathered, place](Result<machine::Outcome> outcome) {
          self->OnAcknowledged(gathered, place, std::move(outcome));
        });
    ++place;
  }
  return {};
}

void PullStream::Note(const DeliveryId& delivery, const machine::Outcome& outcome) {
  if (const auto* extend = std::get_if<v1::ExtendResponse>(&outcome.answer)) {
    return Moved(delivery, Micros(machine::ToMicros(extend->lease_until())));
  }
  bool ended = !outcome.refused || outcome.refused->reason == "LEASE_LOST" ||
               outcome.refused->reason == "DELIVERY_SETTLED";
  if (ended) outstanding_.erase(delivery);
}

void PullStream::Moved(const DeliveryId& delivery, Micros until) {
  if (auto it = outstanding_.find(delivery); it != outstanding_.end()) it->second = until;
}

void PullStream::LeaseMoved(const DeliveryId& delivery, Micros until) {
  std::lock_guard lock(mutex_);
  Moved(delivery, until);
}

void PullStream::OnSettled(const DeliveryId& delivery, Result<machine::Outcome> outcome) {
  {
    std::lock_guard lock(mutex_);
    if (outcome.ok()) Note(delivery, *outcome);
    if (ended_) return;
    v1::PullResponse response;
    response.mutable_settlement()->set_delivery_id(delivery.str());
    Tell(std::move(outcome), response.mutable_settlement());
    queue_.Push(std::move(response), 1);
  }
  MaybeWrite();
  MaybeDeliver();
}

void PullStream::OnAcknowledged(const std::shared_ptr<Gathered>& gathered, int place,
                                Result<machine::Outcome> outcome) {
  auto* result = gathered->response.mutable_settlements()->mutable_results(place);
  {
    std::lock_guard lock(mutex_);
    if (outcome.ok()) Note(*DeliveryId::From(result->delivery_id()), *outcome);
    Tell(std::move(outcome), result);
    if (--gathered->missing > 0 || ended_) return;
    const auto answers = static_cast<size_t>(gathered->response.settlements().results_size());
    queue_.Push(std::move(gathered->response), answers);
  }
  MaybeWrite();
  MaybeDeliver();
}

// ---- Delivering ----

void PullStream::Wake() {
  {
    std::lock_guard lock(mutex_);
    may_wait_ = true;
  }
  MaybeDeliver();
}

void PullStream::MaybeDeliver() {
  machine::Deliver deliver;
  {
    std::lock_guard lock(mutex_);
    // A lease that ran out is no longer this stream's, so it takes no room: a reader that never
    // answers for one item is not cut off from all others.
    if (outstanding_.size() >= window_) {
      Micros now = parts_.clock->Wall();
      std::erase_if(outstanding_, [&](const auto& held) { return held.second <= now; });
    }
    // LIMIT: what waits to be written to one reader is bounded; a slow reader gets no more.
    bool room = outstanding_.size() < window_ && queue_.bytes() < limits::kInboxBytesPerStreamMax;
    if (!opened_ || ended_ || delivering_ || !may_wait_ || !room) return;
    delivering_ = true;
    may_wait_ = false;
    deliver.items_max = static_cast<uint32_t>(
        std::min<size_t>(window_ - outstanding_.size(), limits::kDeliverPerCommandMax));
    deliver.bytes_max = limits::kInboxBytesPerStreamMax - queue_.bytes();
    deliver.lease = lease_;
  }
  parts_.sequencer->Submit(deliver, caller_,
                           [self = shared_from_this()](Result<machine::Outcome> outcome) {
                             self->OnLeased(std::move(outcome));
                           });
}

void PullStream::OnLeased(Result<machine::Outcome> outcome) {
  if (!outcome.ok() || outcome->refused) {
    Error error = outcome.ok() ? *outcome->refused : outcome.error();
    {
      std::lock_guard lock(mutex_);
      delivering_ = false;
    }
    return End(error, false);
  }
  auto& leased = std::get<machine::Leased>(outcome->answer);
  std::vector<DeliveryId> late;
  {
    std::lock_guard lock(mutex_);
    delivering_ = false;
    may_wait_ |= leased.more;
    for (auto& item : leased.items) {
      if (ended_) {
        late.push_back(item.delivery_id);
        continue;
      }
      outstanding_[item.delivery_id] = Micros(machine::ToMicros(item.delivery.lease_until()));
      queue_.Push(std::move(item), outcome->position);
      idle_told_ = false;
    }
    if (!may_wait_ && !idle_told_ && !ended_) {
      idle_told_ = true;
      v1::PullResponse idle;
      idle.mutable_idle()->set_position(outcome->position);
      queue_.Push(std::move(idle), 0);
    }
  }
  Cancel(late);
  MaybeWrite();
  MaybeDeliver();
}

void PullStream::Cancel(const std::vector<DeliveryId>& deliveries) {
  for (const auto& delivery : deliveries) {
    parts_.sequencer->Submit(machine::CancelDelivery{caller_.organisation, delivery}, std::nullopt,
                             [](const Result<machine::Outcome>&) {});
  }
}

// ---- Writing ----

void PullStream::MaybeWrite() {
  std::vector<DeliveryId> stopped;
  {
    std::lock_guard lock(mutex_);
    if (ended_ || writing_) return;
    writing_ = queue_.Next(
        [weak = weak_from_this()] {
          if (auto alive = weak.lock()) alive->context_->TryCancel();
        },
        &stopped);
    for (const auto& delivery : stopped) outstanding_.erase(delivery);
    if (writing_) {
      write_began_ = parts_.clock->Steady();
      StartWrite(&writing_->response);
    }
  }
  Cancel(stopped);
}

void PullStream::EndWrites() {
  if (!writing_) return;
  for (const auto& delivery : writing_->begun) parts_.gate->EndWrite(delivery);
  writing_->begun.clear();
}

void PullStream::OnWriteDone(bool ok) {
  {
    std::lock_guard lock(mutex_);
    EndWrites();
    if (writing_) answers_due_ -= writing_->answers;
    writing_.reset();
    if (ok && !reading_) ReadNext();
  }
  if (!ok) return End({}, false);
  MaybeWrite();
  MaybeDeliver();
}

void PullStream::Check(Micros now) {
  bool stalled;
  {
    std::lock_guard lock(mutex_);
    stalled = !ended_ && writing_ && now - write_began_ >= limits::kWriteTimeout;
  }
  if (!stalled) return MaybeDeliver();  // there may be room: a lease that ran out wakes nobody
  End(MakeError(ErrorCode::kDeadlineExceeded, "READER_STALLED",
                "a write was not taken within 30 seconds"),
      true);
}

void PullStream::EndWith(const Error& error) { End(error, true); }

// ---- Ending ----

void PullStream::End(const Status& status, bool cancel) {
  std::vector<DeliveryId> unwritten;
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    unwritten = queue_.Drain();
    for (const auto& delivery : unwritten) outstanding_.erase(delivery);
  }
  Cancel(unwritten);
  Finish(pass_.End(status));
  if (!cancel) return;
  bool writing;
  {
    std::lock_guard lock(mutex_);
    writing = writing_.has_value();
  }
  if (writing) transport::CloseNow(context_, status.error());
}

void PullStream::OnCancel() {
  End(MakeError(ErrorCode::kCancelled, "CANCELLED", "the stream was cancelled"), false);
}

void PullStream::OnDone() {
  parts_.hub->Remove(caller_.organisation, this);
  machine::ReleaseStream release{caller_.organisation, {}};
  {
    std::lock_guard lock(mutex_);
    EndWrites();
    for (const auto& [delivery, position] : outstanding_) release.deliveries.push_back(delivery);
  }
  if (!release.deliveries.empty()) {
    parts_.sequencer->Submit(std::move(release), std::nullopt,
                             [](const Result<machine::Outcome>&) {});
  }
  std::shared_ptr<PullStream> last = std::move(self_);
}

}  // namespace schakel::delivery
