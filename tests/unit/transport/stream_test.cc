// Open streams: closed when their organisation is no longer welcome, counted, and ended by a stop.
#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/transport/harness.h"

namespace schakel::transport {
namespace {

using std::chrono::steady_clock;
using testing::TestCertificate;
using testing::TestOin;

// The server sees the end of a stream a moment after the client. False when it never comes.
template <typename Condition>
bool Soon(Condition condition) {
  const auto until = steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

// A Pull from the client's side.
class Pulling {
 public:
  Pulling(TestServer* server, const TestCertificate& certificate)
      : Pulling(server->Connect(certificate)) {}
  explicit Pulling(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::InboxService::NewStub(channel)) {
    TestServer::Prepare(&context_);
    stream_ = stub_->Pull(&context_);
    stream_->WaitForInitialMetadata();
  }
  // Waits until the server ends it.
  grpc::Status Finish() {
    v1::PullResponse response;
    while (stream_->Read(&response)) {
    }
    return stream_->Finish();
  }
  grpc::Status Leave() {
    stream_->WritesDone();
    return Finish();
  }

 private:
  std::unique_ptr<v1::InboxService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PullRequest, v1::PullResponse>> stream_;
};

class Streams : public ::testing::Test {
 protected:
  TestCertificate Partner(uint64_t number = 10) {
    TestCertificate certificate = server.pki.IssueFor(TestOin(number));
    server.directory.Admit(certificate, v1::ROLE_PARTNER);
    return certificate;
  }
  uint32_t Open(uint64_t number = 10) {
    return server.authenticator->limiter().OpenStreams(*OrganisationId::From(TestOin(number)));
  }
  // Ends within the 5 s that an open stream may last at most after it is no longer welcome.
  std::string EndedBy(Pulling* stream) {
    const auto begun = steady_clock::now();
    const grpc::Status status = stream->Finish();
    EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(5));
    return ReasonOf(status);
  }

  TestServer server{ServerSetup{.limits = {.calls_per_second = 1000, .streams = 3}}};
};

TEST_F(Streams, EndByARevocationListThatIsReplaced) {
  const TestCertificate certificate = Partner();
  const TestCertificate other = Partner(11);
  Pulling stream(&server, certificate);
  Pulling staying(&server, other);
  EXPECT_EQ(Open(), 1u);
  server.pki.Revoke(certificate);
  server.pki.WriteCrl();
  EXPECT_EQ(EndedBy(&stream), "CERTIFICATE_REVOKED");
  EXPECT_TRUE(staying.Leave().ok()) << "the other organisation's stream goes on";
}

TEST_F(Streams, EndWhenTheRevocationListIsGone) {
  Pulling stream(&server, Partner());
  std::filesystem::remove(server.pki.crl());
  EXPECT_EQ(EndedBy(&stream), "REVOCATION_UNKNOWN");
}

TEST_F(Streams, EndWhenTheOrganisationIsDisabled) {
  Pulling stream(&server, Partner());
  server.directory.Change(TestOin(10), [](MemberFacts& member) { member.disabled = true; });
  EXPECT_EQ(EndedBy(&stream), "ORGANISATION_DISABLED");
}

// Pieces that nobody takes wait to be written; the end does not wait for them.
TEST_F(Streams, OfPiecesEndBeforeWhatWaitsToBeWritten) {
  const TestCertificate auditor = server.pki.IssueFor(TestOin(12));
  server.directory.Admit(auditor, v1::ROLE_AUDITOR);
  const auto stub = v1::AuditService::NewStub(server.Connect(auditor));
  grpc::ClientContext context;
  TestServer::Prepare(&context);
  v1::ExportRequest endless;
  endless.set_entries_only(true);
  const auto reader = stub->Export(&context, endless);
  v1::ExportResponse piece;
  ASSERT_TRUE(reader->Read(&piece));
  const auto begun = steady_clock::now();
  server.directory.Change(TestOin(12), [](MemberFacts& member) { member.disabled = true; });
  EXPECT_TRUE(Soon([&] { return Open(12) == 0; }));
  EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(5));
  while (reader->Read(&piece)) {
  }
  EXPECT_EQ(ReasonOf(reader->Finish()), "ORGANISATION_DISABLED");
}

TEST_F(Streams, EndWhenTheRoleOrThePinChanges) {
  const TestCertificate certificate = Partner();
  {
    Pulling stream(&server, certificate);
    server.directory.Change(TestOin(10),
                            [](MemberFacts& member) { member.role = v1::ROLE_AUDITOR; });
    EXPECT_EQ(EndedBy(&stream), "ROLE_NOT_ALLOWED");
  }
  server.directory.Admit(certificate, v1::ROLE_PARTNER);
  Pulling stream(&server, certificate);
  server.directory.Change(TestOin(10), [](MemberFacts& member) { member.spki = Digest{}; });
  EXPECT_EQ(EndedBy(&stream), "CERTIFICATE_UNKNOWN");
}

TEST_F(Streams, AreCountedPerOrganisation) {
  const TestCertificate certificate = Partner();
  const auto channel = server.Connect(certificate);
  auto first = std::make_unique<Pulling>(channel);
  Pulling second(channel);
  Pulling third(server.Connect(certificate));
  EXPECT_EQ(Open(), 3u);
  Pulling fourth(channel);
  const grpc::Status refused = fourth.Finish();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonOf(refused), "RATE_LIMITED");
  Pulling others(&server, Partner(11));
  EXPECT_EQ(Open(11), 1u);
  EXPECT_TRUE(first->Leave().ok());
  // The place is free once the server has seen the end.
  EXPECT_TRUE(Soon([&] { return Open() == 2; }));
  Pulling again(channel);
  EXPECT_TRUE(again.Leave().ok());
}

