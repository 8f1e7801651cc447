#include "broker/rpc/export_stream.h"

#include "broker/audit/record_filter.h"

namespace schakel::rpc {

namespace {

Status CheckExport(const v1::ExportRequest& request) {
  SCHAKEL_TRY(audit::CheckRequestId(request.request_id()));
  SCHAKEL_TRY(audit::CheckReason(request.ground(), false, "ground"));
  SCHAKEL_TRY(audit::CheckReason(request.reference(), false, "reference"));
  if (request.entries_only() && request.with_details()) {
    return InvalidArgument("FIELD_INVALID", "with_details", "entries alone have no details");
  }
  return {};
}

}  // namespace

ExportStream* ExportStream::Start(grpc::CallbackServerContext* context, transport::StreamPass pass,
                                  const Parts& parts, const v1::ExportRequest& request) {
  std::shared_ptr<ExportStream> stream(new ExportStream(context, std::move(pass), parts));
  stream->Watch();
  Status may = parts.Serving();
  if (may.ok()) may = CheckExport(request);
  if (may.ok()) {
    stream->Begin(request);
  } else {
    stream->End(may);
  }
  return stream.get();
}

void ExportStream::Begin(const v1::ExportRequest& request) {
  auto depth = request.entries_only()   ? query::ExportDepth::kEntries
               : request.with_details() ? query::ExportDepth::kDetails
                                        : query::ExportDepth::kRecords;
  machine::RecordQuery look;
  look.rpc = "Export";
  look.ground = request.ground();
  look.reference = request.reference();
  look.question = request.SerializeAsString();
  auto self = std::static_pointer_cast<ExportStream>(shared_from_this());
  parts_.sequencer->Submit(
      std::move(look), ToMachine(caller()), [self, depth](Result<machine::Outcome> outcome) {
        if (outcome.ok() && !outcome->refused) {
          return self->Granted(std::get<machine::QueryGrant>(outcome->answer), depth);
        }
        self->End(outcome.ok() ? *outcome->refused : outcome.error());
      });
}

void ExportStream::Granted(const machine::QueryGrant& grant, query::ExportDepth depth) {
  auto snapshot = parts_.store->TakeSnapshot();
  auto exporter = query::Exporter::Open(*snapshot, query::Scope::Of(grant), depth);
  if (!exporter.ok()) {
    End(exporter.error());
    return;
  }
  exporter_ = *std::move(exporter);
  WriteNext();
}

Result<std::optional<v1::ExportResponse>> ExportStream::Next() {
  SCHAKEL_TRY(parts_.Serving());
  if (exporter_->done()) return std::optional<v1::ExportResponse>();
  auto snapshot = parts_.store->TakeSnapshot();
  SCHAKEL_ASSIGN(auto piece, exporter_->Next(*snapshot));
  return std::optional(std::move(piece));
}

}  // namespace schakel::rpc
