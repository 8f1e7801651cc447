#include "broker/custodian/export_stream.h"

namespace schakel::custodian {

ExportStream* ExportStream::Start(grpc::CallbackServerContext* context, transport::StreamPass pass,
                                  const LogDesk* desk, WorkerPool* pool,
                                  const v1::ExportLogRequest& request) {
  std::shared_ptr<ExportStream> stream(new ExportStream(context, std::move(pass), desk));
  stream->Watch();
  const Status taken =
      pool->Submit(stream->caller().organisation, [stream, request] { stream->Begin(request); });
  if (!taken.ok()) stream->End(taken);
  return stream.get();
}

void ExportStream::Begin(const v1::ExportLogRequest& request) {
  const transport::Caller& by = caller();
  auto exporter = desk_->Export({by.organisation, by.actor, by.actor_role, by.trace_id},
                                by.member.role == v1::ROLE_AUDITOR, request);
  if (!exporter.ok()) {
    End(exporter.error());
    return;
  }
  exporter_ = *std::move(exporter);
  WriteNext();
}

Result<std::optional<v1::ExportLogResponse>> ExportStream::Next() {
  if (exporter_->done()) return std::optional<v1::ExportLogResponse>();
  SCHAKEL_ASSIGN(auto piece, desk_->NextPiece(*exporter_));
  return std::optional(std::move(piece));
}

}  // namespace schakel::custodian
