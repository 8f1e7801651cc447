// One Export call: the look is recorded first, then pieces follow as fast as the reader takes them.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "broker/query/export.h"
#include "broker/rpc/parts.h"
#include "schakel/v1/audit.pb.h"

namespace schakel::rpc {

// Keeps itself alive from Start to OnDone.
class ExportStream final : public grpc::ServerWriteReactor<v1::ExportResponse>,
                           public std::enable_shared_from_this<ExportStream> {
 public:
  static ExportStream* Start(grpc::CallbackServerContext* context, transport::StreamPass pass,
                             const Parts& parts, const v1::ExportRequest& request);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  ExportStream(grpc::CallbackServerContext* context, transport::StreamPass pass,
               const Parts& parts)
      : context_(context), pass_(std::move(pass)), parts_(parts) {}

  void Begin(const v1::ExportRequest& request);
  void Granted(const machine::QueryGrant& grant, query::ExportDepth depth);
  void WriteNext();
  void End(const Status& status, bool cancel);

  grpc::CallbackServerContext* const context_;
  transport::StreamPass pass_;
  const Parts parts_;
  std::shared_ptr<ExportStream> self_;  // until OnDone

  std::mutex mutex_;  // guards what follows
  bool ended_ = false;
  std::optional<query::Exporter> exporter_;
  v1::ExportResponse piece_;  // of the write in progress
};

}  // namespace schakel::rpc
