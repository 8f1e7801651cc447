// One ExportLog call: the look is written down first, then pieces follow as fast as the reader
// takes them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <optional>

#include "broker/custodian/log_desk.h"
#include "broker/custodian/worker_pool.h"
#include "broker/transport/call_guard.h"
#include "schakel/v1/custodian.pb.h"

namespace schakel::custodian {

// Keeps itself alive from Start to OnDone.
class ExportStream final : public grpc::ServerWriteReactor<v1::ExportLogResponse>,
                           public std::enable_shared_from_this<ExportStream> {
 public:
  // `desk` and `pool` must outlive the call.
  static ExportStream* Start(grpc::CallbackServerContext* context, transport::StreamPass pass,
                             const LogDesk* desk, WorkerPool* pool,
                             const v1::ExportLogRequest& request);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  ExportStream(grpc::CallbackServerContext* context, transport::StreamPass pass,
               const LogDesk* desk)
      : context_(context), pass_(std::move(pass)), desk_(desk) {}

  void Begin(const v1::ExportLogRequest& request);
  void WriteNext();
  void End(const Status& status, bool cancel);

  grpc::CallbackServerContext* const context_;
  transport::StreamPass pass_;
  const LogDesk* const desk_;
  std::shared_ptr<ExportStream> self_;  // until OnDone

  std::mutex mutex_;  // guards what follows
  bool ended_ = false;
  std::optional<audit::Exporter> exporter_;
  v1::ExportLogResponse piece_;  // of the write in progress
};

}  // namespace schakel::custodian
