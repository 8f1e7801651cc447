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
              pass_.caller().actor, pass_.caller().actor_role, pass_.caller().trace_id} {}

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
  {
    std::lock_guard lock(mutex_);
    if (opened_) return InvalidArgument("FIELD_INVALID", "open", "the stream is open already");
    opened_ = true;
    window_ = open.window();
    lease_ = lease;
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
    case v1::PullRequest::REQUEST_NOT_SET:
      break;
  }
  return InvalidArgument("FIELD_MISSING", "request", "one of its fields expected");
}

// ---- Settling ----

template <typename Settlement>
Status PullStream::HandleSettlement(const Settlement& settlement, const char* field) {
  auto command = ToCommand(settlement);
  if (!command.ok()) {
    Error error = command.error();
    if (!error.field.empty()) error.field = std::string(field) + "." + error.field;
    return error;
  }
  Settle(settlement.delivery_id(), *std::move(command));
  return {};
}

void PullStream::Settle(Bytes delivery_id, machine::Request request) {
  auto self = shared_from_this();
  {
    std::lock_guard lock(mutex_);
    ++answers_due_;
  }
  parts_.sequencer->Submit(
      std::move(request), caller_,
      [self, delivery_id = std::move(delivery_id)](Result<machine::Outcome> outcome) {
        if (outcome.ok()) self->Note(*DeliveryId::From(delivery_id), *outcome);
        self->OnSettled(delivery_id, std::move(outcome));
      });
}

// What became of a lease of this stream.
void PullStream::Note(const DeliveryId& delivery, const machine::Outcome& outcome) {
  if (const auto* extend = std::get_if<v1::ExtendResponse>(&outcome.answer)) {
    return LeaseMoved(delivery, Micros(machine::ToMicros(extend->lease_until())));
  }
  bool ended = !outcome.refused || outcome.refused->reason == "LEASE_LOST" ||
               outcome.refused->reason == "DELIVERY_SETTLED";
  if (!ended) return;
  std::lock_guard lock(mutex_);
  outstanding_.erase(delivery);
}

void PullStream::LeaseMoved(const DeliveryId& delivery, Micros until) {
  std::lock_guard lock(mutex_);
  if (auto it = outstanding_.find(delivery); it != outstanding_.end()) it->second = until;
}

void PullStream::OnSettled(const Bytes& delivery_id, Result<machine::Outcome> outcome) {
  Outgoing out;
  auto* result = out.response.mutable_settlement();
  result->set_delivery_id(delivery_id);
  if (!outcome.ok()) {
    result->set_reason(outcome.error().reason);
  } else if (outcome->refused) {
    result->set_reason(outcome->refused->reason);
  } else if (auto* ack = std::get_if<v1::AcknowledgeResponse>(&outcome->answer)) {
    *result->mutable_receipt() = std::move(*ack->mutable_receipt());
  } else if (auto* refuse = std::get_if<v1::RefuseResponse>(&outcome->answer)) {
    *result->mutable_receipt() = std::move(*refuse->mutable_receipt());
  } else if (auto* release = std::get_if<v1::ReleaseResponse>(&outcome->answer)) {
    *result->mutable_receipt() = std::move(*release->mutable_receipt());
  } else if (auto* extend = std::get_if<v1::ExtendResponse>(&outcome->answer)) {
    *result->mutable_receipt() = std::move(*extend->mutable_receipt());
  }
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    queue_.push_back(std::move(out));
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
    bool room = outstanding_.size() < window_ && queued_bytes_ < limits::kInboxBytesPerStreamMax;
    if (!opened_ || ended_ || delivering_ || !may_wait_ || !room) return;
    delivering_ = true;
    may_wait_ = false;
    deliver.items_max = static_cast<uint32_t>(
        std::min<size_t>(window_ - outstanding_.size(), limits::kDeliverPerCommandMax));
    deliver.bytes_max = limits::kInboxBytesPerStreamMax - queued_bytes_;
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
      Outgoing out;
      *out.response.mutable_delivery() = std::move(item.delivery);
      item.delivery.Clear();
      out.bytes = out.response.ByteSizeLong();
      out.position = outcome->position;
      queued_bytes_ += out.bytes;
      outstanding_[item.delivery_id] = Micros(machine::ToMicros(out.response.delivery().lease_until()));
      out.item = std::move(item);
      queue_.push_back(std::move(out));
      idle_told_ = false;
    }
    if (!may_wait_ && !idle_told_ && !ended_) {
      idle_told_ = true;
      Outgoing out;
      out.response.mutable_idle()->set_position(outcome->position);
      queue_.push_back(std::move(out));
    }
  }
  for (const auto& delivery : late) CancelDelivery(delivery);
  MaybeWrite();
  MaybeDeliver();
}

void PullStream::CancelDelivery(const DeliveryId& delivery) {
  parts_.sequencer->Submit(machine::CancelDelivery{caller_.organisation, delivery}, std::nullopt,
                           [](const Result<machine::Outcome>&) {});
}

// ---- Writing ----

void PullStream::MaybeWrite() {
  std::vector<DeliveryId> stopped;
  {
    std::lock_guard lock(mutex_);
    while (!ended_ && !writing_ && !queue_.empty()) {
      Outgoing next = std::move(queue_.front());
      queue_.pop_front();
      queued_bytes_ -= next.bytes;
      if (next.item) {
        std::weak_ptr<PullStream> weak = weak_from_this();
        bool may = parts_.gate->BeginWrite(next.item->delivery_id, next.position,
                                           next.item->subjects, [weak] {
                                             if (auto alive = weak.lock())
                                               alive->context_->TryCancel();
                                           });
        if (!may) {
          outstanding_.erase(next.item->delivery_id);
          stopped.push_back(next.item->delivery_id);
          continue;
        }
      }
      writing_ = std::move(next);
      write_began_ = parts_.clock->Steady();
      StartWrite(&writing_->response);
    }
  }
  for (const auto& delivery : stopped) CancelDelivery(delivery);
}

void PullStream::OnWriteDone(bool ok) {
  {
    std::lock_guard lock(mutex_);
    if (writing_ && writing_->item) parts_.gate->EndWrite(writing_->item->delivery_id);
    if (writing_ && writing_->response.has_settlement()) --answers_due_;
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
  std::deque<Outgoing> unwritten;
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    unwritten = std::move(queue_);
    queue_.clear();
    for (const auto& out : unwritten) {
      if (out.item) outstanding_.erase(out.item->delivery_id);
    }
  }
  for (const auto& out : unwritten) {
    if (out.item) CancelDelivery(out.item->delivery_id);
  }
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
    if (writing_ && writing_->item) parts_.gate->EndWrite(writing_->item->delivery_id);
    for (const auto& [delivery, position] : outstanding_) release.deliveries.push_back(delivery);
  }
  if (!release.deliveries.empty()) {
    parts_.sequencer->Submit(std::move(release), std::nullopt,
                             [](const Result<machine::Outcome>&) {});
  }
  std::shared_ptr<PullStream> last = std::move(self_);
}

}  // namespace schakel::delivery
