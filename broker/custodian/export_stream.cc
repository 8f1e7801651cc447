#include "broker/custodian/export_stream.h"

namespace schakel::custodian {

ExportStream* ExportStream::Start(grpc::CallbackServerContext* context, transport::StreamPass pass,
                                  const LogDesk* desk, WorkerPool* pool,
                                  const v1::ExportLogRequest& request) {
  std::shared_ptr<ExportStream> stream(new ExportStream(context, std::move(pass), desk));
  stream->self_ = stream;
  std::weak_ptr<ExportStream> weak = stream;
  stream->pass_.Watch([weak](const Error& error) {
    if (auto alive = weak.lock()) alive->End(error, true);
  });
  const Status taken = pool->Submit(stream->pass_.caller().organisation,
                                    [stream, request] { stream->Begin(request); });
  if (!taken.ok()) stream->End(taken, false);
  return stream.get();
}

void ExportStream::Begin(const v1::ExportLogRequest& request) {
  const transport::Caller& caller = pass_.caller();
  auto exporter =
      desk_->Export({caller.organisation, caller.actor, caller.actor_role, caller.trace_id},
                    caller.member.role == v1::ROLE_AUDITOR, request);
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
    if (!exporter_->done()) {
      auto piece = desk_->NextPiece(*exporter_);
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
  // A write that the peer does not take would hold up the end for ever.
  if (cancel) context_->TryCancel();
}

void ExportStream::OnCancel() {
  End(MakeError(ErrorCode::kCancelled, "CANCELLED", "the stream was cancelled"), false);
}

void ExportStream::OnDone() { std::shared_ptr<ExportStream> last = std::move(self_); }

}  // namespace schakel::custodian
