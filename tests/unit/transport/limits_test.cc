// Bad input and too much of it: refused with a reason, and the server goes on.
#include <absl/synchronization/mutex.h>
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>

#include "tests/unit/transport/harness.h"

namespace schakel::transport {
namespace {

using testing::TestCertificate;
using testing::TestOin;

TestCertificate Admit(TestServer* server) {
  TestCertificate certificate = server->pki.IssueFor(TestOin(10));
  server->directory.Admit(certificate, v1::ROLE_PARTNER);
  return certificate;
}

grpc::Status Send(TestServer* server, const TestCertificate& certificate, size_t bytes,
                  bool compressed = false) {
  auto stub = v1::SignalService::NewStub(server->Connect(certificate));
  grpc::ClientContext context;
  TestServer::Prepare(&context);
  if (compressed) context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  v1::PublishRequest request;
  request.add_envelopes()->set_header(std::string(bytes, 'x'));
  v1::PublishResponse response;
  return stub->Publish(&context, request, &response);
}

// As gRPC may: with Debian's Abseil as it is, the second order ends the process.
TEST(Servers, AreNotEndedByTwoOrdersOfLocks) {
  const TestServer server;
  absl::Mutex first;
  absl::Mutex second;
  for (auto [outer, inner] : {std::pair(&first, &second), std::pair(&second, &first)}) {
    const absl::MutexLock outer_lock(outer);
    const absl::MutexLock inner_lock(inner);
  }
}

TEST(Limits, AMessageOverTheLimitIsRefusedBeforeAHandlerSeesIt) {
  TestServer server{ServerSetup{.message_bytes_max = 64 * 1024}};
  const TestCertificate certificate = Admit(&server);
  EXPECT_TRUE(Send(&server, certificate, 60 * 1024).ok());
  const grpc::Status status = Send(&server, certificate, 64 * 1024);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_EQ(server.signals->handled, 1);
  EXPECT_TRUE(Send(&server, certificate, 100).ok());
}

TEST(Limits, ABatchOfFourMebibytesPasses) {
  TestServer server;
  EXPECT_TRUE(Send(&server, Admit(&server), limits::kBatchBytesMax).ok());
}

TEST(Limits, ACompressedMessageIsRefused) {
  TestServer server;
  const TestCertificate certificate = Admit(&server);
  const grpc::Status status = Send(&server, certificate, 1024 * 1024, /*compressed=*/true);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(server.signals->handled, 0);
  EXPECT_TRUE(Send(&server, certificate, 100).ok());
}

TEST(Limits, TooMuchMetadataIsRefused) {
  TestServer server;
  const TestCertificate certificate = Admit(&server);
  auto stub = v1::SignalService::NewStub(server.Connect(certificate));
  const auto call = [&](size_t bytes) {
    grpc::ClientContext context;
    TestServer::Prepare(&context);
    context.AddMetadata("x-filling", std::string(bytes, 'x'));
    v1::PublishResponse response;
    return stub->Publish(&context, v1::PublishRequest(), &response);
  };
  EXPECT_TRUE(call(4096).ok());
  const grpc::Status status = call(2 * limits::kMetadataBytesMax);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_EQ(ReasonOf(status), "TOO_LARGE");
  EXPECT_EQ(server.signals->handled, 1);
}

TEST(Limits, CallsPerSecondAreLimitedPerOrganisation) {
  TestServer server{ServerSetup{.limits = {.calls_per_second = 2, .streams = 1}}};
  const TestCertificate certificate = Admit(&server);
  int refused = 0;
  for (int i = 0; i < 20 && refused == 0; ++i) {
    const grpc::Status status = Send(&server, certificate, 1);
    if (status.ok()) continue;
    ++refused;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    const Error error = ErrorFromStatus(status);
    EXPECT_EQ(error.reason, "RATE_LIMITED");
    EXPECT_GT(error.retry_after_ms, 0);
    EXPECT_LE(error.retry_after_ms, 1000);
  }
  EXPECT_EQ(refused, 1);
  const TestCertificate other = server.pki.IssueFor(TestOin(11));
  server.directory.Admit(other, v1::ROLE_PARTNER);
  EXPECT_TRUE(Send(&server, other, 1).ok());
}

TEST(Limits, RandomBytesOnThePortHarmNobody) {
  TestServer server;
  const TestCertificate certificate = Admit(&server);
  std::mt19937 random(20260101);  // NOLINT: the same bytes each time
  for (int i = 0; i < 50; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(server.server->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    std::string bytes(1 + random() % 4096, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    close(fd);
  }
  EXPECT_TRUE(Send(&server, certificate, 1).ok());
}

TEST(Limits, APortThatIsTakenIsSaidSo) {
  TestServer server;
  ServerOptions options;
  options.address = server.address();
  options.tls = {server.own.certificate, server.own.key, server.pki.ca()};
  HealthService health(server.guard.get());
  const auto second = Server::Start(options, server.guard.get(), &health, {});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().field, "listen.address");
}

TEST(Limits, AnAddressMustBeHostAndPort) {
  TestServer server;
  HealthService health(server.guard.get());
  for (const char* address : {"", "7443", ":7443", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                              "127.0.0.1:x", "unix:/tmp/socket", "::1:7443", "127.0.0.1:-1"}) {
    ServerOptions options;
    options.address = address;
    options.tls = {server.own.certificate, server.own.key, server.pki.ca()};
    const auto started = Server::Start(options, server.guard.get(), &health, {});
    ASSERT_FALSE(started.ok()) << address;
    EXPECT_EQ(started.error().field, "listen.address") << address;
  }
}

TEST(Limits, ThePortFileHoldsThePort) {
  const testing::TempDir folder;
  ASSERT_TRUE(WritePortFile(folder / "port", 7443).ok());
  EXPECT_EQ(testing::ReadFile(folder / "port"), "7443\n");
  const Status status = WritePortFile(folder / "no/such/folder", 7443);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().field.find("no/such"), std::string::npos);
}

}  // namespace
}  // namespace schakel::transport
