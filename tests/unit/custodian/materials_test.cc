// What a custodian refuses to start with.
#include "broker/custodian/materials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/crypto/cert_key.h"
#include "tests/unit/custodian/custodian_set.h"

namespace schakel::custodian {
namespace {

using ::testing::HasSubstr;

class MaterialsTest : public ::testing::Test {
 protected:
  // The problems of loading custodian 0.
  std::vector<Error> Load(const Settings& settings) {
    std::vector<Error> problems;
    const SystemClock clock;
    loaded_ = LoadMaterials(settings, clock, nullptr, &problems);
    EXPECT_EQ(loaded_.has_value(), problems.empty());
    return problems;
  }
  void ExpectOne(const Settings& settings, const std::string& key, const std::string& part) {
    const auto problems = Load(settings);
    ASSERT_EQ(problems.size(), 1u);
    EXPECT_EQ(problems[0].field, settings.At(key, "").field);
    EXPECT_THAT(problems[0].message, HasSubstr(key + ": "));
    EXPECT_THAT(problems[0].message, HasSubstr(part));
  }
  v1::GetKeyDocumentResponse Document() const { return set_.Signed().wire; }
  void WriteDocument(const v1::GetKeyDocumentResponse& wire) const {
    testing::WriteFile(set_.document(), wire.SerializeAsString());
  }

