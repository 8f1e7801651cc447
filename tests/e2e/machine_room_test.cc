// A real broker under a service manager, with a certificate that is replaced, and a configuration
// that is read again.
#include <csignal>
#include <thread>

#include "broker/crypto/x509.h"
#include "tests/e2e/story.h"
#include "tests/e2e/wire.h"
#include "tests/support/notify_socket.h"

namespace schakel::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::ReadFile;
using testing::WriteFile;

class MachineRoom : public RegionTest {
 protected:
  // What openssl's client is shown on a new connection: the certificate's serial number.
  static std::string Shown() {
    const auto& client = region().CertificateOf("team");
    const auto result = testing::RunProgram(
        {.program = "openssl",
         .args = {"s_client", "-connect", region().address(), "-CAfile",
                  region().pki().ca().string(), "-alpn", "h2", "-cert", client.certificate.string(),
                  "-key", client.key.string(), "-showcerts"}});
    const size_t begin = result.out.find("-----BEGIN CERTIFICATE-----");
    const size_t end = result.out.find("-----END CERTIFICATE-----");
    if (begin == std::string::npos || end == std::string::npos) return {};
    const auto leaf = crypto::Certificate::Parse(result.out.substr(begin, end - begin + 25) + "\n");
    return leaf.ok() ? leaf->facts().serial : std::string();
  }
  static bool LogHolds(const std::string& part) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < until) {
      if (region().BrokerLog().find(part) != std::string::npos) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
};

TEST_F(MachineRoom, TheManagerHearsThatItServesIsAliveReloadsAndStops) {
  testing::NotifySocket manager(region().folder() / "notify");
  region().set_broker_environment(
      {{"NOTIFY_SOCKET", manager.path().string()}, {"WATCHDOG_USEC", "1000000"}});
  region().RestartBroker();
  const auto ready = manager.Next();
  ASSERT_TRUE(ready.has_value());
  // The first word: nothing is said before it serves.
  EXPECT_THAT(*ready, ::testing::StartsWith("READY=1\nSTATUS=serving on port "));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(manager.Await("WATCHDOG=1"));
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
  ASSERT_TRUE(sent.all_queued());
  // The figure in the status follows the log.
  EXPECT_TRUE(
      manager.Await("STATUS=serving on port " + region().address().substr(10) + "; the log has "));
  region().broker().Signal(SIGHUP);
  EXPECT_TRUE(manager.Await("RELOADING=1"));
  EXPECT_TRUE(manager.Await("READY=1"));
  region().broker().Signal(SIGTERM);
  EXPECT_TRUE(manager.Await("STOPPING=1"));
  EXPECT_EQ(region().StopBroker(), 0);
  region().set_broker_environment({});
  region().StartBroker();
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(MachineRoom, ANewCertificateIsShownToNewConnectionsWhileAnOldStreamGoesOn) {
  const auto own = region().broker_certificate();
  const std::string first = Shown();
  ASSERT_FALSE(first.empty());
  ASSERT_OK_AND(auto connection, As("debt-relief").connection());
  RawPull stream(connection);
  ASSERT_TRUE(stream.Read().has_value());
  const auto renewed = region().pki().IssueFor(testing::TestOin(9000));
  WriteFile(own.certificate, renewed.certificate_pem());
  WriteFile(own.key, renewed.key_pem(), 0600);
  const std::string serial = crypto::Certificate::Parse(renewed.certificate_pem())->facts().serial;
  ASSERT_TRUE(LogHolds("\"tls_read\",\"digest\":\"" + serial));
  std::string now = first;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (now == first && std::chrono::steady_clock::now() < until) now = Shown();
  EXPECT_EQ(now, serial);
  // The stream from before the change still gets what is sent.
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
  ASSERT_TRUE(sent.all_queued());
  bool delivered = false;
  while (!delivered) {
    const auto message = stream.Read();
    ASSERT_TRUE(message.has_value()) << "the old stream ended";
    delivered = message->has_delivery();
  }
  // A member that connects anew is served.
  const auto fresh = region().NewSession("team", "fresh");
  EXPECT_TRUE(FetchAll(*fresh).ok());
}

TEST_F(MachineRoom, BadFilesAreRefusedInTheLogAndTheOldOnesStayInUse) {
  const auto own = region().broker_certificate();
  const std::string certificate = own.certificate_pem();
  const std::string config = ReadFile(region().broker_config());
  const std::string shown = Shown();
  WriteFile(own.certificate, "nonsense");
  WriteFile(region().broker_config(), config + "nonsense: 1\n");
  region().broker().Signal(SIGHUP);
  EXPECT_TRUE(LogHolds("\"config_refused\""));
  EXPECT_TRUE(LogHolds("\"tls_refused\",\"path\":\"" + own.certificate.string()));
  EXPECT_TRUE(region().broker().Running());
  EXPECT_EQ(Shown(), shown);
  const auto fresh = region().NewSession("team", "after-bad-files");
  EXPECT_TRUE(FetchAll(*fresh).ok());

  WriteFile(own.certificate, certificate);
  WriteFile(region().broker_config(), config + "reflection: false\n");
  EXPECT_NE(region().RunBroker({"--check-config"}).code, 0) << "a key that stands there twice";
  std::string changed = config;
  changed.replace(changed.find("reflection: true"), 16, "reflection: false");
  WriteFile(region().broker_config(), changed);
  region().broker().Signal(SIGHUP);
  EXPECT_TRUE(LogHolds("\"config_read\""));
  EXPECT_TRUE(LogHolds("reflection is taken at a start only"));
  WriteFile(region().broker_config(), config);
}

}  // namespace
}  // namespace schakel::e2e
