// A person new to a role reaches the end of its main tasks by what `schakel --help` says: the
// commands in the order in which it names them, each by the first example of its own help. Nothing
// else is typed.
#include <gmock/gmock.h>

#include "tests/e2e/help/world.h"
#include "tests/e2e/story.h"

namespace schakel::e2e {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class MainTasks : public SteeredTest {
 protected:
  static void SetUpTestSuite() {
    Begin({.steered = true, .newcomer = "team"});
    world_ = new World(region(), "team");
  }
  static void TearDownTestSuite() {
    delete world_;
    SteeredTest::TearDownTestSuite();
  }
  static World& world() { return *world_; }

  // Goes through the steps that the help names for this; what the last one showed.
  static Shown Do(const std::string& who, const std::string& task) {
    const auto help = world().At(who).Run("schakel --help");
    for (const auto& each : TasksOf(help.out)) {
      if (each.who != task) continue;
      Shown last;
      for (const auto& step : each.steps) {
        const bool asks = step == "org admit";
        last = world().Play(who, step, 0, asks ? Manner::kTerminal : Manner::kRun, "",
                            asks ? "yes\n" : "");
        EXPECT_EQ(last.code, 0) << step << "\n" << last.out << last.err;
      }
      return last;
    }
    ADD_FAILURE() << "schakel --help has no main task of '" << task << "'\n" << help.out;
    return {};
  }

 private:
  static World* world_;
};
World* MainTasks::world_ = nullptr;

TEST_F(MainTasks, OfEachNounStandInItsHelpInBothLanguages) {
  auto& user = world().At("volunteers");
  const auto whole = TasksOf(user.Run("schakel --help").out);
  ASSERT_EQ(whole.size(), 8u);
  std::set<std::string> steps;
  for (const auto& task : whole) steps.insert(task.steps.begin(), task.steps.end());
  for (const auto& step : steps) {
    const std::string noun = step.substr(0, step.find(' '));
    const std::string help = user.Run("schakel " + noun + " --help").out;
    EXPECT_THAT(help, HasSubstr("Main tasks, in this order")) << noun;
    EXPECT_THAT(help, HasSubstr(step)) << noun;
    const std::string dutch = user.Run("schakel --language nl " + noun + " --help").out;
    EXPECT_THAT(dutch, HasSubstr("Hoofdtaken, in deze volgorde")) << noun;
    EXPECT_THAT(dutch, Not(HasSubstr("Main tasks"))) << noun;
  }
  EXPECT_THAT(user.Run("schakel version --help").out, Not(HasSubstr("Main tasks")));
}

TEST_F(MainTasks, APartnerJoinsTestsAloneAndRecordsAConsent) {
  Do("team", "Partner, to ask to join");
  world().HandOver("team", "team.request", "registrar");
  const auto admitted = world().Play("registrar", "org admit", 0, Manner::kTerminal, "", "yes\n");
  ASSERT_EQ(admitted.code, 0) << admitted.out;
  Do("team", "Partner, once admitted");

  const auto loopback = world().At("loopback").Start(world().Help("loopback", "loopback run")[0]);
  ASSERT_TRUE(loopback->WaitFor("Waiting for test signals")) << loopback->Stderr();
  EXPECT_THAT(Do("team", "Partner, to send").out, HasSubstr("waiting"));
  ASSERT_TRUE(loopback->WaitFor("Answered: ")) << loopback->Stderr();
  EXPECT_THAT(Do("team", "Partner, to receive").err, HasSubstr("Reported: Test received"));
  EXPECT_EQ(ShellUser::Interrupt(*loopback), 0);

  EXPECT_THAT(Do("team", "Partner, for consents").out, HasSubstr("Withdrawn: "));
  v1::RecordFilter filter;
  filter.set_organisation(OinOf("team").str());
  ASSERT_OK_AND(const auto records, QueryAs(As("region-auditor"), filter));
  for (const auto kind :
       {v1::RECORD_KIND_PUBLISH, v1::RECORD_KIND_DELIVERY, v1::RECORD_KIND_ACKNOWLEDGEMENT,
        v1::RECORD_KIND_OUTCOME_REPORT, v1::RECORD_KIND_STATEMENT, v1::RECORD_KIND_WITHDRAWAL}) {
    EXPECT_GE(CountKind(records, kind), 1u) << v1::RecordKind_Name(kind);
  }
}

TEST_F(MainTasks, AnAuditorReadsProvesExportsAndVerifies) {
  world().Arrive();
  EXPECT_THAT(Do("region-auditor", "Auditor").out, HasSubstr("Proven: all "));
  const auto& home = world().At("region-auditor").home();
  EXPECT_TRUE(std::filesystem::exists(home / "proof.txt"));
  EXPECT_TRUE(std::filesystem::exists(home / "log.export"));
}

TEST_F(MainTasks, AChainDirectorSeesWhatStallsAndReminds) {
  world().Stall();
  EXPECT_THAT(Do("chain-director", "Chain director").out, HasSubstr("Organisations reminded: 1."));
  ASSERT_OK_AND(const auto fetched, FetchAll(As("centre")));
  std::vector<v1::NoticeKind> notices;
  for (const auto& item : fetched) {
    if (item.has_notice()) notices.push_back(item.notice().kind());
  }
  EXPECT_THAT(notices, Contains(v1::NOTICE_KIND_REMINDER));
}

TEST_F(MainTasks, ARegistrarAdmitsActivatesAndDisables) {
  // The region's next bundle.
  auto& registrar = world().At("registrar");
  namespace fs = std::filesystem;
  const fs::path policy = registrar.home() / "policy";
  const fs::path source = fs::canonical(policy);
  fs::remove(policy);
  fs::copy(source, policy, fs::copy_options::recursive);
  std::string bundle = testing::ReadFile(policy / "zuid-holland-zuid/bundle.yaml");
  const size_t version = bundle.find("\nversion: ");
  ASSERT_NE(version, std::string::npos);
  bundle.replace(version, bundle.find('\n', version + 1) - version, "\nversion: \"next\"");
  registrar.Write("policy/zuid-holland-zuid/bundle.yaml", bundle);
  // An organisation that asks to join, as the help says.
  Do("team", "Partner, to ask to join");
  world().HandOver("team", "team.request", "registrar");

  Do("registrar", "Registrar");
  EXPECT_THAT(registrar.screen(), HasSubstr("Active now: "));
  EXPECT_THAT(registrar.Run("schakel policy show").out, HasSubstr(" next\n"));
  EXPECT_EQ(registrar.Run("schakel org show 00000099000000002000").code, 0);
  EXPECT_THAT(registrar.screen(), HasSubstr("disabled"));
}

}  // namespace
}  // namespace schakel::e2e
