// The clients of directory, policy, consent, inbox and registrar's calls.
#include "broker/crypto/statement_format.h"
#include "clients/sdk/consent_client.h"
#include "clients/sdk/directory_client.h"
#include "clients/sdk/files.h"
#include "clients/sdk/inbox_client.h"
#include "clients/sdk/org_client.h"
#include "clients/sdk/policy_client.h"
#include "clients/sdk/pseudonym_client.h"
#include "schakel/v1/consent.pb.h"
#include "tests/unit/sdk/fake_server.h"

namespace schakel::sdk {
namespace {

class Directories final : public v1::DirectoryService::Service {
 public:
  grpc::Status GetOrganisation(grpc::ServerContext*, const v1::GetOrganisationRequest* request,
                               v1::GetOrganisationResponse* response) override {
    ++gets;
    if (!entry.has_organisation()) return Refused(grpc::StatusCode::NOT_FOUND, "NOT_FOUND");
    *response->mutable_entry() = entry;
    for (const auto& key_set : older) {
      if (crypto::KeySetDigest(key_set.key_set()).view() == request->key_set_digest()) {
        *response->mutable_entry()->mutable_key_set() = key_set;
      }
    }
    return grpc::Status::OK;
  }
  grpc::Status ListOrganisations(grpc::ServerContext*, const v1::ListOrganisationsRequest* request,
                                 v1::ListOrganisationsResponse* response) override {
    *response->add_entries() = entry;
    if (request->page_token().empty()) response->set_next_page_token("2");
    return grpc::Status::OK;
  }
  grpc::Status RegisterKeySet(grpc::ServerContext*, const v1::RegisterKeySetRequest* request,
                              v1::RegisterKeySetResponse* response) override {
    ++registrations;
    if (takes_key_set) *entry.mutable_key_set() = request->key_set();
    if (!fails.ok()) return fails;
    response->set_digest(crypto::KeySetDigest(request->key_set().key_set()).str());
    response->mutable_receipt()->set_index(1);
    return grpc::Status::OK;
  }
  grpc::Status AdmitOrganisation(grpc::ServerContext*, const v1::AdmitOrganisationRequest* request,
                                 v1::AdmitOrganisationResponse* response) override {
    response->set_version(request->expected_version() + 1);
    return grpc::Status::OK;
  }
  v1::OrganisationEntry entry;
  std::vector<v1::SignedKeySet> older;
  int gets = 0;
  int registrations = 0;
  bool takes_key_set = true;
  grpc::Status fails;
};

class DirectoryTests : public testing::Test {
 protected:
  DirectoryTests() {
    region_.Admit(kPolice, "police", {"zuid-holland-zuid"}, true);
    *service_.entry.mutable_organisation() = region_.directory.members[kPolice].organisation;
    service_.entry.set_version(4);
    *service_.entry.mutable_key_set() = region_.Current(kPolice).signed_key_set;
    verifier_ =
        KeySetVerifier::Open(region_.pki.path() / "ca.pem", region_.pki.path() / "crl").value();
  }
  DirectoryClient Client(std::chrono::seconds cache = std::chrono::seconds(0)) {
    return DirectoryClient(server_.Connect(), verifier_, KeySetPins(region_.path() / "pins"),
                           cache);
  }
  Region region_;
  Directories service_;
  FakeServer server_{{&service_}};
  std::shared_ptr<const KeySetVerifier> verifier_;
};

TEST_F(DirectoryTests, VerifyAndPinACurrentKeySet) {
  auto client = Client();
  const auto member = client.Get(kPolice);
  ASSERT_TRUE(member.ok()) << member.error().message;
  EXPECT_EQ(member->key_set->digest, region_.Current(kPolice).digest);

  // The broker hands out the second one, then the first again.
  const auto first = *service_.entry.mutable_key_set();
  region_.now = Now();
  region_.Rotate(kPolice);
  *service_.entry.mutable_key_set() = region_.Current(kPolice).signed_key_set;
  ASSERT_TRUE(client.Get(kPolice).ok());
  *service_.entry.mutable_key_set() = first;
  const auto older = client.Get(kPolice);
  ASSERT_FALSE(older.ok());
  EXPECT_EQ(older.error().reason, "KEY_SET_INVALID");
  EXPECT_EQ(Client().Get(kPolice).error().reason, "KEY_SET_INVALID") << "also after a restart";
}

TEST_F(DirectoryTests, RefuseAKeySetThatABrokerSwapped) {
  crypto::DevPki brokers_own;
  brokers_own.Issue(kPolice.str());
  auto store = KeyStore::Open(region_.path() / "swapped").value();
  const auto chain = crypto::Certificate::ParseChain(
      crypto::ReadText(brokers_own.path() / (kPolice.str() + ".chain.pem")));
  ASSERT_TRUE(store.Generate(*chain, Now()).ok());
  *service_.entry.mutable_key_set() = store.Sign(brokers_own.Key(kPolice.str()))->signed_key_set;
  EXPECT_EQ(Client().Get(kPolice).error().reason, "KEY_SET_INVALID");
}

TEST_F(DirectoryTests, OpenOlderKeySetsByDigestWithoutTouchingThePin) {
  const auto old = region_.Current(kPolice);
  service_.older = {old.signed_key_set};
  region_.now = Now();
  const auto next = region_.Rotate(kPolice);
  *service_.entry.mutable_key_set() = next.signed_key_set;
  auto client = Client();
  ASSERT_TRUE(client.Get(kPolice).ok());
  const Millis created = old.key_set.not_before;
  EXPECT_EQ(client.KeySetAt(kPolice, old.digest, created)->digest, old.digest);
  const int gets = service_.gets;
  EXPECT_TRUE(client.KeySetAt(kPolice, old.digest, created).ok());
  EXPECT_EQ(service_.gets, gets) << "by digest it never changes";
  EXPECT_FALSE(client.KeySetAt(kPolice, old.digest, created - Millis(1)).ok());
  const auto other = client.KeySetAt(kPolice, *Digest::From(Bytes(32, 'x')), created);
  EXPECT_EQ(other.error().reason, "KEY_SET_INVALID") << "the broker gave another one";
  ASSERT_EQ(region_.pki.Run("revoke " + kPolice.str()), 0);
  EXPECT_EQ(client.KeySetAt(kPolice, old.digest, created).error().reason, "KEY_SET_INVALID")
      << "revocation is looked at each time";
}

TEST_F(DirectoryTests, KeepAnEntryForAWhileAndReadAllPages) {
  auto client = Client(std::chrono::seconds(60));
  ASSERT_TRUE(client.Get(kPolice).ok());
  ASSERT_TRUE(client.Get(kPolice).ok());
  EXPECT_EQ(service_.gets, 1);
  EXPECT_EQ(client.List()->size(), 2u);
  service_.entry.clear_organisation();
  EXPECT_EQ(client.Get(kTeam).error().reason, "NOT_FOUND");
}

TEST_F(DirectoryTests, RefuseAnEntryOfAnotherOrganisation) {
  EXPECT_EQ(Client().Get(kTeam).error().code, ErrorCode::kDataLoss);
}

TEST_F(DirectoryTests, RegisterTheNewestKeySetOnce) {
  auto& keys = region_.KeysOf(kPolice);
  const auto chain = crypto::Certificate::ParseChain(
      crypto::ReadText(region_.pki.path() / (kPolice.str() + ".chain.pem")));
  ASSERT_TRUE(keys.Generate(*chain, Now()).ok());
  const auto next = keys.Sign(region_.pki.Key(kPolice.str()));
  OrgClient client(server_.Connect());

  // Refused for good: not marked.
  service_.takes_key_set = false;
  service_.fails = Refused(grpc::StatusCode::FAILED_PRECONDITION, "KEY_SET_INVALID");
  EXPECT_EQ(client.RegisterNewest(keys).error().reason, "KEY_SET_INVALID");
  EXPECT_FALSE(keys.Newest()->registered);

  // Taken, but the answer got lost.
  service_.takes_key_set = true;
  service_.fails = Refused(grpc::StatusCode::ALREADY_EXISTS, "ALREADY_EXISTS");
  const auto found = client.RegisterNewest(keys);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->digest(), next->digest.str());
  EXPECT_TRUE(keys.Newest()->registered);
  EXPECT_EQ(keys.Current(Now())->digest, next->digest);
  const int calls = service_.registrations;
  ASSERT_TRUE(client.RegisterNewest(keys).ok());
  EXPECT_EQ(service_.registrations, calls);
}

TEST_F(DirectoryTests, AdmitWithTheVersionThatStands) {
  OrgClient client(server_.Connect());
  EXPECT_EQ(client.AdmitOrReplace(service_.entry.organisation())->version(), 5u);
  service_.entry.clear_organisation();
  v1::Organisation fresh;
  fresh.set_oin(kTeam.str());
  const auto certificate = region_.pki.Issue(kTeam.str());
  PinCertificate(certificate, &fresh);
  EXPECT_EQ(fresh.certificate_spki_digest(), certificate.facts().spki.str());
  EXPECT_EQ(client.AdmitOrReplace(fresh)->version(), 1u);
}

// ---- Policy ----

class Policies final : public v1::PolicyService::Service {
 public:
  grpc::Status GetPolicy(grpc::ServerContext*, const v1::GetPolicyRequest* request,
                         v1::GetPolicyResponse* response) override {
    ++gets;
    response->set_bundle(bundle);
    response->set_digest(request->digest().empty() || swaps ? Reference()->digest.str()
                                                            : request->digest());
    return grpc::Status::OK;
  }
  grpc::Status Replay(grpc::ServerContext*, const v1::ReplayRequest* request,
                      v1::ReplayResponse* response) override {
    response->set_recomputed(10);
    if (request->first_index() < 20) response->set_next_index(request->first_index() + 10);
    if (stuck) response->set_next_index(request->first_index());
    return grpc::Status::OK;
  }
  Bytes bundle = Reference()->bytes;
  int gets = 0;
  bool swaps = false;
  bool stuck = false;
};

TEST(PolicyClient, ChecksDigestsAndCompilesOnce) {
  Policies service;
  FakeServer server({&service});
  PolicyClient client(server.Connect());
  const auto active = client.Active();
  ASSERT_TRUE(active.ok()) << active.error().message;
  EXPECT_EQ((*active)->compiled->region(), "zhz.example");
  EXPECT_EQ((*active)->KeyDocuments().size(), 1u);
  EXPECT_EQ(*client.Active(), *active);
  EXPECT_EQ(*client.ByDigest(Reference()->digest), *active);
  EXPECT_EQ(service.gets, 1);
  const Digest other = *Digest::From(Bytes(32, 'x'));
  EXPECT_EQ(client.ByDigest(other).error().reason, "BUNDLE_DIGEST_MISMATCH");
  service.swaps = true;
  EXPECT_EQ(client.ByDigest(other).error().reason, "BUNDLE_DIGEST_MISMATCH");
  PolicyClient fresh(server.Connect());
  service.bundle[100] ^= 1;
  EXPECT_EQ(fresh.Active().error().reason, "BUNDLE_DIGEST_MISMATCH");
}

TEST(PolicyClient, ReplaysEveryPage) {
  Policies service;
  FakeServer server({&service});
  PolicyClient client(server.Connect());
  uint64_t recomputed = 0;
  ASSERT_TRUE(client
                  .Replay(1, std::nullopt,
                          [&](const auto& page) {
                            recomputed += page.recomputed();
                            return true;
                          })
                  .ok());
  EXPECT_EQ(recomputed, 30u);
  service.stuck = true;
  EXPECT_FALSE(client.Replay(1, std::nullopt, [](const auto&) { return true; }).ok());
}

TEST(PackPolicyFolder, RefusesAFolderThatIsNone) {
  EXPECT_EQ(PackPolicyFolder("/no/such/folder").error().reason, "FILE_MISSING");
  crypto::TempFolder empty;
  EXPECT_FALSE(PackPolicyFolder(empty.path()).ok());
}

TEST(PackPolicyFolder, LeavesOutFilesThatAreNoPart) {
  crypto::TempFolder folder;
  std::filesystem::copy(SCHAKEL_SOURCE_DIR "/policy/zuid-holland-zuid", folder.path() / "b",
                        std::filesystem::copy_options::recursive);
  const auto packed = PackPolicyFolder(folder.path() / "b");
  ASSERT_TRUE(packed.ok()) << packed.error().message;
  crypto::WriteText(folder.path() / "b" / "rules.yaml~", "x");
  crypto::WriteText(folder.path() / "b" / "README.md", "x");
  EXPECT_EQ(PackPolicyFolder(folder.path() / "b")->digest, packed->digest);
}

// ---- Consent ----

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

class ConsentTests : public testing::Test {
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
