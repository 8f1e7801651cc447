#pragma once

#include "broker/query/flow.h"
#include "broker/rpc/parts.h"
#include "schakel/v1/flow.grpc.pb.h"

namespace schakel::rpc {

class FlowService final : public transport::Strict<v1::FlowService::CallbackService> {
 public:
  explicit FlowService(const Parts& parts) : parts_(parts) {
    RegisterStrict(&FlowService::GetFlow, &FlowService::ListStalled, &FlowService::Remind);
  }

  grpc::ServerUnaryReactor* GetFlow(grpc::CallbackServerContext* context,
                                    const v1::GetFlowRequest* request,
                                    v1::GetFlowResponse* response) override;
  grpc::ServerUnaryReactor* ListStalled(grpc::CallbackServerContext* context,
                                        const v1::ListStalledRequest* request,
                                        v1::ListStalledResponse* response) override;
  grpc::ServerUnaryReactor* Remind(grpc::CallbackServerContext* context,
                                   const v1::RemindRequest* request,
                                   v1::RemindResponse* response) override;

 private:
  const Parts parts_;
  query::Flow flow_;
};

}  // namespace schakel::rpc
