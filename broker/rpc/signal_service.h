#pragma once

#include "broker/rpc/parts.h"
#include "schakel/v1/signal.grpc.pb.h"

namespace schakel::rpc {

class SignalService final : public transport::Strict<v1::SignalService::CallbackService> {
 public:
  explicit SignalService(const Parts& parts);

  grpc::ServerUnaryReactor* Preflight(grpc::CallbackServerContext* context,
                                      const v1::PreflightRequest* request,
                                      v1::PreflightResponse* response) override;
  grpc::ServerUnaryReactor* Publish(grpc::CallbackServerContext* context,
                                    const v1::PublishRequest* request,
                                    v1::PublishResponse* response) override;
  grpc::ServerBidiReactor<v1::PublishStreamRequest, v1::PublishStreamResponse>* PublishStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* GetSignal(grpc::CallbackServerContext* context,
                                      const v1::GetSignalRequest* request,
                                      v1::GetSignalResponse* response) override;
  grpc::ServerUnaryReactor* ListSignals(grpc::CallbackServerContext* context,
                                        const v1::ListSignalsRequest* request,
                                        v1::ListSignalsResponse* response) override;
  grpc::ServerUnaryReactor* ReadOutcomes(grpc::CallbackServerContext* context,
                                         const v1::ReadOutcomesRequest* request,
                                         v1::ReadOutcomesResponse* response) override;
  grpc::ServerUnaryReactor* AttachSubject(grpc::CallbackServerContext* context,
                                          const v1::AttachSubjectRequest* request,
                                          v1::AttachSubjectResponse* response) override;

 private:
  const Parts parts_;
};

}  // namespace schakel::rpc
