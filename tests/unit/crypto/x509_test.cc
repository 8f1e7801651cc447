#include "broker/crypto/x509.h"

#include <gtest/gtest.h>

#include "tests/support/paths.h"
#include "tests/unit/crypto/dev_pki.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

constexpr const char* kOin = "00000099000000001000";

TEST(CertificateFacts, AreReadFromADevelopmentCertificate) {
  DevPki pki;
  const Certificate certificate = pki.Issue(kOin, "--days 30");
  EXPECT_NE(pki.output().find("for development only"), std::string::npos);
  const CertificateFacts& facts = certificate.facts();
  EXPECT_EQ(facts.oin, OrganisationId::From(kOin));
  EXPECT_EQ(RequireOin(certificate).value().str(), kOin);
  EXPECT_TRUE(facts.client_auth);
  EXPECT_TRUE(facts.server_auth);
  EXPECT_FALSE(facts.is_ca);
  EXPECT_EQ(facts.not_after - facts.not_before, std::chrono::days(30));
  EXPECT_TRUE(facts.ValidAt(facts.not_before));
  EXPECT_FALSE(facts.ValidAt(facts.not_before - Millis(1)));
  EXPECT_TRUE(facts.ValidAt(facts.not_after + Millis(999)));
  EXPECT_FALSE(facts.ValidAt(facts.not_after + Millis(1000)));
  EXPECT_TRUE(facts.ValidAt(Now()));

  const Certificate ca = Certificate::Parse(ReadText(pki.path() / "ca.pem")).value();
  EXPECT_TRUE(ca.facts().is_ca);
  EXPECT_FALSE(ca.facts().oin);
  EXPECT_EQ(facts.issuer, ca.facts().subject);
  EXPECT_EQ(ca.facts().issuer, ca.facts().subject);
  EXPECT_NE(facts.subject, facts.issuer);
}

TEST(CertificateFacts, EqualWhatTheOpensslProgramSays) {
  DevPki pki;
  const Certificate certificate = pki.Issue(kOin);
  ASSERT_EQ(pki.Shell(std::string("openssl x509 -noout -serial -in $D/") + kOin +
                      ".pem | sed s/.*=//"
                      " | tr A-F a-f"),
            0);
  EXPECT_EQ(certificate.facts().serial + "\n", pki.output());
  ASSERT_EQ(pki.Shell(std::string("openssl x509 -noout -pubkey -in $D/") + kOin +
                      ".pem | openssl pkey -pubin -outform DER | sha256sum | cut -c1-64"),
            0);
  EXPECT_EQ(HexEncode(certificate.facts().spki.view()) + "\n", pki.output());
}

TEST(CertificateFacts, SayWhenClientsAreNotMeant) {
  DevPki pki;
  const Certificate certificate = pki.Issue(kOin, "--no-client-auth");
  EXPECT_FALSE(certificate.facts().client_auth);
  EXPECT_TRUE(certificate.facts().server_auth);
}

TEST(CertificateFacts, AreReadForEveryKindOfKey) {
  DevPki pki;
  EXPECT_EQ(pki.Issue("00000099000000002000", "--algorithm p384").facts().oin->str(),
            "00000099000000002000");
  EXPECT_EQ(pki.Issue("00000099000000003000", "--algorithm rsa3072").facts().oin->str(),
            "00000099000000003000");
}

TEST(OinInCertificate, MustBeThereOnceWithTwentyDigits) {
  DevPki pki;
  const std::string oin = kOin;
  const struct {
    std::string subject;
    bool good;
  } cases[] = {
      {"/CN=a/serialNumber=" + oin, true},
      {"/serialNumber=" + oin + "/CN=a", true},
      {"/CN=a+serialNumber=" + oin, true},
      {"/CN=a", false},
      {"/CN=" + oin, false},
      {"/CN=serialNumber\\=" + oin, false},
      {"/CN=a\\/serialNumber=" + oin, false},
      {"/CN=a/serialNumber=" + oin + "/serialNumber=" + oin, false},
      {"/CN=a/serialNumber=00000099000000002000/serialNumber=" + oin, false},
      {"/CN=a+serialNumber=" + oin + "/serialNumber=" + oin, false},
      {"/CN=a/serialNumber=" + oin.substr(1), false},
      {"/CN=a/serialNumber=" + oin + "0", false},
      {"/CN=a/serialNumber= " + oin.substr(1), false},
      {"/CN=a/serialNumber=0000009900000000100x", false},
  };
  for (const auto& c : cases) {
    const Certificate certificate = pki.SelfSigned(c.subject);
    EXPECT_EQ(certificate.facts().oin.has_value(), c.good) << c.subject;
    auto required = RequireOin(certificate);
    EXPECT_EQ(required.ok(), c.good) << c.subject;
    if (!c.good) {
      EXPECT_EQ(required.error().reason, "CERTIFICATE_INVALID");
    }
  }
}

