#include "clients/sdk/connection.h"

#include <sys/stat.h>

#include "clients/sdk/status.h"
#include "schakel/v1/audit.grpc.pb.h"
#include "tests/unit/sdk/fake_server.h"

namespace schakel::sdk {
namespace {

class Service final : public v1::AuditService::Service {
 public:
  grpc::Status GetCheckpoint(grpc::ServerContext* context, const v1::GetCheckpointRequest*,
                             v1::GetCheckpointResponse* response) override {
    for (const char* key : {"schakel-actor", "schakel-actor-role", "traceparent"}) {
      const auto found = context->client_metadata().find(key);
      if (found == context->client_metadata().end()) return {grpc::StatusCode::INTERNAL, key};
      metadata[key].emplace_back(found->second.data(), found->second.size());
    }
    if (calls++ < static_cast<int>(answers.size())) {
      return answers[static_cast<size_t>(calls - 1)];
    }
    response->set_checkpoint("here");
    return grpc::Status::OK;
  }
  std::vector<grpc::Status> answers;  // then OK
  int calls = 0;
  std::map<std::string, std::vector<std::string>> metadata;
};

class Connections : public ::testing::Test {
 protected:
  Result<v1::GetCheckpointResponse> Call(ConnectionOptions options = TestOptions()) {
    auto connection = server_.Connect(options);
    auto stub = v1::AuditService::NewStub(connection->channel());
    return connection->Call(*stub, &v1::AuditService::Stub::GetCheckpoint,
                            v1::GetCheckpointRequest());
  }
  Service service_;
  FakeServer server_{{&service_}};
};

TEST_F(Connections, SendActorAndTraceWithEveryAttempt) {
  service_.answers = {Refused(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING")};
  ASSERT_TRUE(Call().ok());
  EXPECT_EQ(service_.metadata["schakel-actor"], (std::vector<std::string>{"user-1", "user-1"}));
  EXPECT_EQ(service_.metadata["schakel-actor-role"][0], "professional");
  const auto& traces = service_.metadata["traceparent"];
  EXPECT_EQ(traces[0].size(), 55u);
  EXPECT_EQ(traces[0], traces[1]) << "one call is one trace";
}

TEST_F(Connections, TryAgainWhereThatHelps) {
  service_.answers = {Refused(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING"),
                      Refused(grpc::StatusCode::ABORTED, "STALE_VERSION"),
                      Refused(grpc::StatusCode::RESOURCE_EXHAUSTED, "QUEUE_FULL", 10)};
  const auto response = Call();
  ASSERT_TRUE(response.ok()) << response.error().message;
  EXPECT_EQ(response->checkpoint(), "here");
  EXPECT_EQ(service_.calls, 4);
}

TEST_F(Connections, WaitAsLongAsTheServerSays) {
  service_.answers = {Refused(grpc::StatusCode::RESOURCE_EXHAUSTED, "RATE_LIMITED", 300)};
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(Call().ok());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(300));
}

TEST_F(Connections, DoNotTryAgainWhereThatCannotHelp) {
  for (const auto& answer : {Refused(grpc::StatusCode::PERMISSION_DENIED, "ROLE_NOT_ALLOWED"),
                             Refused(grpc::StatusCode::INVALID_ARGUMENT, "FIELD_INVALID"),
                             Refused(grpc::StatusCode::FAILED_PRECONDITION, "RESTORED"),
                             grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too large")}) {
    service_.calls = 0;
    service_.answers = {answer};
    EXPECT_FALSE(Call().ok());
    EXPECT_EQ(service_.calls, 1);
  }
}

TEST_F(Connections, GiveUpWhenTheWaitWouldPassTheDeadline) {
  service_.answers = {Refused(grpc::StatusCode::RESOURCE_EXHAUSTED, "BUDGET_EXHAUSTED", 3'600'000)};
  const auto begin = std::chrono::steady_clock::now();
  const auto response = Call();
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().reason, "BUDGET_EXHAUSTED");
  EXPECT_EQ(response.error().retry_after_ms, 3'600'000);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  service_.calls = 0;
  service_.answers.assign(1000, Refused(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING"));
  EXPECT_EQ(Call(TestOptions(std::chrono::milliseconds(400))).error().reason, "NOT_SERVING");
  EXPECT_GT(service_.calls, 1);
}

TEST(RetryDelay, GrowsToTwoSecondsWithJitter) {
  const Error error = MakeError(ErrorCode::kUnavailable, "NOT_SERVING", "");
  EXPECT_EQ(RetryDelay(error, 1, 0.0)->count(), 25);
  EXPECT_EQ(RetryDelay(error, 3, 0.0)->count(), 100);
  EXPECT_EQ(RetryDelay(error, 50, 0.0)->count(), 1000);
  EXPECT_LT(RetryDelay(error, 50, 0.999)->count(), 2001);
  EXPECT_EQ(RetryDelay(MakeError(ErrorCode::kNotFound, "", ""), 1, 0.0), std::nullopt);
}

TEST(ErrorFromGrpc, ReadsEveryDetail) {
  const auto status = Refused(grpc::StatusCode::INVALID_ARGUMENT, "FIELD_INVALID", 1500, "header");
  const Error error = ErrorFromGrpc(status, "en");
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(error.reason, "FIELD_INVALID");
  EXPECT_EQ(error.field, "header");
  EXPECT_EQ(error.retry_after_ms, 1500);
  EXPECT_EQ(error.message, "refused");
  EXPECT_EQ(ErrorFromGrpc(status, "nl").message, "geweigerd");
}

TEST(ErrorFromGrpc, WaitsADayAtMostWhateverTheOtherSideSays) {
  const auto status = Refused(grpc::StatusCode::UNAVAILABLE, "BUSY", INT64_MAX);
  const int64_t wait = ErrorFromGrpc(status, "en").retry_after_ms;
  EXPECT_GE(wait, 86'400'000);
  EXPECT_LT(wait, 86'401'000);
}

TEST(ErrorFromGrpc, NamesAReasonWhereTheServerGaveNone) {
  EXPECT_EQ(ErrorFromGrpc({grpc::StatusCode::UNAVAILABLE, "x"}, "en").reason, "NOT_SERVING");
  EXPECT_EQ(ErrorFromGrpc({grpc::StatusCode::DEADLINE_EXCEEDED, "x"}, "en").reason,
            "DEADLINE_EXCEEDED");
  EXPECT_EQ(ErrorFromGrpc({grpc::StatusCode::UNKNOWN, "x", "\xff\xff"}, "en").reason, "INTERNAL");
  // A call that was ended at once has room for no details.
  EXPECT_EQ(
      ErrorFromGrpc({grpc::StatusCode::DEADLINE_EXCEEDED, "READER_STALLED: too slow"}, "en").reason,
      "READER_STALLED");
  EXPECT_EQ(ErrorFromGrpc({grpc::StatusCode::UNAVAILABLE, "UNSPECIFIED: x"}, "en").reason,
            "NOT_SERVING");
  EXPECT_EQ(ErrorFromGrpc({grpc::StatusCode::UNAVAILABLE, "READER_STALLED"}, "en").reason,
            "NOT_SERVING");
}

// ---- mTLS ----

class OverTls : public ::testing::Test {
 protected:
  OverTls() {
    pki_.Issue(kPolice.str());
    pki_.Issue(kCentre.str());
    grpc::SslServerCredentialsOptions ssl(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    ssl.pem_root_certs = crypto::ReadText(pki_.path() / "ca.pem");
    ssl.pem_key_cert_pairs.push_back(
        {crypto::ReadText(pki_.path() / (kCentre.str() + ".key")),
         crypto::ReadText(pki_.path() / (kCentre.str() + ".chain.pem"))});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(ssl), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~OverTls() override { server_->Shutdown(std::chrono::system_clock::now()); }
  ConnectionOptions Options() {
    auto options = TestOptions(std::chrono::seconds(5));
    options.address = "127.0.0.1:" + std::to_string(port_);
    options.ca_file = pki_.path() / "ca.pem";
    options.certificate_file = pki_.path() / (kPolice.str() + ".chain.pem");
    options.key_file = pki_.path() / (kPolice.str() + ".key");
    return options;
  }
  crypto::DevPki pki_;
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(OverTls, TellTheOrganisationOfTheServer) {
  const auto connection = Connection::Open(Options());
  ASSERT_TRUE(connection.ok()) << connection.error().message;
  const auto stub = v1::AuditService::NewStub((*connection)->channel());
  std::optional<OrganisationId> peer;
  v1::GetCheckpointResponse response;
  const auto done = (*connection)->Run([&](grpc::ClientContext& context) {
    const auto status = stub->GetCheckpoint(&context, {}, &response);
    if (const auto oin = (*connection)->PeerOf(context); oin.ok()) peer = *oin;
    return status;
  });
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(peer, kCentre);
}

TEST_F(OverTls, RefuseAServerOfAnotherAuthority) {
  crypto::DevPki elsewhere;
  auto options = Options();
  options.ca_file = elsewhere.path() / "ca.pem";
  options.timeout = std::chrono::milliseconds(500);
  const auto connection = Connection::Open(options);
  const auto stub = v1::AuditService::NewStub((*connection)->channel());
  const auto response =
      (*connection)
          ->Call(*stub, &v1::AuditService::Stub::GetCheckpoint, v1::GetCheckpointRequest());
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(service_.calls, 0);
}

TEST_F(OverTls, RefuseAKeyThatOthersMayReadAndMissingSettings) {
  ASSERT_EQ(::chmod((pki_.path() / (kPolice.str() + ".key")).c_str(), 0640), 0);
  EXPECT_EQ(Connection::Open(Options()).error().reason, "KEY_FILE_OPEN");
  auto missing = Options();
  missing.ca_file = "/no/such/file";
  EXPECT_EQ(Connection::Open(missing).error().reason, "FILE_MISSING");
  auto no_actor = Options();
  no_actor.actor.clear();
  EXPECT_EQ(Connection::Open(no_actor).error().reason, "ACTOR_MISSING");
  auto odd_actor = Options();
  odd_actor.actor = "caf\xc3\xa9";
  EXPECT_EQ(Connection::Open(odd_actor).error().reason, "FIELD_INVALID");
  auto no_address = Options();
  no_address.address.clear();
  EXPECT_EQ(Connection::Open(no_address).error().reason, "FIELD_MISSING");
}

}  // namespace
}  // namespace schakel::sdk
