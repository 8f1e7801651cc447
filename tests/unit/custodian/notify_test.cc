// A custodian's program under a service manager: what it says, and what SIGHUP does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/child_process.h"
#include "tests/support/notify_socket.h"
#include "tests/support/paths.h"
#include "tests/unit/custodian/custodian_set.h"

namespace schakel::custodian {
namespace {

using ::testing::HasSubstr;

TEST(Notify, ACustodianSaysWhenItServesPingsReloadsAndStops) {
  CustodianSet set;
  const std::string member = testing::TestOin(1000);
  const auto certificate = set.pki().Issue({.oin = member});
  set.WriteMembers({{member, certificate.certificate, 10, 100}});
  testing::TempDir folder;
  testing::NotifySocket manager(folder / "notify");
  const std::string config = set.WriteConfig(0);
  set.Begin(0);
  const auto child = testing::ChildProcess::Start(
      {.program = checkout::BuildPath("bin/schakel-custodian"),
       .args = {"--config", config},
       .env = {{"NOTIFY_SOCKET", manager.path().string()}, {"WATCHDOG_USEC", "1000000"}}});
  ASSERT_NE(child, nullptr);
  const auto ready = manager.Next();
  ASSERT_TRUE(ready.has_value()) << child->Stderr();
  EXPECT_THAT(*ready, HasSubstr("READY=1\nSTATUS=serving on port "));
  EXPECT_TRUE(manager.Await("WATCHDOG=1"));
  EXPECT_TRUE(manager.Await("WATCHDOG=1"));

  testing::WriteFile(config, "nonsense: 1\n");
  child->Signal(SIGHUP);
  ASSERT_TRUE(manager.Await("RELOADING=1"));
  ASSERT_TRUE(manager.Await("READY=1"));
  EXPECT_THAT(child->Stderr(), HasSubstr("\"config_refused\""));
  EXPECT_THAT(child->Stderr(), HasSubstr("\"tls_read\""));
  EXPECT_TRUE(child->Running());

  child->Signal(SIGTERM);
  ASSERT_TRUE(manager.Await("STOPPING=1"));
  EXPECT_EQ(child->Wait(std::chrono::seconds(20)), 0);
}

}  // namespace
}  // namespace schakel::custodian
