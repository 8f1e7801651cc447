// Consent and the inbox, call by call.
#include "clients/sdk/consent_client.h"

#include "broker/crypto/statement_format.h"
#include "clients/sdk/inbox_client.h"
#include "clients/sdk/pseudonym_client.h"
#include "tests/unit/sdk/fake_server.h"

namespace schakel::sdk {
namespace {

class Consents final : public v1::ConsentService::Service {
 public:
  grpc::Status RecordStatement(grpc::ServerContext*, const v1::RecordStatementRequest* request,
                               v1::RecordStatementResponse*) override {
    recorded = *request;
    return grpc::Status::OK;
  }
  grpc::Status WithdrawStatement(grpc::ServerContext*, const v1::WithdrawStatementRequest* request,
                                 v1::WithdrawStatementResponse* response) override {
    withdrawn.push_back(request->withdrawal());
    const uint64_t page = request->page_token().empty() ? 0 : std::stoull(request->page_token());
    response->mutable_receipt()->set_index(9);
    response->add_earlier_deliveries()->set_recipient(std::to_string(page));
    if (page < 2) response->set_next_page_token(std::to_string(page + 1));
    return grpc::Status::OK;
  }
  grpc::Status ListStatements(grpc::ServerContext*, const v1::ListStatementsRequest* request,
                              v1::ListStatementsResponse* response) override {
    response->add_statements();
    if (request->page_token().empty()) response->set_next_page_token("x");
    return grpc::Status::OK;
  }
  v1::RecordStatementRequest recorded;
  std::vector<Bytes> withdrawn;
};

v1::Statement Consent() {
  v1::Statement statement;
  statement.set_kind(v1::STATEMENT_KIND_CONSENT);
  *statement.mutable_subject() = Linked("one");
  statement.set_not_before_ms(1000);
  statement.set_not_after_ms(2000);
  statement.set_grantor(v1::GRANTOR_SUBJECT);
  statement.set_identity_check(v1::IDENTITY_CHECK_DOCUMENT);
  return statement;
}

class ConsentTests : public ::testing::Test {
 protected:
  ConsentTests() { region_.Admit(kTeam, "municipality", {"dordrecht"}, true); }
  const Recorder recorder_{kTeam, "zhz.example", "user-1"};
  Region region_;
};

TEST_F(ConsentTests, AreSignedOverTheBytesThatAreSent) {
  const auto keys = region_.Current(kTeam);
  const auto made = SignStatement(Consent(), recorder_, keys, region_.now);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_TRUE(crypto::VerifyEd25519(keys.key_set.signing_key,
                                    crypto::StatementMessage(made->request.statement()),
                                    made->request.signature()));
  v1::Statement sent;
  ASSERT_TRUE(sent.ParseFromString(made->request.statement()));
  EXPECT_EQ(sent.recorder(), kTeam.str());
  EXPECT_EQ(sent.region(), "zhz.example");
  EXPECT_EQ(sent.actor(), "user-1");
  EXPECT_EQ(sent.key_set_digest(), keys.digest.str());
  EXPECT_EQ(sent.statement_id(), made->id.str());
  const auto withdrawal = SignWithdrawal(made->id, recorder_, keys, region_.now);
  EXPECT_TRUE(crypto::VerifyEd25519(keys.key_set.signing_key,
                                    crypto::WithdrawalMessage(withdrawal->request.withdrawal()),
                                    withdrawal->request.signature()));
}

TEST_F(ConsentTests, NeedEveryRequiredField) {
  const std::vector<std::function<void(v1::Statement&)>> misses = {
      [](auto& s) { s.clear_kind(); },
      [](auto& s) { s.clear_subject(); },
      [](auto& s) { *s.mutable_subject() = UnlinkedSubject(); },
      [](auto& s) { s.set_not_after_ms(1000); },
      [](auto& s) { s.clear_grantor(); },
      [](auto& s) { s.clear_identity_check(); },
      [](auto& s) { s.set_statement_id("short"); },
      [](auto& s) { s.set_form_version(Bytes(5000, 'x')); }};
  for (size_t i = 0; i < misses.size(); ++i) {
    auto statement = Consent();
    misses[i](statement);
    EXPECT_FALSE(SignStatement(statement, recorder_, region_.Current(kTeam), region_.now).ok())
        << i;
  }
  const Recorder other{kPolice, "zhz.example", "user-1"};
  EXPECT_EQ(SignStatement(Consent(), other, region_.Current(kTeam), region_.now).error().reason,
            "KEY_SET_MISSING");
}

TEST_F(ConsentTests, ReadEveryPageOfEarlierDeliveriesUnderOneWithdrawal) {
  Consents service;
  FakeServer server({&service});
  ConsentClient client(server.Connect());
  const auto withdrawal = SignWithdrawal(*StatementId::From(Bytes(16, 's')), recorder_,
                                         region_.Current(kTeam), region_.now);
  const auto outcome = client.Withdraw(*withdrawal);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->earlier_deliveries.size(), 3u);
  EXPECT_EQ(outcome->receipt.index(), 9u);
  EXPECT_EQ(service.withdrawn, std::vector<Bytes>(3, withdrawal->request.withdrawal()));
  EXPECT_EQ(client.List(std::nullopt)->size(), 2u);
}

TEST(Evidence, IsSaltedAnew) {
  const auto one = MakeEvidence("form");
  const auto two = MakeEvidence("form");
  EXPECT_NE(one.digest, two.digest);
  EXPECT_EQ(one.digest, crypto::EvidenceDigest(one.salt, "form"));
}

// ---- Inbox ----

class Inboxes final : public v1::InboxService::Service {
 public:
  grpc::Status Fetch(grpc::ServerContext*, const v1::FetchRequest* request,
                     v1::FetchResponse*) override {
    fetched = *request;
    return grpc::Status::OK;
  }
  grpc::Status Refuse(grpc::ServerContext*, const v1::RefuseRequest* request,
                      v1::RefuseResponse*) override {
    refused = *request;
    return grpc::Status::OK;
  }
  grpc::Status Release(grpc::ServerContext*, const v1::ReleaseRequest*,
                       v1::ReleaseResponse*) override {
    return Refused(grpc::StatusCode::NOT_FOUND, "DELIVERY_UNKNOWN");
  }
  grpc::Status Extend(grpc::ServerContext*, const v1::ExtendRequest* request,
                      v1::ExtendResponse* response) override {
    response->mutable_lease_until()->set_seconds(request->lease().seconds());
    return grpc::Status::OK;
  }
  v1::FetchRequest fetched;
  v1::RefuseRequest refused;
};

TEST(InboxClient, SaysWhatItWasTold) {
  Inboxes service;
  FakeServer server({&service});
  InboxClient client(server.Connect());
  const RequestId id = NewRequestId();
  ASSERT_TRUE(client.Fetch(id, 5, std::chrono::hours(2)).ok());
  EXPECT_EQ(service.fetched.fetch_id(), id.str());
  EXPECT_EQ(service.fetched.lease().seconds(), 7200);
  const DeliveryId delivery = *DeliveryId::From(Bytes(16, 'd'));
  v1::FunctionAddress to;
  to.set_function("shelter");
  to.set_area("dordrecht");
  ASSERT_TRUE(client.Refuse(delivery, {"not ours", "SUBJECT_MISMATCH", to}).ok());
  EXPECT_EQ(service.refused.redirect().function(), "shelter");
  EXPECT_EQ(service.refused.reason_code(), "SUBJECT_MISMATCH");
  EXPECT_EQ(client.Release(delivery).error().reason, "DELIVERY_UNKNOWN");
  EXPECT_EQ(client.Extend(delivery, std::chrono::seconds(90))->lease_until().seconds(), 90);
  EXPECT_NE(NewRequestId(), id);
}

}  // namespace
}  // namespace schakel::sdk
