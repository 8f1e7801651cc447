// One ExportLog call: the look is written down first, then pieces follow as fast as the reader
// takes them.
#pragma once

#include <optional>

#include "broker/custodian/log_desk.h"
#include "broker/custodian/worker_pool.h"
#include "broker/transport/piece_stream.h"
#include "schakel/v1/custodian.pb.h"

namespace schakel::custodian {

class ExportStream final : public transport::PieceStream<v1::ExportLogResponse> {
 public:
  // `desk` and `pool` must outlive the call.
  static ExportStream* Start(grpc::CallbackServerContext* context, transport::StreamPass pass,
                             const LogDesk* desk, WorkerPool* pool,
                             const v1::ExportLogRequest& request);

 private:
  ExportStream(grpc::CallbackServerContext* context, transport::StreamPass pass,
               const LogDesk* desk)
      : PieceStream(context, std::move(pass)), desk_(desk) {}

  void Begin(const v1::ExportLogRequest& request);
  Result<std::optional<v1::ExportLogResponse>> Next() override;

  const LogDesk* const desk_;
  std::optional<audit::Exporter> exporter_;  // from Begin on
};

}  // namespace schakel::custodian
