// One Export call: the look is recorded first, then pieces follow as fast as the reader takes them.
#pragma once

#include <optional>

#include "broker/query/export.h"
#include "broker/rpc/parts.h"
#include "broker/transport/piece_stream.h"
#include "schakel/v1/audit.pb.h"

namespace schakel::rpc {

class ExportStream final : public transport::PieceStream<v1::ExportResponse> {
 public:
  static ExportStream* Start(grpc::CallbackServerContext* context, transport::StreamPass pass,
                             const Parts& parts, const v1::ExportRequest& request);

 private:
  ExportStream(grpc::CallbackServerContext* context, transport::StreamPass pass, const Parts& parts)
      : PieceStream(context, std::move(pass)), parts_(parts) {}

  void Begin(const v1::ExportRequest& request);
  void Granted(const machine::QueryGrant& grant, query::ExportDepth depth);
  Result<std::optional<v1::ExportResponse>> Next() override;

  const Parts parts_;
  std::optional<query::Exporter> exporter_;  // from Granted on
};

}  // namespace schakel::rpc
