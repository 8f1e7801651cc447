// FlowService: for who watches the chain.
#pragma once

#include <memory>
#include <string>

#include "clients/sdk/connection.h"
#include "schakel/v1/flow.grpc.pb.h"

namespace schakel::sdk {

// Thread-safe.
class FlowClient {
 public:
  explicit FlowClient(std::shared_ptr<Connection> connection);

  // Waits six times as long for its answer as other calls do.
  Result<v1::GetFlowResponse> Get();
  // All pages.
  Result<v1::ListStalledResponse> ListStalled();
  // Under a new request id.
  Result<v1::RemindResponse> Remind(const std::string& alias);

 private:
  std::shared_ptr<Connection> connection_;
  std::unique_ptr<v1::FlowService::Stub> stub_;
};

}  // namespace schakel::sdk
