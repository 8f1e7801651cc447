// The health service as a load balancer uses it.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>

#include "broker/base/result.h"
#include "clients/sdk/connection.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace schakel::e2e {

// One Check: "SERVING" or "NOT_SERVING"; another text when there is no answer.
std::string HealthOf(const sdk::Connection& connection);

// One Watch of the server as a whole.
class HealthWatch {
 public:
  explicit HealthWatch(std::shared_ptr<sdk::Connection> connection);
  ~HealthWatch();
  HealthWatch(const HealthWatch&) = delete;
  HealthWatch& operator=(const HealthWatch&) = delete;
  // The next that is told, "SERVING" or "NOT_SERVING"; empty when the watch ended, or after a
  // minute. Blocks.
  std::string Next();

 private:
  std::shared_ptr<sdk::Connection> connection_;
  std::unique_ptr<grpc::health::v1::Health::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<grpc::health::v1::HealthCheckResponse>> reader_;
};

}  // namespace schakel::e2e
