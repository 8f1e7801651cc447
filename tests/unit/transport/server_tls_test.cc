// A certificate that is replaced while the server runs: what new connections see, what is refused.
#include "broker/transport/server_tls.h"

#include <gtest/gtest.h>

#include <sstream>
#include <thread>

#include "broker/transport/trust_watch.h"
#include "tests/support/child_process.h"
#include "tests/unit/transport/harness.h"

namespace schakel::transport {
namespace {

using testing::TestCertificate;
using testing::TestOin;

TEST(MemoryFile, IsReadByItsPathAndReplacedInOneStep) {
  auto file = MemoryFile::Create("one");
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(testing::ReadFile(file->path()), "one");
  const auto before = std::filesystem::last_write_time(file->path());
  ASSERT_TRUE(file->Replace("second").ok());
  EXPECT_EQ(testing::ReadFile(file->path()), "second");
  // gRPC compares whole seconds to see that a file changed while it read several.
  EXPECT_GE(std::filesystem::last_write_time(file->path()) - before, std::chrono::seconds(1));
}

class ServerTlsTest : public ::testing::Test {
 protected:
  ServerTls* tls() { return server.server->tls(); }
  // What a new connection is shown: the certificate's serial number; empty: no connection.
  std::string Shown() {
    const auto result = testing::RunProgram(
        {.program = "openssl",
         .args = {"s_client", "-connect", server.address(), "-CAfile", server.pki.ca().string(),
                  "-alpn", "h2", "-cert", client.certificate.string(), "-key", client.key.string(),
                  "-showcerts"}});
    const size_t begin = result.out.find("-----BEGIN CERTIFICATE-----");
    const size_t end = result.out.find("-----END CERTIFICATE-----");
    if (begin == std::string::npos || end == std::string::npos) return {};
    const auto leaf = crypto::Certificate::Parse(result.out.substr(begin, end - begin + 25) + "\n");
    return leaf.ok() ? leaf->facts().serial : std::string();
  }
  // Whether new connections come to see another than `serial`, within gRPC's own looks.
  bool ChangesFrom(const std::string& serial) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < until) {
      const std::string now = Shown();
      EXPECT_FALSE(now.empty()) << "there is always a certificate";
      if (now != serial) return true;
    }
    return false;
  }
  static std::string SerialOf(const TestCertificate& certificate) {
    return crypto::Certificate::Parse(certificate.certificate_pem())->facts().serial;
  }
  TestCertificate Renewed() {
    return server.pki.Issue({.oin = TestOin(1), .name = "broker", .usage = "serverAuth"});
  }
  void PutKey(const TestCertificate& from) {
    testing::WriteFile(server.own.key, from.key_pem(), 0600);
  }
  void PutCertificate(const TestCertificate& from) {
    testing::WriteFile(server.own.certificate, from.certificate_pem());
  }
  TestServer server;
  TestCertificate client = server.pki.IssueFor(TestOin(10));
};

TEST_F(ServerTlsTest, ShowsANewPairToNewConnectionsOnceBothFilesAreThere) {
  const std::string first = Shown();
  ASSERT_EQ(first, SerialOf(server.own));
  const TestCertificate renewed = Renewed();
  EXPECT_FALSE(tls()->LookForChange(WallNow()).has_value()) << "nothing changed";
  PutCertificate(renewed);
  EXPECT_FALSE(tls()->LookForChange(WallNow()).has_value()) << "it waits until the files are quiet";
  PutKey(renewed);
  EXPECT_FALSE(tls()->LookForChange(WallNow()).has_value()) << "they changed again";
  const auto reading = tls()->LookForChange(WallNow());
  ASSERT_TRUE(reading.has_value());
  EXPECT_FALSE(reading->refused.has_value());
  EXPECT_EQ(reading->serial, SerialOf(renewed));
  EXPECT_TRUE(ChangesFrom(first));
  EXPECT_EQ(Shown(), SerialOf(renewed));
  EXPECT_FALSE(tls()->LookForChange(WallNow()).has_value()) << "told once";
}

