#include "broker/rpc/export_stream.h"

#include "broker/base/limits.h"
#include "broker/rpc/checks.h"
#include "broker/transport/errors.h"

namespace schakel::rpc {

ExportStream* ExportStream::Start(grpc::CallbackServerContext* context, transport::StreamPass pass,
                                  const Parts& parts, const v1::ExportRequest& request) {
  std::shared_ptr<ExportStream> stream(new ExportStream(context, std::move(pass), parts));
  stream->self_ = stream;
  std::weak_ptr<ExportStream> weak = stream;
  stream->pass_.Watch([weak](const Error& error) {
    if (auto alive = weak.lock()) alive->End(error, true);
  });
  stream->Begin(request);
  return stream.get();
}

void ExportStream::Begin(const v1::ExportRequest& request) {
  if (Status serving = parts_.Serving(); !serving.ok()) return End(serving, false);
  if (Status id = CheckSized(request.request_id(), 16, "request_id"); !id.ok()) {
    return End(id, false);
  }
  for (const auto* text : {&request.ground(), &request.reference()}) {
    if (text->size() > limits::kReferenceBytesMax) {
      return End(InvalidArgument("TOO_LARGE", text == &request.ground() ? "ground" : "reference",
                                 "at most 200 bytes expected"),
                 false);
    }
  }
  if (request.entries_only() && request.with_details()) {
    return End(InvalidArgument("FIELD_INVALID", "with_details", "entries alone have no details"),
               false);
  }
  auto depth = request.entries_only()   ? query::ExportDepth::kEntries
               : request.with_details() ? query::ExportDepth::kDetails
                                        : query::ExportDepth::kRecords;
  machine::RecordQuery look;
  look.rpc = "Export";
  look.ground = request.ground();
  look.reference = request.reference();
  look.question = request.SerializeAsString();
  parts_.sequencer->Submit(std::move(look), ToMachine(pass_.caller()),
                           [self = shared_from_this(), depth](Result<machine::Outcome> outcome) {
                             if (!outcome.ok()) return self->End(outcome.error(), false);
                             if (outcome->refused) return self->End(*outcome->refused, false);
                             self->Granted(std::get<machine::QueryGrant>(outcome->answer), depth);
                           });
}

void ExportStream::Granted(const machine::QueryGrant& grant, query::ExportDepth depth) {
  auto snapshot = parts_.store->TakeSnapshot();
  auto exporter = query::Exporter::Open(*snapshot, query::Scope::Of(grant), depth);
  if (!exporter.ok()) return End(exporter.error(), false);
  {
    std::lock_guard lock(mutex_);
    exporter_ = *std::move(exporter);
  }
  WriteNext();
}

void ExportStream::WriteNext() {
  Status failed;
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    failed = parts_.Serving();
    if (failed.ok() && !exporter_->done()) {
      auto snapshot = parts_.store->TakeSnapshot();
      auto piece = exporter_->Next(*snapshot);
      if (piece.ok()) {
        piece_ = *std::move(piece);
        StartWrite(&piece_);
        return;
      }
      failed = piece.error();
    }
  }
  End(failed, false);
}

void ExportStream::OnWriteDone(bool ok) {
  if (!ok) return End(MakeError(ErrorCode::kCancelled, "CANCELLED", "the reader went away"), false);
  WriteNext();
}

void ExportStream::End(const Status& status, bool cancel) {
  {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
  }
  Finish(pass_.End(status));
  if (cancel) transport::CloseNow(context_, status.error());
}

void ExportStream::OnCancel() {
  End(MakeError(ErrorCode::kCancelled, "CANCELLED", "the stream was cancelled"), false);
}

void ExportStream::OnDone() { std::shared_ptr<ExportStream> last = std::move(self_); }

}  // namespace schakel::rpc
