#include "broker/transport/server_tls.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "tests/support/child_process.h"
#include "tests/unit/transport/harness.h"

namespace schakel::transport {
namespace {

using crypto::ChainUse;
using testing::TestCertificate;
using testing::TestOin;

class TlsFilesTest : public ::testing::Test {
 protected:
  // The field and the message of the refusal.
  std::pair<std::string, std::string> Refusal(const TlsFiles& tls, ChainUse use) {
    const auto checked = CheckTlsFiles(tls, use, WallNow());
    if (checked.ok()) return {"", "accepted"};
    EXPECT_EQ(checked.error().reason, "FIELD_INVALID");
    return {checked.error().field, checked.error().message};
  }
  testing::TempDir folder;
  testing::TestPki pki{folder.path()};
  TestCertificate own = pki.IssueFor(TestOin(1));
  TlsFiles files{own.certificate, own.key, pki.ca()};
};

TEST_F(TlsFilesTest, AreAcceptedWhenAllIsRight) {
  const auto anchors = CheckTlsFiles(files, ChainUse::kServer, WallNow());
  ASSERT_TRUE(anchors.ok()) << anchors.error().message;
  EXPECT_EQ(anchors->certificates().size(), 1u);
  EXPECT_TRUE(CheckTlsFiles(files, ChainUse::kClient, WallNow()).ok());
}

TEST_F(TlsFilesTest, AKeyThatOthersMayReadIsRefused) {
  using std::filesystem::perms;
  for (const perms extra : {perms::group_read, perms::others_read, perms::group_write}) {
    std::filesystem::permissions(own.key, perms::owner_read | perms::owner_write | extra);
    EXPECT_EQ(Refusal(files, ChainUse::kServer).first, own.key.string());
  }
  std::filesystem::permissions(own.key, perms::owner_read | perms::owner_write);
  EXPECT_EQ(Refusal(files, ChainUse::kServer).second, "accepted");
}

TEST_F(TlsFilesTest, FilesThatDoNotBelongTogetherAreRefused) {
  const TestCertificate other = pki.IssueFor(TestOin(2));
  EXPECT_EQ(Refusal({own.certificate, other.key, pki.ca()}, ChainUse::kServer).first,
            other.key.string());
  EXPECT_EQ(Refusal({own.certificate, own.key, own.certificate}, ChainUse::kServer).first,
            own.certificate.string())
      << "the anchors must be of an authority";
}

TEST_F(TlsFilesTest, FilesThatAreMissingOrBrokenAreNamed) {
  const std::filesystem::path missing = folder / "missing.pem";
  testing::WriteFile(folder / "broken.pem", "-----BEGIN CERTIFICATE-----\nx\n");
  testing::WriteFile(folder / "empty.pem", "");
  for (const std::filesystem::path& path : {missing, folder / "broken.pem", folder / "empty.pem"}) {
    EXPECT_EQ(Refusal({path, own.key, pki.ca()}, ChainUse::kServer).first, path.string());
    EXPECT_EQ(Refusal({own.certificate, own.key, path}, ChainUse::kServer).first, path.string());
  }
  EXPECT_EQ(Refusal({own.certificate, missing, pki.ca()}, ChainUse::kServer).first,
            missing.string());
}

TEST_F(TlsFilesTest, TheCertificateMustBeMeantForItAndValid) {
  const TestCertificate client = pki.Issue({.oin = TestOin(1), .usage = "clientAuth"});
  EXPECT_EQ(Refusal({client.certificate, client.key, pki.ca()}, ChainUse::kServer).first,
            client.certificate.string());
  EXPECT_EQ(Refusal({client.certificate, client.key, pki.ca()}, ChainUse::kClient).second,
            "accepted");
  const TestCertificate old = pki.Issue(
      {.oin = TestOin(1), .from = std::chrono::hours(-9), .until = std::chrono::hours(-1)});
  EXPECT_EQ(Refusal({old.certificate, old.key, pki.ca()}, ChainUse::kServer).first,
            old.certificate.string());
}

TEST_F(TlsFilesTest, TheEnvironmentMayNotChangeTheCipherSuites) {
  setenv("GRPC_SSL_CIPHER_SUITES", "ALL", 1);
  const auto credentials = ServerTls::Open(files, WallNow());
  unsetenv("GRPC_SSL_CIPHER_SUITES");
  ASSERT_FALSE(credentials.ok());
  EXPECT_EQ(credentials.error().field, "GRPC_SSL_CIPHER_SUITES");
}

class Handshakes : public ::testing::Test {
 protected:
  // What openssl's client says of a handshake with these options.
  std::string Handshake(std::vector<std::string> options) {
    std::vector<std::string> args = {"s_client",
                                     "-connect",
                                     server.address(),
                                     "-CAfile",
                                     server.pki.ca().string(),
                                     "-alpn",
                                     "h2",
                                     "-cert",
                                     client.certificate.string(),
                                     "-key",
                                     client.key.string()};
    args.insert(args.end(), options.begin(), options.end());
    const testing::RunResult result = testing::RunProgram({.program = "openssl", .args = args});
    return result.out + result.err;
  }
  TestServer server;
  TestCertificate client = server.pki.IssueFor(TestOin(10));
};

TEST_F(Handshakes, PreferTls13) {
  const std::string text = Handshake({});
  EXPECT_NE(text.find("New, TLSv1.3"), std::string::npos) << text;
  EXPECT_NE(text.find("Verify return code: 0 (ok)"), std::string::npos) << text;
}

TEST_F(Handshakes, AllowTls12OnlyWithEcdheAndAead) {
  const std::string text = Handshake({"-tls1_2"});
  EXPECT_NE(text.find("New, TLSv1.2, Cipher is ECDHE-ECDSA-AES"), std::string::npos) << text;
  EXPECT_NE(text.find("GCM"), std::string::npos);
  for (const char* weak : {"ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA",
                           "AES128-GCM-SHA256", "AES128-SHA", "DHE-RSA-AES128-GCM-SHA256"}) {
    const std::string refused =
        Handshake({"-tls1_2", "-cipher", std::string(weak) + ":@SECLEVEL=0"});
    EXPECT_NE(refused.find("Cipher is (NONE)"), std::string::npos) << weak << refused;
  }
}

TEST_F(Handshakes, RefuseOlderVersions) {
  for (const char* version : {"-tls1_1", "-tls1"}) {
    const std::string text = Handshake({version, "-cipher", "ALL:@SECLEVEL=0"});
    EXPECT_NE(text.find("Cipher is (NONE)"), std::string::npos) << text;
  }
}

TEST_F(Handshakes, ThatFailAreCounted) {
  std::ostringstream out;
  const auto log = Logger::Make("warning", &out);
  const GrpcLogBridge bridge(log->get());
  const uint64_t before = GrpcLogBridge::FailedHandshakes();
  testing::RunProgram(
      {.program = "openssl",
       .args = {"s_client", "-connect", server.address(), "-alpn", "h2", "-tls1_2"}});
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (GrpcLogBridge::FailedHandshakes() == before && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  EXPECT_GT(GrpcLogBridge::FailedHandshakes(), before);
}

}  // namespace
}  // namespace schakel::transport