TEST_F(Streams, AreRefusedLikeCalls) {
  Pulling unknown(&server, server.pki.IssueFor(TestOin(12)));
  EXPECT_EQ(ReasonOf(unknown.Finish()), "CERTIFICATE_UNKNOWN");
  const TestCertificate certificate = Partner();
  auto stub = v1::AuditService::NewStub(server.Connect(certificate));
  const auto read = [&] {
    grpc::ClientContext context;
    TestServer::Prepare(&context);
    auto reader = stub->Export(&context, v1::ExportRequest());
    v1::ExportResponse response;
    while (reader->Read(&response)) {
    }
    return ReasonOf(reader->Finish());
  };
  EXPECT_EQ(read(), "ROLE_NOT_ALLOWED");
  server.directory.Admit(certificate, v1::ROLE_AUDITOR);
  EXPECT_EQ(read(), "OK");
  EXPECT_TRUE(Soon([&] { return Open() == 0; }));
}

TEST_F(Streams, EndWithARetriableStatusWhenTheServerStops) {
  Pulling stream(&server, Partner());
  std::thread stop([&] { server.server->Drain(std::chrono::seconds(10)); });
  const grpc::Status status = stream.Finish();
  stop.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "NOT_SERVING");
  EXPECT_EQ(Open(), 0u);
  EXPECT_EQ(server.watch->size(), 0u);
}

TEST_F(Streams, AreCountedInTheMetrics) {
  const std::string series = "schakel_streams_open{method=\"schakel.v1.InboxService.Pull\"} ";
  const TestCertificate certificate = Partner();
  {
    Pulling stream(&server, certificate);
    EXPECT_NE(server.metrics.Text().find(series + "1"), std::string::npos);
    EXPECT_TRUE(stream.Leave().ok());
  }
  EXPECT_TRUE(Soon([&] { return server.metrics.Text().find(series + "0") != std::string::npos; }));
}

TEST_F(Streams, AnAbandonedConnectionGivesItsPlacesBack) {
  const TestCertificate certificate = Partner();
  {
    Pulling stream(&server, certificate);
    EXPECT_EQ(Open(), 1u);
  }
  EXPECT_TRUE(Soon([&] { return Open() == 0; }));
}

// The watch alone, without gRPC.
class Watching : public Streams {
 protected:
  StreamGuard Guard(const TestCertificate& certificate) {
    auto identity = cache_.Read(certificate.certificate_pem());
    return {server.authenticator.get(),
            Grant{*identity, FindMethod("schakel.v1.InboxService.Pull")},
            RateLimiter::StreamSlot()};
  }
  IdentityCache cache_;
};

TEST_F(Watching, CallsAtMostOnceAndNeverAfterItsRegistrationWent) {
  StreamWatch watch(std::chrono::milliseconds(1));
  const StreamGuard guard = Guard(Partner());
  std::atomic<int> calls{0};
  auto registration = watch.Add(&guard, [&](const Error&) { ++calls; });
  server.directory.Change(TestOin(10), [](MemberFacts& member) { member.disabled = true; });
  EXPECT_TRUE(Soon([&] { return calls > 0; }));
  EXPECT_EQ(calls, 1);
  watch.EndAll(MakeError(ErrorCode::kUnavailable, "NOT_SERVING", "stops"));
  EXPECT_EQ(calls, 1);
  {
    std::atomic<int> late{0};
    auto second = watch.Add(&guard, [&](const Error& error) {
      EXPECT_EQ(error.reason, "NOT_SERVING");
      ++late;
    });
    EXPECT_EQ(late, 1) << "after EndAll a new stream ends at once";
    EXPECT_EQ(watch.size(), 2u);
  }
  EXPECT_EQ(watch.size(), 1u);
}

TEST_F(Watching, ItsCallMayDestroyTheRegistration) {
  StreamWatch watch(std::chrono::hours(1));
  const StreamGuard guard = Guard(Partner());
  auto registration = std::make_unique<StreamWatch::Registration>();
  *registration = watch.Add(&guard, [&](const Error&) { registration.reset(); });
  watch.EndAll(MakeError(ErrorCode::kUnavailable, "NOT_SERVING", "stops"));
  EXPECT_EQ(registration, nullptr);
  EXPECT_EQ(watch.size(), 0u);
}

TEST_F(Watching, BearsStreamsThatComeAndGoWhileItEndsThem) {
  StreamWatch watch(std::chrono::microseconds(100));
  const StreamGuard guard = Guard(Partner());
  std::atomic<bool> refused{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        auto alive = std::make_unique<int>(1);
        auto registration = watch.Add(&guard, [&, raw = alive.get()](const Error&) {
          *raw += 1;  // a use after its end would be seen by the sanitizers
          refused = true;
        });
        if (i == 250) {
          server.directory.Change(TestOin(10), [](MemberFacts& member) { member.disabled = true; });
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto last = watch.Add(&guard, [&](const Error&) { refused = true; });
  EXPECT_TRUE(Soon([&] { return refused.load(); }));
  EXPECT_EQ(watch.size(), 1u);
}

}  // namespace
}  // namespace schakel::transport