TEST(CertificateParsing, TakesPemAndDerAndNothingElse) {
  DevPki pki;
  const Certificate certificate = pki.Issue(kOin);
  const std::string pem = ReadText(pki.path() / (std::string(kOin) + ".pem"));
  EXPECT_EQ(Certificate::Parse(certificate.der()).value(), certificate);
  EXPECT_EQ(certificate.ToPem(), pem);
  EXPECT_TRUE(Certificate::Parse("Subject: somebody\n" + pem + "\n \n").ok());
  EXPECT_TRUE(Certificate::Parse(std::string("\n") + pem).ok());

  const std::string ca = ReadText(pki.path() / "ca.pem");
  const std::string key = ReadText(pki.path() / (std::string(kOin) + ".key"));
  for (const std::string& bad :
       {std::string(), std::string("nothing"), pem + ca, pem + "text", pem + key, key,
        pem.substr(0, pem.size() / 2), certificate.der() + '\0',
        certificate.der().substr(0, certificate.der().size() - 1)}) {
    auto parsed = Certificate::Parse(bad);
    EXPECT_FALSE(parsed.ok()) << bad.substr(0, 80);
  }
  EXPECT_EQ(Certificate::Parse(Bytes(20'000, '0')).error().reason, "TOO_LARGE");
}

TEST(CertificateParsing, SurvivesEveryFlippedByte) {
  DevPki pki;
  const Certificate certificate = pki.Issue(kOin);
  const TrustAnchors anchors = pki.Anchors();
  for (size_t byte = 0; byte < certificate.der().size(); ++byte) {
    auto parsed = Certificate::Parse(FlipBit(certificate.der(), byte * 8));
    if (!parsed.ok()) continue;
    const std::vector<Certificate> chain = {*parsed};
    EXPECT_FALSE(anchors.Verify(chain, Now(), ChainUse::kAny).value().trusted) << byte;
  }
}

TEST(CertificateParsing, ReadsChainsInTheirOrder) {
  DevPki pki;
  const Certificate certificate = pki.Issue(kOin);
  const std::string pem = ReadText(pki.path() / (std::string(kOin) + ".chain.pem"));
  const auto chain = Certificate::ParseChain(pem).value();
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_EQ(chain[0], certificate);
  EXPECT_TRUE(chain[1].facts().is_ca);
  EXPECT_FALSE(Certificate::ParseChain("").ok());
  EXPECT_EQ(Certificate::ParseChain(pem + pem + pem).error().reason, "TOO_LARGE");
}

class Chains : public testing::Test {
 protected:
  bool Trusted(const std::vector<Certificate>& chain, ChainUse use = ChainUse::kAny,
               Millis at = Now()) {
    auto verdict = pki_.Anchors().Verify(chain, at, use).value();
    EXPECT_EQ(verdict.trusted, verdict.why.empty());
    return verdict.trusted;
  }
  DevPki pki_;
};

TEST_F(Chains, AreTrustedUnderTheirOwnRootOnly) {
  const Certificate certificate = pki_.Issue(kOin);
  EXPECT_TRUE(Trusted({certificate}));
  EXPECT_TRUE(Trusted({certificate}, ChainUse::kClient));
  EXPECT_TRUE(Trusted({certificate}, ChainUse::kServer));
  DevPki other;
  EXPECT_FALSE(Trusted({other.Issue(kOin)}));
  EXPECT_FALSE(Trusted({pki_.SelfSigned(std::string("/CN=a/serialNumber=") + kOin)}));
  // The stranger's root, sent along, changes nothing.
  EXPECT_FALSE(
      Trusted(Certificate::ParseChain(ReadText(other.path() / (std::string(kOin) + ".chain.pem")))
                  .value()));
}

TEST_F(Chains, AreTrustedWhileTheyAreValid) {
  const Certificate certificate = pki_.Issue(kOin, "--days 30");
  EXPECT_FALSE(Trusted({certificate}, ChainUse::kAny, Now() + std::chrono::days(31)));
  EXPECT_FALSE(Trusted({certificate}, ChainUse::kAny, Now() - std::chrono::days(1)));
  EXPECT_TRUE(Trusted({certificate}, ChainUse::kAny, Now() + std::chrono::days(29)));
  const Certificate expired = pki_.Issue("00000099000000002000", "--expired");
  EXPECT_FALSE(Trusted({expired}));
  EXPECT_FALSE(expired.facts().ValidAt(Now()));
  EXPECT_TRUE(Trusted({expired}, ChainUse::kAny, Now() - std::chrono::days(2)));
}

TEST_F(Chains, AreTrustedForTheirUseOnly) {
  const Certificate server = pki_.Issue(kOin, "--no-client-auth");
  EXPECT_TRUE(Trusted({server}, ChainUse::kServer));
  EXPECT_FALSE(Trusted({server}, ChainUse::kClient));
}

TEST_F(Chains, GoOverIntermediateCas) {
  WriteText(
      pki_.path() / "ext.cnf",
      "[ca]\nbasicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n"
      "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always\n"
      "[leaf]\nbasicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n"
      "extendedKeyUsage=clientAuth\nsubjectKeyIdentifier=hash\n"
      "authorityKeyIdentifier=keyid:always\n");
  const std::string request = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ";
  ASSERT_EQ(pki_.Shell("set -e; " + request +
                       "-subj /CN=Middle -keyout $D/mid.key -out $D/mid.csr; "
                       "openssl x509 -req -in $D/mid.csr -CA $D/ca.pem -CAkey $D/ca.key -days 9 "
                       "-extfile $D/ext.cnf -extensions ca -out $D/mid.pem; " +
                       request + "-subj /CN=Leaf/serialNumber=" + kOin +
                       " -keyout $D/leaf.key -out $D/leaf.csr; "
                       "openssl x509 -req -in $D/leaf.csr -CA $D/mid.pem -CAkey $D/mid.key -days 9 "
                       "-extfile $D/ext.cnf -extensions leaf -out $D/leaf.pem"),
            0)
      << pki_.output();
  const Certificate middle = Certificate::Parse(ReadText(pki_.path() / "mid.pem")).value();
  const Certificate leaf = Certificate::Parse(ReadText(pki_.path() / "leaf.pem")).value();
  EXPECT_TRUE(Trusted({leaf, middle}));
  EXPECT_FALSE(Trusted({leaf}));
  EXPECT_FALSE(Trusted({leaf, pki_.Issue("00000099000000002000")}));
}

// An organisation's certificate is no CA: what it signs is not trusted.
TEST_F(Chains, DoNotGoOverOrganisations) {
  const std::string other = "00000099000000002000";
  const Certificate middle = pki_.Issue(kOin);
  ASSERT_EQ(
      pki_.Shell("set -e; openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "
                 "/CN=x/serialNumber=" +
                 other + " -keyout $D/x.key -out $D/x.csr; openssl x509 -req -in $D/x.csr -CA $D/" +
                 kOin + ".pem -CAkey $D/" + kOin + ".key -days 9 -out $D/x.pem"),
      0)
      << pki_.output();
  const Certificate leaf = Certificate::Parse(ReadText(pki_.path() / "x.pem")).value();
  EXPECT_FALSE(Trusted({leaf, middle}));
}

TEST(Anchors, AreCaCertificates) {
  DevPki pki;
  pki.Issue(kOin);
  EXPECT_EQ(pki.Anchors().certificates().size(), 1u);
  EXPECT_FALSE(TrustAnchors::Parse(ReadText(pki.path() / (std::string(kOin) + ".pem"))).ok());
  EXPECT_FALSE(TrustAnchors::Parse("").ok());
  EXPECT_FALSE(pki.Anchors().Verify({}, Now(), ChainUse::kAny).ok());
}

TEST(DevelopmentPki, RunsAgainWithoutHarm) {
  DevPki pki;
  const std::string ca = ReadText(pki.path() / "ca.pem");
  const Certificate first = pki.Issue(kOin);
  EXPECT_EQ(pki.Issue(kOin), first);
  EXPECT_EQ(pki.Run("init"), 0);
  EXPECT_NE(pki.output().find("for development only"), std::string::npos);
  EXPECT_EQ(ReadText(pki.path() / "ca.pem"), ca);
  EXPECT_EQ(pki.Run(std::string("revoke ") + kOin), 0);
  EXPECT_EQ(pki.Run(std::string("revoke ") + kOin), 0);
  // A revoked certificate is replaced, with a new key.
  EXPECT_NE(pki.Issue(kOin).facts().spki, first.facts().spki);
}

TEST(DevelopmentPki, KeepsKeysToTheirOwner) {
  DevPki pki;
  pki.Issue(kOin);
  for (const char* name : {"ca.key", "00000099000000001000.key"}) {
    const auto mode = std::filesystem::status(pki.path() / name).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << name;
  }
}

TEST(DevelopmentPki, RefusesWrongArguments) {
  DevPki pki;
  for (const char* bad :
       {"", "frobnicate", "issue", "issue --oin 1 --name x", "issue --oin 00000099000000001000",
        "issue --oin", "revoke", "revoke 1", "revoke 00000099000000009000", "crl --frob",
        "issue --oin 00000099000000001000 --name x --algorithm dsa",
        "issue --oin 00000099000000001000 --name x --days 0"}) {
    EXPECT_EQ(pki.Run(bad), 64) << bad;
  }
  TempFolder empty;
  EXPECT_EQ(pki.Shell(checkout::SourcePath("deploy/dev-pki ") + empty.path().string() +
                      " issue --oin 00000099000000001000 --name x"),
            64);
}

}  // namespace
}  // namespace schakel::crypto
