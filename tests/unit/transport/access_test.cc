// Who gets in, over real TLS: the reason of each refusal, and that the handler did not run.
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <future>

#include "broker/transport/error_texts.h"
#include "broker/transport/errors.h"
#include "tests/unit/transport/harness.h"

namespace schakel::transport {
namespace {

using testing::TestCertificate;
using testing::TestOin;

class Access : public ::testing::Test {
 protected:
  TestCertificate Partner() {
    TestCertificate certificate = server.pki.IssueFor(TestOin(10));
    server.directory.Admit(certificate, v1::ROLE_PARTNER);
    return certificate;
  }
  // The reason, after checking that a refused call changed nothing.
  std::string Try(const TestCertificate& certificate, const ClientSetup& client = {}) {
    const int before = server.signals->handled;
    const grpc::Status status = server.Publish(certificate, client);
    EXPECT_EQ(server.signals->handled, before + (status.ok() ? 1 : 0));
    return ReasonOf(status);
  }
  std::vector<Refusal> Refusals() {
    std::lock_guard lock(server.refusals_mutex);
    return server.refusals;
  }

  TestServer server;
};

TEST_F(Access, AdmittedPartnerGetsInAndTheHandlerLearnsWhoItIs) {
  ClientSetup client;
  client.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(Try(Partner(), client), "OK");
  const std::optional<Caller> caller = server.signals->last();
  ASSERT_TRUE(caller.has_value());
  EXPECT_EQ(caller->organisation.str(), TestOin(10));
  EXPECT_EQ(caller->member.role, v1::ROLE_PARTNER);
  EXPECT_EQ(caller->member.entry_version, 7u);
  EXPECT_EQ(caller->actor, "u-17");
  EXPECT_EQ(caller->actor_role, "wijkteam");
  EXPECT_EQ(HexEncode(caller->trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_TRUE(Refusals().empty());
}

TEST_F(Access, WithoutACertificateOrWithAnothersAuthorityThereIsNoCallAtAll) {
  const TestCertificate known = Partner();
  testing::TestPki other(server.folder.path(), "other-ca");
  EXPECT_EQ(Try(other.IssueFor(TestOin(10))), "NOT_SERVING");
  auto stub = v1::SignalService::NewStub(server.ConnectWithout());
  grpc::ClientContext context;
  TestServer::Prepare(&context);
  v1::PublishResponse response;
  const grpc::Status status = stub->Publish(&context, v1::PublishRequest(), &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(server.signals->handled, 0);
}

TEST_F(Access, ACertificateOutsideItsTimeFailsTheHandshake) {
  using std::chrono::hours;
  const TestCertificate old =
      server.pki.Issue({.oin = TestOin(10), .from = -hours(48), .until = -hours(1)});
  server.directory.Admit(old, v1::ROLE_PARTNER);
  EXPECT_EQ(Try(old), "NOT_SERVING");
  const TestCertificate early =
      server.pki.Issue({.oin = TestOin(10), .from = hours(1), .until = hours(48)});
  server.directory.Admit(early, v1::ROLE_PARTNER);
  EXPECT_EQ(Try(early), "NOT_SERVING");
}

TEST_F(Access, ACertificateThatEndsDuringItsConnectionIsRefusedAtTheNextCall) {
  using std::chrono::hours;
  const TestCertificate certificate = server.pki.Issue({.oin = TestOin(10), .until = hours(2)});
  server.directory.Admit(certificate, v1::ROLE_PARTNER);
  ManualClock clock;
  Authenticator authenticator(&server.directory, server.crls.get(), &clock, {});
  const std::string pem = certificate.certificate_pem();
  const CallFacts call{pem, {"u-17"}, {"wijkteam"}, Bytes(16, 'x')};
  const MethodRule& rule = *FindMethod("schakel.v1.SignalService.Publish");
  EXPECT_TRUE(authenticator.Authenticate(call, rule).ok());
  const int64_t now = clock.wall;
  for (const auto& [shift, reason] : std::vector<std::pair<std::chrono::microseconds, std::string>>{
           {hours(2) + std::chrono::seconds(2), "CERTIFICATE_EXPIRED"},
           {-hours(2), "REVOCATION_UNKNOWN"},  // the list was made later than that
       }) {
    clock.wall = now + shift.count();
    const Result<Caller> caller = authenticator.Authenticate(call, rule);
    ASSERT_FALSE(caller.ok());
    EXPECT_EQ(caller.error().reason, reason);
    EXPECT_EQ(caller.error().code, ErrorCode::kUnauthenticated);
  }
}

TEST_F(Access, AnOrganisationThatWasNotAdmittedIsUnknown) {
  EXPECT_EQ(Try(server.pki.IssueFor(TestOin(11))), "CERTIFICATE_UNKNOWN");
  EXPECT_TRUE(Refusals().empty()) << "nobody's record may be filled by who is not known";
}

TEST_F(Access, AnotherKeyUnderTheSameOinIsUnknown) {
  Partner();
  EXPECT_EQ(Try(server.pki.IssueFor(TestOin(10))), "CERTIFICATE_UNKNOWN");
  EXPECT_TRUE(Refusals().empty());
}

TEST_F(Access, ARenewedCertificateWithTheSameKeyIsKnown) {
  const TestCertificate first = Partner();
  EXPECT_EQ(Try(server.pki.Issue({.oin = TestOin(10), .key = first.key})), "OK");
}

TEST_F(Access, AnotherIssuerIsUnknownUnlessOnlyTheKeyIsPinned) {
  const TestCertificate certificate = Partner();
  server.directory.Change(TestOin(10), [](MemberFacts& member) { member.issuer = Digest{}; });
  EXPECT_EQ(Try(certificate), "CERTIFICATE_UNKNOWN");
  server.directory.Change(TestOin(10), [](MemberFacts& member) { member.issuer.reset(); });
  EXPECT_EQ(Try(certificate), "OK");
}

TEST_F(Access, ACertificateThatNamesNoOrganisationIsUnknown) {
  for (const char* subject :
       {"/O=Schakel test/CN=no number", "/serialNumber=0000009900000000001/CN=19 digits",
        "/serialNumber=000000990000000000100/CN=21 digits",
        "/serialNumber=0000009900000000001x/CN=a letter",
        "/serialNumber=00000099000000000010/serialNumber=00000099000000000011/CN=two",
        "/O=serialNumber=00000099000000000010/CN=serialNumber=00000099000000000010"}) {
    EXPECT_EQ(Try(server.pki.Issue({.oin = "", .subject = subject})), "CERTIFICATE_UNKNOWN")
        << subject;
  }
}

TEST_F(Access, ACertificateMustBeMeantForClients) {
  const TestCertificate unspecified = server.pki.Issue({.oin = TestOin(10), .usage = ""});
  server.directory.Admit(unspecified, v1::ROLE_PARTNER);
  EXPECT_EQ(Try(unspecified), "CERTIFICATE_UNKNOWN");
  const TestCertificate serving = server.pki.Issue({.oin = TestOin(10), .usage = "serverAuth"});
  server.directory.Admit(serving, v1::ROLE_PARTNER);
  EXPECT_NE(Try(serving), "OK");
}

TEST_F(Access, ADisabledOrganisationIsRefusedAndThatIsTold) {
  const TestCertificate certificate = Partner();
  server.directory.Change(TestOin(10), [](MemberFacts& member) { member.disabled = true; });
  EXPECT_EQ(Try(certificate), "ORGANISATION_DISABLED");
  ASSERT_EQ(Refusals().size(), 1u);
  EXPECT_EQ(Refusals()[0].organisation.str(), TestOin(10));
  EXPECT_EQ(Refusals()[0].method, "schakel.v1.SignalService.Publish");
  EXPECT_EQ(Refusals()[0].error.reason, "ORGANISATION_DISABLED");
  EXPECT_EQ(Refusals()[0].actor, "u-17");
}

TEST_F(Access, AReplacedRevocationListCountsAtTheNextCallOfAnOpenConnection) {
  const TestCertificate certificate = Partner();
  auto stub = v1::SignalService::NewStub(server.Connect(certificate));
  const auto call = [&] {
    grpc::ClientContext context;
    TestServer::Prepare(&context);
    v1::PublishResponse response;
    return ReasonOf(stub->Publish(&context, v1::PublishRequest(), &response));
  };
  EXPECT_EQ(call(), "OK");
  server.pki.Revoke(certificate);
  EXPECT_EQ(call(), "OK") << "not in the list yet";
  server.pki.WriteCrl();
  EXPECT_EQ(call(), "CERTIFICATE_REVOKED");
  EXPECT_EQ(Try(certificate), "CERTIFICATE_REVOKED") << "nor over a new connection";
  ASSERT_EQ(Refusals().size(), 2u);
  EXPECT_EQ(Refusals()[0].error.reason, "CERTIFICATE_REVOKED");
}

TEST_F(Access, WithoutACurrentRevocationListNobodyGetsIn) {
  const TestCertificate certificate = Partner();
  const std::string good = testing::ReadFile(server.pki.crl());
  EXPECT_EQ(Try(certificate), "OK");
  std::filesystem::remove(server.pki.crl());
  EXPECT_EQ(Try(certificate), "REVOCATION_UNKNOWN");
  testing::WriteFile(server.pki.crl(), "no list");
  EXPECT_EQ(Try(certificate), "REVOCATION_UNKNOWN");
  testing::WriteFile(server.pki.crl(), good);
  EXPECT_EQ(Try(certificate), "OK");
  server.pki.WriteCrl(std::chrono::hours(-48), std::chrono::seconds(-1));
  EXPECT_EQ(Try(certificate), "REVOCATION_UNKNOWN") << "stale";
  testing::TestPki other(server.folder.path(), "other-ca");
  testing::WriteFile(server.pki.crl(), testing::ReadFile(other.crl()));
  EXPECT_EQ(Try(certificate), "REVOCATION_UNKNOWN") << "of another authority";
  server.pki.WriteCrl();
  EXPECT_EQ(Try(certificate), "OK");
}

TEST_F(Access, TheRoleDecidesAndAChangedRoleCountsAtOnce) {
  const TestCertificate certificate = Partner();
  for (v1::Role role : {v1::ROLE_CHAIN_DIRECTOR, v1::ROLE_AUDITOR, v1::ROLE_REGISTRAR,
                        v1::ROLE_UNSPECIFIED, static_cast<v1::Role>(9)}) {
    server.directory.Change(TestOin(10), [&](MemberFacts& member) { member.role = role; });
    EXPECT_EQ(Try(certificate), "ROLE_NOT_ALLOWED") << role;
  }
  server.directory.Change(TestOin(10), [](MemberFacts& member) { member.role = v1::ROLE_PARTNER; });
  EXPECT_EQ(Try(certificate), "OK");
}

TEST_F(Access, EachMemberSaysWhichActorItIs) {
  const TestCertificate certificate = Partner();
  const auto attempt = [&](const std::string& actor, const std::string& role) {
    return server.Publish(certificate, {.actor = actor, .actor_role = role});
  };
  const grpc::Status missing = attempt("", "wijkteam");
  EXPECT_EQ(missing.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ErrorFromStatus(missing).reason, "ACTOR_MISSING");
  EXPECT_EQ(ErrorFromStatus(missing).field, "schakel-actor");
  EXPECT_EQ(RemoteErrorFrom(missing).dutch, DutchText("ACTOR_MISSING"));
  EXPECT_EQ(ErrorFromStatus(attempt("u-17", "")).field, "schakel-actor-role");
  EXPECT_EQ(ErrorFromStatus(attempt(std::string(129, 'x'), "wijkteam")).field, "schakel-actor");
  EXPECT_EQ(ErrorFromStatus(attempt("u-17", std::string(65, 'x'))).field, "schakel-actor-role");
  EXPECT_TRUE(attempt(std::string(128, 'x'), std::string(64, 'x')).ok());

  auto stub = v1::SignalService::NewStub(server.Connect(certificate));
  grpc::ClientContext twice;
  TestServer::Prepare(&twice);
  twice.AddMetadata(kActorKey, "u-18");
  v1::PublishResponse response;
  EXPECT_EQ(ReasonOf(stub->Publish(&twice, v1::PublishRequest(), &response)), "ACTOR_MISSING");
}

TEST_F(Access, AnUnknownMethodHasItsReason) {
  const TestCertificate certificate = Partner();
  const auto call = [&](const std::string& method) {
    grpc::GenericStub stub(server.Connect(certificate));
    grpc::ClientContext context;
    TestServer::Prepare(&context);
    const grpc::Slice empty("");
    grpc::ByteBuffer request(&empty, 1);
    grpc::ByteBuffer response;
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, method, grpc::StubOptions(), &request, &response,
                   [&](grpc::Status status) { done.set_value(std::move(status)); });
    return done.get_future().get();
  };
  for (const char* method : {"/schakel.v1.SignalService/NoSuch", "/no.Such/Service",
                             "/schakel.v1.PolicyService/ActivatePolicy"}) {
    const grpc::Status status = call(method);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << method;
    EXPECT_EQ(RemoteErrorFrom(status).error.reason, "METHOD_UNKNOWN");
    EXPECT_FALSE(RemoteErrorFrom(status).trace_id.empty()) << "not a bare status of gRPC";
  }
  server.pki.Revoke(certificate);
  server.pki.WriteCrl();
  EXPECT_EQ(ReasonOf(call("/no.Such/Service")), "CERTIFICATE_REVOKED");
}

TEST_F(Access, AFailureInsideTellsNothingButItsTraceId) {
  const TestCertificate certificate = Partner();
  auto stub = v1::AuditService::NewStub(server.Connect(certificate));
  const auto call = [&] {
    grpc::ClientContext context;
    TestServer::Prepare(&context,
                        {.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"});
    v1::GetCheckpointResponse response;
    return stub->GetCheckpoint(&context, v1::GetCheckpointRequest(), &response);
  };
  EXPECT_TRUE(call().ok());
  server.audit->failure = Internal("Corruption: block checksum in 000123.sst");
  grpc::Status status = call();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ((status.error_message() + status.error_details()).find("Corruption"),
            std::string::npos);
  EXPECT_EQ(RemoteErrorFrom(status).trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  server.audit->drop = true;  // a handler that forgets its answer: the call still ends
  status = call();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(ReasonOf(status), "INTERNAL");
}

TEST_F(Access, CallsAreCountedByMethodAndCode) {
  const TestCertificate certificate = Partner();
  EXPECT_EQ(Try(certificate), "OK");
  EXPECT_EQ(Try(certificate, {.actor = ""}), "ACTOR_MISSING");
  const std::string text = server.metrics.Text();
  EXPECT_NE(text.find("{code=\"0\",method=\"schakel.v1.SignalService.Publish\"} 1"),
            std::string::npos);
  EXPECT_NE(text.find("{code=\"3\",method=\"schakel.v1.SignalService.Publish\"} 1"),
            std::string::npos);
  EXPECT_EQ(text.find(TestOin(10)), std::string::npos) << "no organisation in metrics";
}

TEST_F(Access, IdentitiesAreCachedInABoundedWay) {
  IdentityCache cache(2);
  std::vector<std::string> pems;
  for (uint64_t i = 0; i < 3; ++i) {
    pems.push_back(server.pki.IssueFor(TestOin(20 + i)).certificate_pem());
  }
  const auto first = cache.Read(pems[0]);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*cache.Read(pems[0]), *first) << "the same object: nothing was parsed again";
  EXPECT_TRUE(cache.Read(pems[1]).ok());
  EXPECT_EQ(*cache.Read(pems[0]), *first);
  EXPECT_TRUE(cache.Read(pems[2]).ok());  // pushes out 1, the least recently used
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_EQ(*cache.Read(pems[0]), *first);
  const auto wrong = cache.Read("no certificate");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().reason, "CERTIFICATE_UNKNOWN");
  EXPECT_FALSE(cache.Read("no certificate").ok());
  EXPECT_FALSE(cache.Read("").ok());
  EXPECT_EQ(cache.size(), 2u);
}

}  // namespace
}  // namespace schakel::transport
