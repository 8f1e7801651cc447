// Access: who may call what, and how fast a door closes.
#include <map>

#include "clients/sdk/status.h"
#include "tests/e2e/story.h"
#include "tests/e2e/wire.h"

namespace schakel::e2e {
namespace {

using std::chrono::steady_clock;

class Access : public RegionTest {
 protected:
  // A connection with another certificate than a participant's own.
  static std::shared_ptr<sdk::Connection> ConnectWith(
      const testing::TestCertificate& certificate,
      std::chrono::milliseconds timeout = std::chrono::seconds(5),
      const std::string& address = region().address()) {
    auto connection = sdk::Connection::Open({.address = address,
                                             .server_name = {},
                                             .ca_file = region().pki().ca(),
                                             .certificate_file = certificate.certificate,
                                             .key_file = certificate.key,
                                             .actor = "somebody",
                                             .actor_role = "professional",
                                             .timeout = timeout});
    EXPECT_TRUE(connection.ok()) << Why(connection);
    return *connection;
  }
  static std::shared_ptr<sdk::Connection> ConnectionOf(const std::string& name) {
    auto connection = As(name).connection();
    EXPECT_TRUE(connection.ok()) << Why(connection);
    return *connection;
  }
  static std::shared_ptr<sdk::Connection> ToCustodian(const testing::TestCertificate& certificate) {
    return ConnectWith(certificate, std::chrono::seconds(5), CustodianAddress());
  }
  static std::string CustodianAddress() {
    return region().ContextOf("police").custodians(0).address();
  }
  static std::string ReasonOf(const std::shared_ptr<sdk::Connection>& connection,
                              const std::string& path = "/schakel.v1.AuditService/GetCheckpoint") {
    const auto status = CallEmpty(*connection, path);
    return status.ok() ? "OK" : status.error().reason;
  }
  // Until a stream that is open now ends; its reason.
  static std::string WaitForEnd(RawPull& stream) {
    while (stream.Read()) {
    }
    const auto ended = stream.Finish();
    return ended.ok() ? "OK" : ended.error().reason;
  }
};

// Who may call each RPC of the broker, written down a second time: P partner, D chain director,
// A auditor, R registrar.
const std::map<std::string, std::string> kWhoMay = {
    {"SignalService.Preflight", "P"},
    {"SignalService.Publish", "P"},
    {"SignalService.PublishStream", "P"},
    {"SignalService.GetSignal", "P"},
    {"SignalService.ListSignals", "P"},
    {"SignalService.ReadOutcomes", "P"},
    {"SignalService.AttachSubject", "P"},
    {"InboxService.Pull", "P"},
    {"InboxService.Fetch", "P"},
    {"InboxService.Acknowledge", "P"},
    {"InboxService.Refuse", "P"},
    {"InboxService.Release", "P"},
    {"InboxService.Extend", "P"},
    {"InboxService.ReportOutcome", "P"},
    {"ConsentService.RecordStatement", "P"},
    {"ConsentService.WithdrawStatement", "P"},
    {"ConsentService.ListStatements", "P"},
    {"ConsentService.CheckConsent", "P"},
    {"DirectoryService.AdmitOrganisation", "R"},
    {"DirectoryService.DisableOrganisation", "R"},
    {"DirectoryService.RegisterKeySet", "PDAR"},
    {"DirectoryService.GetOrganisation", "PDAR"},
    {"DirectoryService.ListOrganisations", "PDAR"},
    {"DirectoryService.ResolveFunction", "PDAR"},
    {"PolicyService.ActivatePolicy", "R"},
    {"PolicyService.GetPolicy", "PDAR"},
    {"PolicyService.Explain", "AR"},
    {"PolicyService.Replay", "AR"},
    {"FlowService.GetFlow", "D"},
    {"FlowService.ListStalled", "D"},
    {"FlowService.Remind", "D"},
    {"AuditService.QueryRecords", "A"},
    {"AuditService.SubjectReport", "A"},
    {"AuditService.GetStateAt", "A"},
    {"AuditService.GetCheckpoint", "PDAR"},
    {"AuditService.GetInclusionProof", "PDAR"},
    {"AuditService.GetConsistencyProof", "PDAR"},
    {"AuditService.GetTile", "PDAR"},
    {"AuditService.Export", "A"},
};

TEST_F(Access, EachRpcIsOpenToItsRolesAndToNoOther) {
  const std::map<char, std::string> of_role = {
      {'P', "volunteers"}, {'D', "chain-director"}, {'A', "auditor"}, {'R', "registrar"}};
  const auto methods = MethodsOfTheBroker();
  EXPECT_EQ(methods.size(), kWhoMay.size());
  for (const auto& method : methods) {
    ASSERT_TRUE(kWhoMay.contains(method)) << method;
    const std::string path = PathOf(method);
    for (const auto& [role, name] : of_role) {
      const auto status = CallEmpty(*ConnectionOf(name), path);
      const bool may = kWhoMay.at(method).find(role) != std::string::npos;
      const std::string reason = status.ok() ? "OK" : status.error().reason;
      EXPECT_EQ(reason != "ROLE_NOT_ALLOWED", may) << method << " as " << name << ": " << reason;
      // An empty request never makes the broker fail.
      EXPECT_NE(reason, "INTERNAL") << method << " as " << name;
      EXPECT_NE(reason, "METHOD_UNKNOWN") << method << " as " << name;
      if (!may && !status.ok()) {
        EXPECT_EQ(status.error().code, ErrorCode::kPermissionDenied);
      }
    }
  }
}

// The same of a custodian, whose members file says who has authority. What an empty request meets
// once the door is open.
const std::map<std::string, std::string> kOfACustodian = {
    {"CustodianService.Evaluate", "FIELD_MISSING"},
    {"CustodianService.GetKeyDocument", "OK"},
    {"CustodianService.GetBudget", "OK"},
    {"CustodianService.GetLogCheckpoint", "OK"},
    {"CustodianService.GetLogInclusionProof", "OK"},
    {"CustodianService.GetLogConsistencyProof", "FIELD_INVALID"},
    {"CustodianService.GetLogTile", "NOT_FOUND"},
    {"CustodianService.QueryLog", "FIELD_MISSING"},
    {"CustodianService.ExportLog", "FIELD_MISSING"},
};

TEST_F(Access, EachRpcOfACustodianIsOpenToItsMembersAndToNobodyElse) {
  const auto methods = MethodsOfACustodian();
  EXPECT_EQ(methods.size(), kOfACustodian.size());
  const auto of = [](const std::string& name) { return ToCustodian(region().CertificateOf(name)); };
  const auto another_key = ToCustodian(region().pki().IssueFor(OinOf("police").str()));
  const auto unnumbered = ToCustodian(region().pki().Issue({.oin = ""}));
  const auto unknown = ToCustodian(region().pki().IssueFor(testing::TestOin(7777)));
  for (const auto& method : methods) {
    ASSERT_TRUE(kOfACustodian.contains(method)) << method;
    SCOPED_TRACE(method);
    const std::string path = PathOf(method);
    for (const char* member : {"police", "region-auditor"}) {
      EXPECT_EQ(ReasonOf(of(member), path), kOfACustodian.at(method)) << member;
    }
    // In the broker's directory, each of them, and in no members file.
    for (const char* name : {"corporation", "chain-director", "registrar"}) {
      EXPECT_EQ(ReasonOf(of(name), path), "NO_AUTHORITY") << name;
    }
    EXPECT_EQ(ReasonOf(unknown, path), "NO_AUTHORITY");
    EXPECT_EQ(ReasonOf(another_key, path), "CERTIFICATE_UNKNOWN");
    EXPECT_EQ(ReasonOf(unnumbered, path), "CERTIFICATE_UNKNOWN");
    EXPECT_EQ(ReasonOf(ConnectionOf("police"), path), "METHOD_UNKNOWN") << "the broker has none";
  }
  for (const auto& method : MethodsOfTheBroker()) {
    EXPECT_EQ(ReasonOf(of("police"), PathOf(method)), "METHOD_UNKNOWN") << method;
  }
}

TEST_F(Access, WhatIsRefusedForItsRoleIsRecorded) {
  ASSERT_FALSE(
      CallEmpty(*ConnectionOf("chain-director"), "/schakel.v1.SignalService/Publish").ok());
  ASSERT_OK_AND(const auto denied, DeniedOf(region(), "chain-director"));
  EXPECT_THAT(denied, ::testing::Contains("ROLE_NOT_ALLOWED"));
}

TEST_F(Access, AMethodThatNobodyHasIsUnknown) {
  const auto status = CallEmpty(*ConnectionOf("team"), "/schakel.v1.SignalService/DropEverything");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason, "METHOD_UNKNOWN");
}

TEST_F(Access, ACallNamesItsActor) {
  const auto stub = v1::InboxService::NewStub(ConnectionOf("team")->channel());
  grpc::ClientContext context;
  v1::FetchResponse response;
  const auto status = stub->Fetch(&context, v1::FetchRequest(), &response);
  EXPECT_EQ(sdk::ErrorFromGrpc(status, "en").reason, "ACTOR_MISSING");
}

TEST_F(Access, ACertificateOpensTheDoorOnlyAsItStandsInTheDirectory) {
  auto& pki = region().pki();
  EXPECT_EQ(ReasonOf(ConnectionOf("team")), "OK");
  // Nobody whom the directory knows.
  EXPECT_EQ(ReasonOf(ConnectWith(pki.IssueFor(testing::TestOin(7777)))), "CERTIFICATE_UNKNOWN");
  // Somebody whom it knows by another key.
  EXPECT_EQ(ReasonOf(ConnectWith(pki.IssueFor(OinOf("team").str()))), "CERTIFICATE_UNKNOWN");
  // A certificate without a number, and one for servers only.
  EXPECT_EQ(ReasonOf(ConnectWith(pki.Issue({.oin = ""}))), "CERTIFICATE_UNKNOWN");
  EXPECT_NE(ReasonOf(ConnectWith(pki.Issue({.oin = OinOf("team").str(), .usage = "serverAuth"}),
                                 std::chrono::milliseconds(500))),
            "OK");
  // One that is over, and one of an authority that nobody here trusts: no handshake.
  EXPECT_EQ(ReasonOf(ConnectWith(pki.Issue({.oin = OinOf("team").str(),
                                            .from = std::chrono::hours(-2),
                                            .until = std::chrono::hours(-1)}),
                                 std::chrono::milliseconds(500))),
            "NOT_SERVING");
  testing::TestPki strangers(region().folder(), "strangers");
  EXPECT_EQ(ReasonOf(ConnectWith(strangers.IssueFor(OinOf("team").str()),
                                 std::chrono::milliseconds(500))),
            "NOT_SERVING");
}

TEST_F(Access, DisablingAnOrganisationClosesItsStreamsAndItsDoor) {
  RawPull stream(ConnectionOf("volunteers"));
  ASSERT_TRUE(stream.Read().has_value());  // nothing waits: the broker says idle
  ASSERT_OK_AND(auto* registrar, As("registrar").org());
  const auto begin = steady_clock::now();
  ASSERT_OK(registrar->Disable(OinOf("volunteers"), "contract ended"));
  EXPECT_EQ(WaitForEnd(stream), "ORGANISATION_DISABLED");
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(ReasonOf(ConnectionOf("volunteers")), "ORGANISATION_DISABLED");
  // Who sends to it learns that it is not there.
  ASSERT_OK_AND(const auto entry, As("team").directory().value()->GetRaw(OinOf("volunteers")));
  EXPECT_TRUE(entry.entry().disabled());
}

TEST_F(Access, AReplacedRevocationListClosesStreamsAndTheDoor) {
  RawPull stream(ConnectionOf("care"));
  ASSERT_TRUE(stream.Read().has_value());
  region().pki().Revoke(region().CertificateOf("care"));
  const auto begin = steady_clock::now();
  region().pki().WriteCrl();
  EXPECT_EQ(WaitForEnd(stream), "CERTIFICATE_REVOKED");
  EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(ReasonOf(ConnectionOf("care")), "CERTIFICATE_REVOKED");
  EXPECT_EQ(ReasonOf(ConnectionOf("team")), "OK");
}

TEST_F(Access, AListThatIsTooOldLetsNobodyIn) {
  RawPull stream(ConnectionOf("centre"));
  ASSERT_TRUE(stream.Read().has_value());
  region().pki().WriteCrl(std::chrono::hours(-2), std::chrono::seconds(-1));
  EXPECT_EQ(WaitForEnd(stream), "REVOCATION_UNKNOWN");
  EXPECT_EQ(ReasonOf(ConnectionOf("team")), "REVOCATION_UNKNOWN");
  region().pki().WriteCrl();
  const auto limit = steady_clock::now() + std::chrono::seconds(5);
  std::string reason;
  do {
    reason = ReasonOf(ConnectionOf("team"));
  } while (reason != "OK" && steady_clock::now() < limit);
  EXPECT_EQ(reason, "OK");
}

}  // namespace
}  // namespace schakel::e2e