TEST_F(ServerTlsTest, RefusesWhatDoesNotFitAndGoesOnWithTheOldOne) {
  const std::string first = SerialOf(server.own);
  const std::string first_key = server.own.key_pem();
  const TestCertificate renewed = Renewed();
  const TestCertificate ended = server.pki.Issue({.oin = TestOin(1),
                                                  .usage = "serverAuth",
                                                  .from = std::chrono::hours(-9),
                                                  .until = std::chrono::hours(-1),
                                                  .key = server.own.key});
  struct Case {
    std::string certificate;
    std::filesystem::path named;
  };
  for (const auto& [pem, named] :
       {Case{renewed.certificate_pem(), server.own.key}, Case{"nonsense", server.own.certificate},
        Case{"", server.own.certificate}, Case{ended.certificate_pem(), server.own.certificate}}) {
    testing::WriteFile(server.own.certificate, pem);
    const TlsReading reading = tls()->Reload(WallNow());
    ASSERT_TRUE(reading.refused.has_value());
    EXPECT_EQ(reading.refused->field, named.string());
    EXPECT_EQ(reading.serial, first) << "what is in use is told";
    EXPECT_FALSE(tls()->current());
    // Longer than gRPC takes to look: it never sees what was refused.
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    EXPECT_EQ(Shown(), first);
  }
  PutCertificate(renewed);
  PutKey(renewed);
  EXPECT_FALSE(tls()->Reload(WallNow()).refused.has_value());
  EXPECT_TRUE(tls()->current());
  EXPECT_TRUE(ChangesFrom(first));
}

TEST_F(ServerTlsTest, RefusesOtherTrustAnchorsUntilARestart) {
  testing::TempDir folder;
  const testing::TestPki other(folder.path(), "other");
  testing::WriteFile(server.pki.ca(), server.pki.ca_pem() + other.ca_pem());
  const TlsReading reading = tls()->Reload(WallNow());
  ASSERT_TRUE(reading.refused.has_value());
  EXPECT_EQ(reading.refused->field, server.pki.ca().string());
  EXPECT_NE(reading.refused->message.find("restart"), std::string::npos);
}

TEST_F(ServerTlsTest, AWatchTellsTheLogAndTheMetrics) {
  Metrics metrics;
  std::ostringstream out;
  const auto log = Logger::Make("info", &out).value();
  TrustWatch watch(&metrics, log.get(), tls(), server.crls.get());
  EXPECT_NE(metrics.Text().find("schakel_tls_current 1"), std::string::npos);
  const std::string good = testing::ReadFile(server.pki.crl());
  testing::WriteFile(server.own.certificate, "nonsense");
  testing::WriteFile(server.pki.crl(), "nonsense");
  watch.Look(WallNow());
  watch.Look(WallNow());
  EXPECT_NE(out.str().find("\"tls_refused\",\"path\":\"" + server.own.certificate.string()),
            std::string::npos)
      << out.str();
  EXPECT_NE(out.str().find("the certificate read before stays in use"), std::string::npos);
  EXPECT_NE(out.str().find("\"crl_refused\""), std::string::npos);
  EXPECT_NE(metrics.Text().find("schakel_tls_current 0"), std::string::npos);
  EXPECT_NE(metrics.Text().find("schakel_crl_usable 0"), std::string::npos);
  EXPECT_NE(metrics.Text().find("schakel_crl_next_update_seconds 0"), std::string::npos);
  const size_t told = out.str().size();
  watch.Look(WallNow());
  EXPECT_EQ(out.str().size(), told) << "told once";
  testing::WriteFile(server.pki.crl(), good);
  watch.Look(WallNow());
  EXPECT_NE(out.str().find("\"crl_read\""), std::string::npos);
  EXPECT_NE(metrics.Text().find("schakel_crl_usable 1"), std::string::npos);
}

}  // namespace
}  // namespace schakel::transport
