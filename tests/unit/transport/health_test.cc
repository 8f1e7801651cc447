#include "broker/transport/health.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/transport/harness.h"

namespace schakel::transport {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;
using testing::TestCertificate;
using testing::TestOin;

class HealthTest : public ::testing::Test {
 protected:
  // A certificate that no directory knows: a probe's.
  HealthTest() : stub(grpc::health::v1::Health::NewStub(server.Connect(probe))) {}

  grpc::Status Check(const std::string& service, HealthCheckResponse* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    HealthCheckRequest request;
    request.set_service(service);
    return stub->Check(&context, request, response);
  }

  TestServer server;
  TestCertificate probe = server.pki.IssueFor(TestOin(77));
  std::unique_ptr<grpc::health::v1::Health::Stub> stub;
};

// A Watch from the client's side.
class Watched {
 public:
  Watched(grpc::health::v1::Health::Stub* stub, const std::string& service) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    HealthCheckRequest request;
    request.set_service(service);
    reader_ = stub->Watch(&context_, request);
  }
  // SERVICE_UNKNOWN + 100 when the stream ended.
  int Next() {
    HealthCheckResponse response;
    return reader_->Read(&response) ? response.status() : 100;
  }
  grpc::Status Finish() { return reader_->Finish(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<HealthCheckResponse>> reader_;
};

TEST_F(HealthTest, ChecksWithoutActorAndWithoutAdmission) {
  HealthCheckResponse response;
  ASSERT_TRUE(Check("", &response).ok());
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING) << "until it is set";
  server.health->Set("", HealthService::kServing);
  ASSERT_TRUE(Check("", &response).ok());
  EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  EXPECT_EQ(ReasonOf(Check("schakel.v1.SignalService", &response)), "NOT_FOUND");
  server.health->Set("schakel.v1.SignalService", HealthService::kServing);
  EXPECT_TRUE(Check("schakel.v1.SignalService", &response).ok());
}

TEST_F(HealthTest, RefusesARevokedCertificate) {
  server.pki.Revoke(probe);
  server.pki.WriteCrl();
  HealthCheckResponse response;
  EXPECT_EQ(ReasonOf(Check("", &response)), "CERTIFICATE_REVOKED");
}

TEST_F(HealthTest, ListsAllServices) {
  server.health->Set("", HealthService::kServing);
  server.health->Set("schakel.v1.InboxService", HealthService::kNotServing);
  grpc::ClientContext context;
  grpc::health::v1::HealthListResponse response;
  ASSERT_TRUE(stub->List(&context, grpc::health::v1::HealthListRequest(), &response).ok());
  ASSERT_EQ(response.statuses().size(), 2u);
  EXPECT_EQ(response.statuses().at("").status(), HealthCheckResponse::SERVING);
  EXPECT_EQ(response.statuses().at("schakel.v1.InboxService").status(),
            HealthCheckResponse::NOT_SERVING);
}

TEST_F(HealthTest, WatchTellsEachChangeAndOnlyChanges) {
  Watched all(stub.get(), "");
  Watched unknown(stub.get(), "schakel.v1.SignalService");
  EXPECT_EQ(all.Next(), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(unknown.Next(), HealthCheckResponse::SERVICE_UNKNOWN);
  server.health->Set("", HealthService::kNotServing);
  server.health->Set("", HealthService::kServing);
  EXPECT_EQ(all.Next(), HealthCheckResponse::SERVING);
  server.health->Set("schakel.v1.SignalService", HealthService::kServing);
  EXPECT_EQ(unknown.Next(), HealthCheckResponse::SERVING);
  server.health->SetAll(HealthService::kNotServing);
  EXPECT_EQ(all.Next(), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(unknown.Next(), HealthCheckResponse::NOT_SERVING);
}

TEST_F(HealthTest, WatchEndsWhenTheServerStopsAndSaysSoBefore) {
  server.health->Set("", HealthService::kServing);
  Watched watched(stub.get(), "");
  EXPECT_EQ(watched.Next(), HealthCheckResponse::SERVING);
  std::thread stop([&] { server.server->Drain(std::chrono::seconds(10)); });
  EXPECT_EQ(watched.Next(), HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(watched.Next(), 100);
  const grpc::Status status = watched.Finish();
  stop.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "NOT_SERVING");
  EXPECT_EQ(server.health->watchers(), 0u);
  server.health->Set("", HealthService::kServing);
  EXPECT_EQ(server.health->Get(""), HealthService::kNotServing) << "a stop is final";
}

TEST_F(HealthTest, WatchEndsWhenItsCertificateIsRevoked) {
  Watched watched(stub.get(), "");
  EXPECT_EQ(watched.Next(), HealthCheckResponse::NOT_SERVING);
  server.pki.Revoke(probe);
  server.pki.WriteCrl();
  EXPECT_EQ(watched.Next(), 100);
  EXPECT_EQ(ReasonOf(watched.Finish()), "CERTIFICATE_REVOKED");
}

TEST_F(HealthTest, WatchersAreBounded) {
  std::vector<std::unique_ptr<Watched>> watched;
  for (size_t i = 0; i < limits::kStreamsPerOrganisationMax; ++i) {
    watched.push_back(std::make_unique<Watched>(stub.get(), ""));
    EXPECT_EQ(watched.back()->Next(), HealthCheckResponse::NOT_SERVING);
  }
  Watched more(stub.get(), "");
  EXPECT_EQ(more.Next(), 100);
  EXPECT_EQ(ReasonOf(more.Finish()), "RATE_LIMITED");
  // 256 over several organisations.
  std::vector<std::unique_ptr<grpc::health::v1::Health::Stub>> stubs;
  for (uint64_t org = 0; watched.size() < limits::kHealthWatchersMax; ++org) {
    stubs.push_back(
        grpc::health::v1::Health::NewStub(server.Connect(server.pki.IssueFor(TestOin(80 + org)))));
    for (size_t i = 0; i < limits::kStreamsPerOrganisationMax; ++i) {
      watched.push_back(std::make_unique<Watched>(stubs.back().get(), ""));
      EXPECT_EQ(watched.back()->Next(), HealthCheckResponse::NOT_SERVING);
    }
  }
  EXPECT_EQ(server.health->watchers(), limits::kHealthWatchersMax);
  stubs.push_back(
      grpc::health::v1::Health::NewStub(server.Connect(server.pki.IssueFor(TestOin(99)))));
  Watched last(stubs.back().get(), "");
  EXPECT_EQ(last.Next(), 100);
  EXPECT_EQ(ReasonOf(last.Finish()), "RATE_LIMITED");
}

}  // namespace
}  // namespace schakel::transport
