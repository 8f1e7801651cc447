// A custodian and an operator begin with what their program's --help says: its examples, as they
// are printed, are one script whose last line serves.
#include <gmock/gmock.h>

#include <sstream>

#include "tests/e2e/help/world.h"
#include "tests/e2e/story.h"
#include "tests/support/free_port.h"

namespace schakel::e2e {
namespace {

using ::testing::HasSubstr;

class ServerHelp : public RegionTest {
 protected:
  static void SetUpTestSuite() {
    Begin({.newcomer = "team"});
    world_ = new World(region(), "team");
  }
  static void TearDownTestSuite() {
    delete world_;
    RegionTest::TearDownTestSuite();
  }

  // Somebody with a certificate for a server, who reads the program's help.
  static std::unique_ptr<ShellUser> Operator(const std::string& name, const std::string& oin) {
    auto user = std::make_unique<ShellUser>(region().folder() / "home" / name);
    const auto certificate = region().pki().IssueFor(oin);
    user->Copy(certificate.certificate, name + ".pem");
    user->Copy(certificate.key, name + ".key");
    user->Copy(region().pki().ca(), "ca.pem");
    user->Copy(region().pki().crl(), "crl.pem");
    user->Copy(region().CertificateOf("registrar").certificate, "registrar.pem");
    user->Copy(region().CertificateOf("debt-relief").certificate, "debt-relief.pem");
    return user;
  }
  // The help's examples, listening on a free port; ends at the first line that fails.
  static std::string ScriptOf(ShellUser& user, const std::string& program,
                              const std::string& address, int port) {
    const std::string help = user.Run(program + " --help").out;
    const size_t title = help.find("\nExamples");
    EXPECT_NE(title, std::string::npos) << help;
    if (title == std::string::npos) return "false";
    std::string script = help.substr(help.find('\n', title + 1) + 1);
    const size_t at = script.find(address);
    EXPECT_NE(at, std::string::npos) << script;
    if (at == std::string::npos) return "false";
    script.replace(at, address.size(), "127.0.0.1:" + std::to_string(port));
    return "set -e\n" + script;
  }

  static World* world_;
};
World* ServerHelp::world_ = nullptr;

TEST_F(ServerHelp, BringsACustodianToServeAMember) {
  const auto custodian = Operator("custodian", "00000099000000009001");
  const int port = testing::FreePort();
  const auto serving =
      custodian->Start(ScriptOf(*custodian, "schakel-custodian", "127.0.0.1:7444", port));
  ASSERT_TRUE(serving->WaitFor("custodian_ready")) << serving->Stdout() << serving->Stderr();
  // What init printed is the key that members pin; with it one of them reads the custodian's log.
  std::istringstream printed(serving->Stdout());
  std::string log_key;
  for (std::string line; std::getline(printed, line);) {
    if (line.starts_with("zhz.example/custodian/1+")) log_key = line;
  }
  ASSERT_NE(log_key, "") << serving->Stdout();
  auto context = region().ContextOf("debt-relief");
  context.clear_custodians();
  auto* const pinned = context.add_custodians();
  pinned->set_oin("00000099000000009001");
  pinned->set_address("127.0.0.1:" + std::to_string(port));
  pinned->set_log_key(log_key);
  context.set_state_folder((custodian->home() / "member-state").string());
  auto& member = world_->At("debt-relief");
  member.Take(context);
  const auto checkpoint = member.Run("schakel audit checkpoint --custodian 1");
  EXPECT_EQ(checkpoint.code, 0) << checkpoint.out << checkpoint.err;
  EXPECT_THAT(checkpoint.out, HasSubstr("zhz.example/custodian/1"));
  EXPECT_EQ(ShellUser::Interrupt(*serving), 0) << serving->Stderr();
}

TEST_F(ServerHelp, BringsABrokerToServe) {
  const auto keeper = Operator("broker", testing::TestOin(9100));
  const int port = testing::FreePort();
  const auto serving = keeper->Start(ScriptOf(*keeper, "schakel-broker", "127.0.0.1:7443", port));
  ASSERT_TRUE(serving->WaitFor("broker_ready")) << serving->Stdout() << serving->Stderr();
  EXPECT_THAT(serving->Stderr(), HasSubstr("no problems found"));
  // The registrar, whom it named, gets an answer.
  const auto listed =
      world_->At("registrar").Run("schakel org list --broker 127.0.0.1:" + std::to_string(port));
  EXPECT_EQ(listed.code, 0) << listed.out << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("registrar"));
  EXPECT_EQ(ShellUser::Interrupt(*serving), 0) << serving->Stderr();
}

}  // namespace
}  // namespace schakel::e2e
