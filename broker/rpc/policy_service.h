#pragma once

#include "broker/rpc/parts.h"
#include "schakel/v1/policy.grpc.pb.h"

namespace schakel::rpc {

class PolicyService final : public transport::Strict<v1::PolicyService::CallbackService> {
 public:
  explicit PolicyService(const Parts& parts) : parts_(parts) {
    RegisterStrict(&PolicyService::ActivatePolicy, &PolicyService::GetPolicy,
                   &PolicyService::Explain, &PolicyService::Replay);
  }

  grpc::ServerUnaryReactor* ActivatePolicy(grpc::CallbackServerContext* context,
                                           const v1::ActivatePolicyRequest* request,
                                           v1::ActivatePolicyResponse* response) override;
  grpc::ServerUnaryReactor* GetPolicy(grpc::CallbackServerContext* context,
                                      const v1::GetPolicyRequest* request,
                                      v1::GetPolicyResponse* response) override;
  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context,
                                    const v1::ExplainRequest* request,
                                    v1::ExplainResponse* response) override;
  grpc::ServerUnaryReactor* Replay(grpc::CallbackServerContext* context,
                                   const v1::ReplayRequest* request,
                                   v1::ReplayResponse* response) override;

 private:
  const Parts parts_;
};

}  // namespace schakel::rpc
