#include "tests/e2e/health_watch.h"

namespace schakel::e2e {

using grpc::health::v1::Health;
using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

namespace {
std::string NameOf(const HealthCheckResponse& response) {
  return HealthCheckResponse::ServingStatus_Name(response.status());
}
}  // namespace

std::string HealthOf(const sdk::Connection& connection) {
  const auto stub = Health::NewStub(connection.channel());
  HealthCheckResponse response;
  // Tried again while there is no answer: a channel may not have noticed that its broker was
  // started anew.
  const Status status = connection.Run([&](grpc::ClientContext& context) {
    return stub->Check(&context, HealthCheckRequest(), &response);
  });
  return status.ok() ? NameOf(response) : "no answer: " + status.error().reason;
}

HealthWatch::HealthWatch(std::shared_ptr<sdk::Connection> connection)
    : connection_(std::move(connection)), stub_(Health::NewStub(connection_->channel())) {
  context_.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
  reader_ = stub_->Watch(&context_, HealthCheckRequest());
}

HealthWatch::~HealthWatch() {
  context_.TryCancel();
  (void)reader_->Finish();
}

std::string HealthWatch::Next() {
  HealthCheckResponse response;
  return reader_->Read(&response) ? NameOf(response) : std::string();
}

}  // namespace schakel::e2e