  CustodianSet set_;
  std::optional<Materials> loaded_;
};

TEST_F(MaterialsTest, LoadsWhatBelongsTogether) {
  EXPECT_TRUE(Load(set_.SettingsOf(0)).empty());
  EXPECT_EQ(loaded_->own.str(), CustodianSet::CustodianOin(0));
  EXPECT_EQ(loaded_->holder->x(), 1);
  EXPECT_EQ(loaded_->holder->epoch(), 1u);
}

TEST_F(MaterialsTest, RefusesATamperedShare) {
  std::string share = testing::ReadFile(set_.share(0));
  share[share.size() - 32] ^= 1;
  testing::WriteFile(set_.share(0), share, 0600);
  ExpectOne(set_.SettingsOf(0), "share_file", "changed or damaged");
}

TEST_F(MaterialsTest, RefusesAnotherCustodiansShare) {
  std::filesystem::copy_file(set_.share(1), set_.share(0),
                             std::filesystem::copy_options::overwrite_existing);
  ExpectOne(set_.SettingsOf(0), "share_file", "holds number 1");
}

TEST_F(MaterialsTest, RefusesAShareOfAnotherDealing) {
  const CustodianSet other;
  std::filesystem::copy_file(other.share(0), set_.share(0),
                             std::filesystem::copy_options::overwrite_existing);
  ExpectOne(set_.SettingsOf(0), "share_file", "was dealt with the key document");
}

TEST_F(MaterialsTest, RefusesACertificateOfNoCustodian) {
  Settings settings = set_.SettingsOf(0);
  const auto stranger = set_.pki().Issue({.oin = testing::TestOin(9999)});
  settings.tls.certificate = stranger.certificate;
  settings.tls.key = stranger.key;
  ExpectOne(settings, "share_file", "no custodian of the key document");
}

TEST_F(MaterialsTest, RefusesADocumentOfWhichAnyPartWasChanged) {
  const auto good = Document();
  const Settings settings = set_.SettingsOf(0);
  for (size_t i = 0; i < good.key_document().size(); i += 7) {
    auto bad = good;
    (*bad.mutable_key_document())[i] ^= 1;
    WriteDocument(bad);
    ExpectOne(settings, "key_document_file", set_.document().string());
  }
  for (int i = 0; i < 3; ++i) {
    auto bad = good;
    std::string& signature = *bad.mutable_signatures(i)->mutable_signature();
    signature[signature.size() - 1] ^= 1;
    WriteDocument(bad);
    ExpectOne(settings, "key_document_file", good.signatures(i).custodian());
  }
}

TEST_F(MaterialsTest, RefusesADocumentWithMissingSwappedOrExtraSignatures) {
  const auto good = Document();
  const Settings settings = set_.SettingsOf(0);
  auto missing = good;
  missing.mutable_signatures()->RemoveLast();
  WriteDocument(missing);
  ExpectOne(settings, "key_document_file", "expected 3 signatures, found 2");
  auto swapped = good;
  swapped.mutable_signatures()->SwapElements(0, 1);
  WriteDocument(swapped);
  ExpectOne(settings, "key_document_file", "signature 1 is of");
  auto extra = good;
  *extra.add_signatures() = good.signatures(0);
  WriteDocument(extra);
  ExpectOne(settings, "key_document_file", "found 4");
  auto bare = good;
  bare.mutable_signatures(1)->clear_certificate_chain();
  WriteDocument(bare);
  ExpectOne(settings, "key_document_file", "0 certificates");
  testing::WriteFile(set_.document(), "\xff\xff nonsense");
  ExpectOne(settings, "key_document_file", "no key document");
}

TEST_F(MaterialsTest, RefusesASignerThatNoAnchorVouchesFor) {
  testing::TestPki forger(set_.folder(), "forger");
  const auto forged = forger.Issue({.oin = CustodianSet::CustodianOin(1)});
  auto wire = Document();
  const auto key = crypto::CertificateKey::Load(forged.key);
  const auto certificate = crypto::Certificate::Parse(forged.certificate_pem());
  ASSERT_TRUE(key.ok() && certificate.ok());
  wire.mutable_signatures(1)->set_signature(key->Sign(wire.key_document()).value());
  wire.mutable_signatures(1)->clear_certificate_chain();
  wire.mutable_signatures(1)->add_certificate_chain(certificate->der());
  WriteDocument(wire);
  ExpectOne(set_.SettingsOf(0), "key_document_file", CustodianSet::CustodianOin(1));
}

TEST_F(MaterialsTest, ADocumentOutlivesTheCertificatesThatSignedIt) {
  const auto anchors = crypto::TrustAnchors::Parse(set_.pki().ca_pem());
  ASSERT_TRUE(anchors.ok());
  const auto now = std::chrono::floor<Millis>(SystemClock().Wall());
  const auto later = VerifySignedDocument(Document(), &*anchors, now + std::chrono::days(3600));
  EXPECT_TRUE(later.ok()) << later.error().message;
  EXPECT_FALSE(VerifySignedDocument(Document(), &*anchors, now - std::chrono::days(1)).ok());
}

TEST_F(MaterialsTest, ListsTheProblemsOfAllFilesAtOnce) {
  std::filesystem::remove(set_.share(0));
  std::filesystem::remove(set_.document());
  testing::WriteFile(set_.members(), "members:\n  - oin: \"1\"\n");
  Settings settings = set_.SettingsOf(0);
  settings.crl_path = set_.folder() / "nowhere";
  const auto problems = Load(settings);
  std::string all;
  for (const Error& problem : problems) all += problem.field + " " + problem.message + "\n";
  for (const std::string key : {"share_file", "key_document_file", "tls.crl_path"}) {
    EXPECT_THAT(all, HasSubstr(settings.At(key, "").field + " " + key + ": "));
  }
  EXPECT_THAT(all, HasSubstr(set_.members().string() + ":2 "));
}

TEST_F(MaterialsTest, NamesTheTlsFileThatIsWrong) {
  Settings settings = set_.SettingsOf(0);
  settings.tls.key = set_.certificate(1).key;
  ExpectOne(settings, "tls.key_file", "key");
  settings = set_.SettingsOf(0);
  settings.tls.ca = set_.folder() / "nowhere.pem";
  ExpectOne(settings, "tls.ca_file", "nowhere.pem");
}

}  // namespace
}  // namespace schakel::custodian
