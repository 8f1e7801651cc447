// Directory and registrar's calls.
#include "clients/sdk/directory_client.h"

#include "clients/sdk/files.h"
#include "clients/sdk/org_client.h"
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

class DirectoryTests : public ::testing::Test {
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

TEST_F(DirectoryTests, RegisterWhatIsPendingOnceAndInOrder) {
  auto& keys = region_.KeysOf(kPolice);
  const auto chain = crypto::Certificate::ParseChain(
      crypto::ReadText(region_.pki.path() / (kPolice.str() + ".chain.pem")));
  ASSERT_TRUE(keys.Generate(*chain, Now()).ok());
  const auto next = keys.Sign(region_.pki.Key(kPolice.str()));
  OrgClient client(server_.Connect());

  // Refused for good: not marked.
  service_.takes_key_set = false;
  service_.fails = Refused(grpc::StatusCode::FAILED_PRECONDITION, "KEY_SET_INVALID");
  EXPECT_EQ(client.RegisterPending(keys).error().reason, "KEY_SET_INVALID");
  EXPECT_FALSE(keys.Newest()->registered);

  // Taken, but the answer got lost.
  service_.takes_key_set = true;
  service_.fails = Refused(grpc::StatusCode::ALREADY_EXISTS, "ALREADY_EXISTS");
  const auto found = client.RegisterPending(keys);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->digest(), next->digest.str());
  EXPECT_TRUE(keys.Newest()->registered);
  EXPECT_EQ(keys.Current(Now())->digest, next->digest);
  const int calls = service_.registrations;
  ASSERT_TRUE(client.RegisterPending(keys).ok());
  EXPECT_EQ(service_.registrations, calls);

  // Two that were made one after the other: both, since the second hangs on the first.
  service_.fails = grpc::Status::OK;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(keys.Generate(*chain, Now()).ok());
    ASSERT_TRUE(keys.Sign(region_.pki.Key(kPolice.str())).ok());
  }
  const auto both = client.RegisterPending(keys);
  ASSERT_TRUE(both.ok()) << both.error().message;
  EXPECT_EQ(both->digest(), keys.Newest()->digest.str());
  EXPECT_EQ(service_.registrations, calls + 2);
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

}  // namespace
}  // namespace schakel::sdk
