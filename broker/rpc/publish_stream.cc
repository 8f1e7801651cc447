#include "broker/rpc/publish_stream.h"

#include "broker/base/limits.h"

namespace schakel::rpc {

PublishStream* PublishStream::Start(grpc::CallbackServerContext* context,
                                    transport::StreamPass pass, const Parts& parts) {
  std::shared_ptr<PublishStream> stream(new PublishStream(context, std::move(pass), parts));
  stream->self_ = stream;
  std::weak_ptr<PublishStream> weak = stream;
  stream->pass_.Watch(
      [weak](const Error& error) {
        if (auto alive = weak.lock()) alive->End(error, true);
      },
      [weak] {
        auto alive = weak.lock();
        return alive ? alive->CheckReader() : Status();
      });
  if (Status serving = parts.Serving(); !serving.ok()) {
    stream->End(serving, false);
  } else {
    stream->StartRead(stream->request_.ToRead());
  }
  return stream.get();
}

PublishStream::PublishStream(grpc::CallbackServerContext* context, transport::StreamPass pass,
                             const Parts& parts)
    : context_(context), pass_(std::move(pass)), parts_(parts), caller_(pass_.caller()) {}

// ---- Reading ----

void PublishStream::OnReadDone(bool ok) {
  if (!ok) {
    if (request_.DidNotParse()) return End(transport::MalformedMessage(request_.get()), false);
    // INVARIANT I2: what was taken is answered, also when nothing more comes.
    {
      std::lock_guard lock(mutex_);
      client_done_ = true;
    }
    return MaybeWrite();
  }
  if (Status handled = Handle(request_.taken()); !handled.ok()) return End(handled, false);
  MaybeWrite();
  std::lock_guard lock(mutex_);
  ReadNext();
}

void PublishStream::ReadNext() {
  // LIMIT: who sends and does not read the answers is not listened to until it does.
  reading_ = unanswered_ + limits::kBatchEnvelopesMax <= limits::kPublishWindowMax &&
             unanswered_bytes_ + limits::kBatchBytesMax <= limits::kPublishStreamBytesMax;
  if (reading_ && !ended_) StartRead(request_.ToRead());
}

Status PublishStream::Handle(v1::PublishStreamRequest& request) {
  {
    std::lock_guard lock(mutex_);
    if (!opened_ && !request.has_open()) {
      return InvalidArgument("FIELD_MISSING", "open", "the first message must open the stream");
    }
  }
  switch (request.request_case()) {
    case v1::PublishStreamRequest::kOpen:
      return Open(request.open());
    case v1::PublishStreamRequest::kBatch:
      return Take(*request.mutable_batch());
    case v1::PublishStreamRequest::REQUEST_NOT_SET:
      break;
  }
  return InvalidArgument("FIELD_MISSING", "request", "one of its fields expected");
}

Status PublishStream::Open(const v1::PublishStreamOpen& open) {
  std::lock_guard lock(mutex_);
  if (opened_) return InvalidArgument("FIELD_INVALID", "open", "the stream is open already");
  opened_ = true;
  full_receipts_ = open.full_receipts();
  opening_.emplace().mutable_opened()->set_window(limits::kPublishWindowMax);
  return {};
}

Status PublishStream::Take(v1::PublishBatch& batch) {
  SCHAKEL_ASSIGN(const size_t bytes, CheckBatch(batch.envelopes(), "batch.envelopes"));
  SCHAKEL_TRY(pass_.TakeCall());
  SCHAKEL_TRY(parts_.Serving());
  auto pending = std::make_shared<Pending>();
  pending->envelopes = static_cast<size_t>(batch.envelopes_size());
  pending->bytes = bytes;
  {
    std::lock_guard lock(mutex_);
    unanswered_ += pending->envelopes;
    unanswered_bytes_ += pending->bytes;
    pending_.push_back(pending);
  }
  Publish(parts_, caller_, batch.mutable_envelopes(),
          std::make_shared<PublishBatch>(
              batch.envelopes_size(), "batch.envelopes", caller_.trace_id,
              [self = shared_from_this(), pending](PublishBatch& decided, const Status& ended) {
                self->OnDecided(pending, decided, ended);
              }));
  return {};
}

// ---- Answering ----

void PublishStream::OnDecided(const std::shared_ptr<Pending>& pending, PublishBatch& batch,
                              const Status& ended) {
  // What was not taken is sent again on another stream.
  if (!ended.ok()) return End(ended, false);
  for (auto& result : batch.results()) {
    if (full_receipts_ || !result.has_accepted()) continue;
    for (auto& receipt : *result.mutable_accepted()->mutable_receipts()) {
      receipt.clear_record();
      receipt.clear_salt();
    }
  }
  pending->answer.mutable_results()->Swap(&batch.results());
  pending->answer.set_position(batch.position());
  {
    std::lock_guard lock(mutex_);
    pending->decided = true;
  }
  MaybeWrite();
}

void PublishStream::MaybeWrite() {
  bool finish = false;
  {
    std::lock_guard lock(mutex_);
    if (ended_ || writing_) return;
    if (opening_) {
      response_ = *std::move(opening_);
      opening_.reset();
      writing_ = true;
    } else {
      response_.Clear();
      auto* answer = response_.mutable_answer();
      while (!pending_.empty() && pending_.front()->decided) {
        auto& next = *pending_.front();
        bool room = answer->results().empty() ||
                    static_cast<size_t>(answer->results_size()) + next.envelopes <=
                        limits::kPublishAnswerResultsMax;
        if (!room) break;
        for (auto& result : *next.answer.mutable_results()) {
          *answer->add_results() = std::move(result);
        }
        answer->set_position(std::max(answer->position(), next.answer.position()));
        answer->set_batches(++batches_);
        written_envelopes_ += next.envelopes;
        written_bytes_ += next.bytes;
        pending_.pop_front();
        writing_ = true;
      }
    }
    if (writing_) {
      write_began_ = parts_.clock->Steady();
      StartWrite(&response_);
    }
    finish = !writing_ && client_done_ && pending_.empty();
  }
  if (finish) End({}, false);
}

void PublishStream::OnWriteDone(bool ok) {
  if (!ok) return End({}, false);
  {
    std::lock_guard lock(mutex_);
    writing_ = false;
    unanswered_ -= std::exchange(written_envelopes_, 0);
    unanswered_bytes_ -= std::exchange(written_bytes_, 0);
    if (!reading_ && !client_done_) ReadNext();
  }
  MaybeWrite();
}

Status PublishStream::CheckReader() {
  std::lock_guard lock(mutex_);
  if (!writing_ || parts_.clock->Steady() - write_began_ < limits::kWriteTimeout) return {};
  return MakeError(ErrorCode::kDeadlineExceeded, "READER_STALLED",
                   "an answer was not taken within 30 seconds");
}

// ---- Ending ----

void PublishStream::End(const Status& status, bool cancel) {
  bool writing;
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    writing = writing_;
  }
  Finish(pass_.End(status));
  if (cancel && writing) transport::CloseNow(context_, status.error());
}

void PublishStream::OnCancel() {
  End(MakeError(ErrorCode::kCancelled, "CANCELLED", "the stream was cancelled"), false);
}

void PublishStream::OnDone() { std::shared_ptr<PublishStream> last = std::move(self_); }

}  // namespace schakel::rpc
