#include "broker/crypto/cert_key.h"

#include <gtest/gtest.h>

#include "tests/unit/crypto/dev_pki.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

namespace fs = std::filesystem;

class CertificateKeys : public testing::TestWithParam<const char*> {
 protected:
  const std::string oin_ = "00000099000000001000";
  DevPki pki_;
  const Certificate certificate_ = pki_.Issue(oin_, std::string("--algorithm ") + GetParam());
  const CertificateKey key_ = pki_.Key(oin_);
};

TEST_P(CertificateKeys, SignWhatTheirCertificateVerifies) {
  EXPECT_TRUE(key_.Matches(certificate_));
  for (const Bytes& message : {Bytes(), Bytes("message"), Bytes(100'000, 'm')}) {
    const Bytes signature = key_.Sign(message).value();
    EXPECT_TRUE(VerifyByCertificate(certificate_, message, signature).value());
    EXPECT_FALSE(VerifyByCertificate(certificate_, message + "x", signature).value());
  }
}

TEST_P(CertificateKeys, WrongSignaturesAreFalseAndNoFailure) {
  const Bytes signature = key_.Sign("message").value();
  for (size_t byte = 0; byte < signature.size(); ++byte) {
    auto verified = VerifyByCertificate(certificate_, "message", FlipBit(signature, byte * 8));
    ASSERT_TRUE(verified.ok()) << byte << ": " << verified.error().message;
    EXPECT_FALSE(*verified) << byte;
  }
  for (const Bytes& wrong :
       {Bytes(), Bytes("x"), signature.substr(1), signature + '\0', Bytes(signature.size(), '\0'),
        Bytes(signature.size(), '\xff'), Bytes(10'000, 'x')}) {
    auto verified = VerifyByCertificate(certificate_, "message", wrong);
    ASSERT_TRUE(verified.ok()) << verified.error().message;
    EXPECT_FALSE(*verified);
  }
}

TEST_P(CertificateKeys, DoNotVerifyForAnotherCertificate) {
  const Certificate other =
      pki_.Issue("00000099000000002000", std::string("--algorithm ") + GetParam());
  EXPECT_FALSE(key_.Matches(other));
  EXPECT_FALSE(VerifyByCertificate(other, "message", key_.Sign("message").value()).value());
}

// The openssl program, with the algorithm spelled out, agrees in both directions.
TEST_P(CertificateKeys, AgreeWithTheOpensslProgram) {
  const std::string algorithm = GetParam();
  const std::string options = algorithm == "p384" ? "-sha384 "
                              : algorithm == "p256"
                                  ? "-sha256 "
                                  : "-sha256 -sigopt rsa_padding_mode:pss -sigopt "
                                    "rsa_pss_saltlen:32 -sigopt rsa_mgf1_md:sha256 ";
  WriteText(pki_.path() / "message", "message");
  WriteText(pki_.path() / "ours", key_.Sign("message").value());
  ASSERT_EQ(
      pki_.Shell("set -e; openssl x509 -in $D/" + oin_ + ".pem -noout -pubkey > $D/pub; " +
                 "openssl dgst " + options + "-verify $D/pub -signature $D/ours $D/message; " +
                 "openssl dgst " + options + "-sign $D/" + oin_ + ".key -out $D/theirs $D/message"),
      0)
      << pki_.output();
  EXPECT_TRUE(
      VerifyByCertificate(certificate_, "message", ReadText(pki_.path() / "theirs")).value());
}

INSTANTIATE_TEST_SUITE_P(Algorithms, CertificateKeys, testing::Values("p256", "p384", "rsa3072"),
                         [](const auto& algorithm) { return std::string(algorithm.param); });

class OtherSignatures : public testing::Test {
 protected:
  bool Verifies(const std::string& options) {
    WriteText(pki_.path() / "message", "message");
    EXPECT_EQ(pki_.Shell("openssl dgst " + options + " -sign $D/" + oin_ +
                         ".key -out $D/theirs $D/message"),
              0)
        << pki_.output();
    return VerifyByCertificate(certificate_, "message", ReadText(pki_.path() / "theirs")).value();
  }
  const std::string oin_ = "00000099000000001000";
  DevPki pki_;
  Certificate certificate_ = pki_.Issue(oin_, "--algorithm rsa3072");
};

TEST_F(OtherSignatures, ByRsaAreRefused) {
  EXPECT_TRUE(Verifies("-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32"));
  EXPECT_FALSE(Verifies("-sha256"));
  EXPECT_FALSE(Verifies("-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20"));
  EXPECT_FALSE(Verifies("-sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32"));
  EXPECT_FALSE(Verifies(
      "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -sigopt rsa_mgf1_md:sha1"));
}

TEST(OtherKeys, AreRefused) {
  DevPki pki;
  const struct {
    const char* options;
  } cases[] = {{"-algorithm ed25519"},
               {"-algorithm EC -pkeyopt ec_paramgen_curve:P-521"},
               {"-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1"},
               {"-algorithm RSA -pkeyopt rsa_keygen_bits:1024"},
               {"-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"},
               {"-algorithm X25519"}};
  for (const auto& c : cases) {
    ASSERT_EQ(pki.Shell(std::string("umask 077; openssl genpkey ") + c.options + " -out $D/x.key"),
              0)
        << pki.output();
    auto key = CertificateKey::Load(pki.path() / "x.key");
    ASSERT_FALSE(key.ok()) << c.options;
    EXPECT_NE(key.error().message.find("expected RSA"), std::string::npos) << key.error().message;
  }
  ASSERT_EQ(
      pki.Shell("openssl req -x509 -newkey ed25519 -nodes -days 9 -subj /CN=x -keyout $D/x.key "
                "-out $D/x.pem"),
      0)
      << pki.output();
  const Certificate certificate = Certificate::Parse(ReadText(pki.path() / "x.pem")).value();
  auto verified = VerifyByCertificate(certificate, "message", Bytes(64, 's'));
  ASSERT_FALSE(verified.ok());
  EXPECT_EQ(verified.error().reason, "CERTIFICATE_INVALID");
}

class KeyFiles : public testing::Test {
 protected:
  KeyFiles() { pki_.Issue("00000099000000001000"); }
  void ExpectRefused(const std::string& words) {
    auto key = CertificateKey::Load(path_);
    ASSERT_FALSE(key.ok()) << words;
    EXPECT_NE(key.error().message.find(words), std::string::npos) << key.error().message;
    EXPECT_EQ(key.error().field, path_.string());
  }
  DevPki pki_;
  const fs::path path_ = pki_.path() / "00000099000000001000.key";
};

TEST_F(KeyFiles, MustBelongToTheirOwnerAlone) {
  EXPECT_TRUE(CertificateKey::Load(path_).ok());
  for (auto more : {fs::perms::group_read, fs::perms::others_read, fs::perms::group_write,
                    fs::perms::others_exec}) {
    fs::permissions(path_, fs::perms::owner_read | fs::perms::owner_write | more);
    ExpectRefused("0600");
  }
  fs::permissions(path_, fs::perms::owner_read);
  EXPECT_TRUE(CertificateKey::Load(path_).ok());
}

TEST_F(KeyFiles, MustHoldAPlainKey) {
  ASSERT_EQ(pki_.Shell("openssl pkcs8 -topk8 -in " + path_.string() +
                       " -passout pass:x -out $D/locked; cat $D/locked > " + path_.string()),
            0);
  ExpectRefused("unencrypted");
  WriteText(path_, "no key");
  ExpectRefused("unencrypted");
  WriteText(path_, "");
  ExpectRefused("expected a private key");
  fs::remove(path_);
  ExpectRefused("can't open");
  fs::create_directory(path_);
  ExpectRefused("regular file");
}

}  // namespace
}  // namespace schakel::crypto
