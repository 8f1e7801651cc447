#include "clients/sdk/key_store.h"

#include <sys/stat.h>

#include "clients/sdk/files.h"
#include "clients/sdk/key_set_pins.h"
#include "clients/sdk/key_set_verifier.h"
#include "tests/unit/sdk/fixture.h"

namespace schakel::sdk {
namespace {

using std::chrono::hours;

class KeyStores : public ::testing::Test {
 protected:
  KeyStores() {
    pki_.Issue(kPolice.str());
    now_ = Now();
  }
  KeyStore Open() { return KeyStore::Open(pki_.path() / "keys").value(); }
  std::vector<crypto::Certificate> Chain(const OrganisationId& oin = kPolice) {
    return crypto::Certificate::ParseChain(
               crypto::ReadText(pki_.path() / (oin.str() + ".chain.pem")))
        .value();
  }
  OwnKeySet Make(KeyStore& store, Millis at) {
    EXPECT_TRUE(store.Generate(Chain(), at).ok());
    auto own = store.Sign(pki_.Key(kPolice.str()));
    EXPECT_TRUE(own.ok()) << own.error().message;
    EXPECT_TRUE(store.MarkRegistered(own->digest).ok());
    return *own;
  }

  crypto::DevPki pki_;
  Millis now_;
};

TEST_F(KeyStores, MakeAKeySetThatVerifies) {
  auto store = Open();
  const auto made = store.Generate(Chain(), now_);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_FALSE(made->complete());
  EXPECT_EQ(made->key_set.version, 1u);
  EXPECT_EQ(made->key_set.not_after - made->key_set.not_before, Millis(hours(90 * 24)));
  EXPECT_EQ(store.Current(now_).error().reason, "KEY_SET_MISSING");
  EXPECT_EQ(store.Newest().error().reason, "KEY_SET_MISSING");

  // Signed elsewhere: the bytes go out, the signature comes in.
  const auto signature = pki_.Key(kPolice.str()).Sign(made->signed_key_set.key_set());
  const auto own = store.Attach(*signature);
  ASSERT_TRUE(own.ok()) << own.error().message;
  EXPECT_TRUE(own->complete());
  EXPECT_EQ(store.Current(now_).error().reason, "KEY_SET_MISSING") << "the broker has it not yet";
  ASSERT_TRUE(store.MarkRegistered(own->digest).ok());
  const auto current = Open().Current(now_);
  ASSERT_TRUE(current.ok());
  EXPECT_EQ(current->digest, own->digest);
  EXPECT_EQ(current->signing->public_key(), own->key_set.signing_key);

  const auto verifier = KeySetVerifier::Open(pki_.path() / "ca.pem", pki_.path() / "crl");
  ASSERT_TRUE(verifier.ok()) << verifier.error().message;
  const auto verified = (*verifier)->Verify(current->signed_key_set, kPolice, now_, now_);
  ASSERT_TRUE(verified.ok()) << verified.error().message;
  EXPECT_EQ(verified->digest, own->digest);
}

TEST_F(KeyStores, RefuseASignatureOfAnotherCertificate) {
  pki_.Issue(kTeam.str());
  auto store = Open();
  const auto made = store.Generate(Chain(), now_);
  const auto false_one = pki_.Key(kTeam.str()).Sign(made->signed_key_set.key_set());
  EXPECT_EQ(store.Attach(*false_one).error().reason, "SIGNATURE_INVALID");
  EXPECT_EQ(store.Generate(Chain(), now_).error().reason, "KEY_SET_INCOMPLETE");
  ASSERT_TRUE(store.DiscardIncomplete().ok());
  EXPECT_EQ(store.List()->size(), 0u);
  EXPECT_EQ(store.Sign(pki_.Key(kPolice.str())).error().reason, "KEY_SET_MISSING");
}

TEST_F(KeyStores, ChainTheNextVersionByDigest) {
  auto store = Open();
  const auto first = Make(store, now_);
  const auto second = Make(store, now_ + Millis(1));
  EXPECT_TRUE(crypto::Follows(first.key_set, second.key_set));
  EXPECT_EQ(second.key_set.previous, first.digest);
  EXPECT_EQ(store.Current(now_ + Millis(1))->digest, second.digest);
  EXPECT_EQ(store.Find(first.digest)->digest, first.digest);
  EXPECT_EQ(store.Find(Digest{}).error().reason, "KEY_SET_UNKNOWN");
  pki_.Issue(kTeam.str());
  EXPECT_EQ(store.Generate(Chain(kTeam), now_).error().reason, "KEY_SET_INVALID");
}

TEST_F(KeyStores, StopSigningWhenAKeySetEndsAndDestroyItAfterItsTerm) {
  auto store = Open();
  const auto own = Make(store, now_);
  EXPECT_EQ(store.Current(own.key_set.not_after).error().reason, "KEY_SET_MISSING");
  const Millis term = own.key_set.not_after + Millis(hours(120 * 24));
  EXPECT_EQ(*store.DestroyOld(term - Millis(1)), 0u);
  ASSERT_TRUE(store.Find(own.digest)->sealing);
  EXPECT_EQ(*store.DestroyOld(term), 1u);
  EXPECT_FALSE(store.Find(own.digest)->sealing);
  EXPECT_FALSE(std::filesystem::exists(pki_.path() / "keys" / "0000000001.keys"));
  EXPECT_EQ(*store.DestroyOld(term), 0u);
}

TEST_F(KeyStores, AreClosedToOthers) {
  auto store = Open();
  Make(store, now_);
  struct stat facts {};
  ASSERT_EQ(::stat((pki_.path() / "keys" / "0000000001.keys").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat((pki_.path() / "keys").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700u);
  ASSERT_EQ(::chmod((pki_.path() / "keys").c_str(), 0750), 0);
  EXPECT_EQ(KeyStore::Open(pki_.path() / "keys").error().reason, "FOLDER_OPEN");
}

TEST_F(KeyStores, NoticeDamagedFiles) {
  auto store = Open();
  Make(store, now_);
  const auto file = pki_.path() / "keys" / "0000000001.keys";
  std::string content = crypto::ReadText(file);
  content[40] = static_cast<char>(content[40] ^ 1);
  crypto::WriteText(file, content);
  EXPECT_EQ(store.Current(now_).error().reason, "KEY_STORE_DAMAGED");
}

// One mistake each in a signed key set that is otherwise right.
class Verifying : public KeyStores {
 protected:
  Verifying() {
    auto store = Open();
    right_ = Make(store, now_).signed_key_set;
    verifier_ = KeySetVerifier::Open(pki_.path() / "ca.pem", pki_.path() / "crl").value();
  }
  void ExpectRefused(const v1::SignedKeySet& key_set, const std::string& why,
                     const OrganisationId& owner = kPolice) {
    const auto verified = verifier_->Verify(key_set, owner, now_, now_);
    ASSERT_FALSE(verified.ok()) << why;
    EXPECT_EQ(verified.error().reason, "KEY_SET_INVALID");
    EXPECT_NE(verified.error().message.find(why), std::string::npos) << verified.error().message;
  }
  v1::SignedKeySet right_;
  std::unique_ptr<KeySetVerifier> verifier_;
};

TEST_F(Verifying, RefusesEachWrongPart) {
  auto bytes = right_;
  bytes.mutable_key_set()->back() = static_cast<char>(bytes.key_set().back() ^ 1);
  ExpectRefused(bytes, "new key did not sign");
  auto new_key = right_;
  new_key.set_signing_key_signature(Bytes(64, 'x'));
  ExpectRefused(new_key, "new key did not sign");
  auto by_certificate = right_;
  by_certificate.mutable_certificate_signature()->back() ^= 1;
  ExpectRefused(by_certificate, "certificate's key did not sign");
  auto no_chain = right_;
  no_chain.clear_certificate_chain();
  ExpectRefused(no_chain, "1 to 5 certificates");
  ExpectRefused(right_, "it names", kTeam);
}

TEST_F(Verifying, RefusesACertificateOfAnotherOrganisationOrAuthority) {
  pki_.Issue(kTeam.str());
  auto others = right_;
  others.set_certificate_chain(0, Chain(kTeam)[0].der());
  others.set_certificate_signature(*pki_.Key(kTeam.str()).Sign(others.key_set()));
  ExpectRefused(others, "names another organisation");

  crypto::DevPki elsewhere;
  auto foreign = right_;
  foreign.clear_certificate_chain();
  foreign.add_certificate_chain(elsewhere.Issue(kPolice.str()).der());
  foreign.set_certificate_signature(*elsewhere.Key(kPolice.str()).Sign(foreign.key_set()));
  ExpectRefused(foreign, "not trusted");
}

TEST_F(Verifying, RefusesAKeySetOutsideItsTime) {
  EXPECT_FALSE(verifier_->Verify(right_, kPolice, now_ - Millis(1), now_).ok());
  EXPECT_FALSE(verifier_->Verify(right_, kPolice, now_ + Millis(hours(90 * 24)), now_).ok());
}

TEST_F(Verifying, RefusesARevokedCertificateAndAStaleList) {
  ASSERT_EQ(pki_.Run("revoke " + kPolice.str()), 0);
  ExpectRefused(right_, "revoked");
  ASSERT_EQ(pki_.Run("crl --expired"), 0);
  ExpectRefused(right_, "revo");
}

TEST_F(Verifying, SkipsRevocationOnlyWhenNoListIsGiven) {
  ASSERT_EQ(pki_.Run("revoke " + kPolice.str()), 0);
  const auto without = KeySetVerifier::Open(pki_.path() / "ca.pem", {});
  EXPECT_TRUE((*without)->Verify(right_, kPolice, now_, now_).ok());
}

// ---- Pins ----

VerifiedKeySet Version(uint64_t version, char mark, char previous) {
  crypto::KeySet key_set{kPolice, version, Millis(0), Millis(1), {}, {}, {}};
  key_set.previous = *Digest::From(Bytes(32, previous));
  return {key_set, *Digest::From(Bytes(32, mark))};
}

TEST(KeySetPins, RefuseALowerVersionAlsoAfterARestart) {
  crypto::TempFolder folder;
  const auto file = folder.path() / "pins";
  ASSERT_TRUE(KeySetPins(file).CheckAndRaise(Version(3, 'c', 'b')).ok());
  const auto lower = KeySetPins(file).CheckAndRaise(Version(2, 'b', 'a'));
  ASSERT_FALSE(lower.ok());
  EXPECT_EQ(lower.error().reason, "KEY_SET_INVALID");
  EXPECT_EQ(lower.error().field, kPolice.str());
  EXPECT_TRUE(KeySetPins(file).CheckAndRaise(Version(3, 'c', 'b')).ok());
}

TEST(KeySetPins, RefuseAnotherKeySetUnderTheSameVersion) {
  crypto::TempFolder folder;
  const KeySetPins pins(folder.path() / "pins");
  ASSERT_TRUE(pins.CheckAndRaise(Version(3, 'c', 'b')).ok());
  EXPECT_FALSE(pins.CheckAndRaise(Version(3, 'x', 'b')).ok());
}

TEST(KeySetPins, RefuseANextVersionThatDoesNotFollow) {
  crypto::TempFolder folder;
  const KeySetPins pins(folder.path() / "pins");
  ASSERT_TRUE(pins.CheckAndRaise(Version(3, 'c', 'b')).ok());
  EXPECT_FALSE(pins.CheckAndRaise(Version(4, 'd', 'x')).ok());
  EXPECT_TRUE(pins.CheckAndRaise(Version(4, 'd', 'c')).ok());
  EXPECT_TRUE(pins.CheckAndRaise(Version(9, 'i', 'h')).ok()) << "versions between were not seen";
}

TEST(KeySetPins, DoNotStartAnewWhenTheirFileIsDamaged) {
  crypto::TempFolder folder;
  const auto file = folder.path() / "pins";
  crypto::WriteText(file, "\xff\xff\xff");
  EXPECT_EQ(KeySetPins(file).CheckAndRaise(Version(1, 'a', '\0')).error().reason, "PINS_DAMAGED");
}

}  // namespace
}  // namespace schakel::sdk
