// Services of a made-up broker inside the test's process.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "clients/sdk/connection.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/unit/sdk/fixture.h"

namespace schakel::sdk {

// A status as the broker sends it.
inline grpc::Status Refused(grpc::StatusCode code, const std::string& reason,
                            int64_t retry_after_ms = 0, const std::string& field = "") {
  google::rpc::Status details;
  details.set_code(code);
  google::rpc::ErrorInfo info;
  info.set_domain("schakel");
  info.set_reason(reason);
  details.add_details()->PackFrom(info);
  if (retry_after_ms > 0) {
    google::rpc::RetryInfo retry;
    retry.mutable_retry_delay()->set_seconds(retry_after_ms / 1000);
    retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(retry_after_ms % 1000 * 1'000'000));
    details.add_details()->PackFrom(retry);
  }
  if (!field.empty()) {
    google::rpc::BadRequest bad;
    bad.add_field_violations()->set_field(field);
    details.add_details()->PackFrom(bad);
  }
  google::rpc::LocalizedMessage localized;
  localized.set_locale("nl");
  localized.set_message("geweigerd");
  details.add_details()->PackFrom(localized);
  return {code, "refused", details.SerializeAsString()};
}

inline ConnectionOptions TestOptions(std::chrono::milliseconds timeout = std::chrono::seconds(5)) {
  ConnectionOptions options;
  options.address = "in-process";
  options.actor = "user-1";
  options.actor_role = "professional";
  options.timeout = timeout;
  return options;
}

class FakeServer {
 public:
  explicit FakeServer(std::vector<grpc::Service*> services) {
    grpc::ServerBuilder builder;
    for (auto* service : services) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
  }
  ~FakeServer() { server_->Shutdown(std::chrono::system_clock::now()); }

  std::shared_ptr<Connection> Connect(ConnectionOptions options = TestOptions(),
                                      std::optional<OrganisationId> peer = std::nullopt) {
    return Connection::Over(server_->InProcessChannel({}), std::move(options), std::move(peer));
  }

 private:
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace schakel::sdk
