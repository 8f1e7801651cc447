// A partner tests alone: what it sends to the loopback is delivered, answered, acknowledged, and
// what came of it reported, without anybody else.
#include <atomic>
#include <nlohmann/json.hpp>

#include "clients/cli/loopback_journal.h"
#include "tests/e2e/command_line.h"
#include "tests/e2e/story.h"
#include "tests/support/relay.h"

namespace schakel::e2e {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kText = "The quick brown fox jumps over the lazy dog";

class Loopback : public RegionTest {
 protected:
  static void SetUpTestSuite() {
    RegionTest::SetUpTestSuite();
    cli_ = new CommandLine(region());
  }
  static void TearDownTestSuite() {
    delete cli_;
    RegionTest::TearDownTestSuite();
  }
  static sdk::SignalDraft Test(int serial) {
    sdk::SignalDraft draft;
    draft.signal_type = "test-signal";
    draft.purpose = "test-connection";
    draft.recipients.push_back(ToFunction("loopback", "zuid-holland-zuid"));
    draft.subjects.push_back(sdk::UnlinkedSubject());
    draft.sections.push_back(Section(
        "daily-living", "test-traffic",
        R"({"test":true,"serial":)" + std::to_string(serial) + R"(,"text":")" + kText + "\"}"));
    return draft;
  }
  static testing::RunResult RunOnce() {
    return cli_->Run("loopback", {"loopback", "run", "--until-idle"});
  }
  static std::vector<std::string> StepsOf(const std::string& who, const SignalId& signal) {
    std::vector<std::string> steps;
    const auto feed = FeedOf(As(who), signal);
    EXPECT_TRUE(feed.ok()) << Why(feed);
    for (const auto& event : *feed) {
      steps.push_back(v1::RecipientState_Name(event.outcome().state()).substr(16) +
                      event.outcome().reported_code());
    }
    return steps;
  }

  static CommandLine* cli_;
};
CommandLine* Loopback::cli_ = nullptr;

TEST_F(Loopback, AnswersAPartnerThatIsAlone) {
  cli_->File("test.json", std::string(R"({"test":true,"serial":42,"text":")") + kText + "\"}");
  auto running = cli_->Start("loopback", {"loopback", "run"});
  ASSERT_NE(running, nullptr);
  ASSERT_TRUE(running->WaitFor("Waiting for test signals")) << running->Stderr();
  // The least of partners: volunteers, who may not use the BSN and to whom hardly anything may go.
  const auto sent =
      cli_->Run("volunteers",
                {"signal", "send", "--type", "test-signal", "--subject-unlinked", "--to-function",
                 "loopback@zuid-holland-zuid", "--purpose", "test-connection", "--ground",
                 "test-traffic", "--section", "daily-living=@test.json", "-o", "json"});
  ASSERT_EQ(sent.code, 0) << sent.out << sent.err;
  const auto answered = cli_->Run(
      "volunteers", {"signal", "outcomes", "--follow", "--limit", "4", "--every", "100ms"});
  ASSERT_EQ(answered.code, 0) << answered.err;
  EXPECT_THAT(answered.out, HasSubstr("acknowledged: Test received"));
  const auto got = cli_->Run("volunteers", {"inbox", "fetch", "-o", "json"});
  ASSERT_EQ(got.code, 0) << got.err;
  const auto items = json::parse(got.out);
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0]["type"], "test-answer");
  EXPECT_EQ(items[0]["sender"], OinOf("loopback").str());
  EXPECT_EQ(items[0]["outcomes"], json::array({"test-received"}));
  ASSERT_EQ(items[0]["sections"].size(), 1u);
  EXPECT_EQ(items[0]["sections"][0]["content"]["serial"], 42);
  const auto listed = json::parse(cli_->Run("volunteers", {"signal", "list", "-o", "json"}).out);
  EXPECT_EQ(running->Stop(), 0) << "to be stopped is how it ends";
  // What it took is nowhere in what it says.
  const std::string said = running->Stdout() + running->Stderr();
  EXPECT_THAT(said, HasSubstr("Answered: "));
  EXPECT_THAT(said, Not(HasSubstr("fox")));
  EXPECT_THAT(said, Not(HasSubstr("42,")));
}

TEST_F(Loopback, TellsEachStepAndNamesTheTestThatItAnswers) {
  ASSERT_OK(EmptyInbox(As("corporation")));
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Test(7)));
  ASSERT_TRUE(sent.all_queued());
  const auto ran = RunOnce();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(StepsOf("corporation", IdOf(sent)),
              ElementsAre("QUEUED", "DELIVERED", "ACKNOWLEDGED", "ACKNOWLEDGEDtest-received"));
  ASSERT_OK_AND(const auto got, FetchAll(As("corporation")));
  ASSERT_EQ(got.size(), 1u);
  ASSERT_OK_AND(const auto opened, Open(As("corporation"), got[0]));
  EXPECT_EQ(opened.header.follows(), IdOf(sent).str());
}

// As a kill leaves it: the answer was sent, the test not yet acknowledged.
TEST_F(Loopback, GivesNoSecondAnswerWhenItWasKilledBeforeItsAcknowledgement) {
  ASSERT_OK(EmptyInbox(As("corporation")));
  auto test = Test(8);
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), test));
  auto answer = Test(8);
  answer.signal_type = "test-answer";
  answer.follows = IdOf(sent);
  answer.recipients = {sdk::Addressee::To(OinOf("corporation"))};
  answer.sections[0].schema_id.clear();
  ASSERT_OK_AND(const auto answered,
                Send(As("loopback"), answer, sdk::WrapChoice::kByRules,
                     "loopback-" + OinOf("corporation").str() + "-" + UuidText(IdOf(sent).view())));
  const auto ran = RunOnce();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr(UuidText(IdOf(answered).view()))) << "the answer of then";
  ASSERT_OK_AND(const auto got, FetchAll(As("corporation")));
  EXPECT_EQ(got.size(), 1u);
  EXPECT_THAT(StepsOf("corporation", IdOf(sent)),
              ElementsAre("QUEUED", "DELIVERED", "ACKNOWLEDGED", "ACKNOWLEDGEDtest-received"));
}

// The broker has the acknowledgement, but its answer never reaches the loopback, which is killed.
TEST_F(Loopback, MakesTheReportThatAKillBehindItsAcknowledgementLeftOwed) {
  ASSERT_OK(EmptyInbox(As("corporation")));
  std::unique_ptr<testing::ChildProcess> running;
  std::atomic<const testing::ChildProcess*> watched = nullptr;
  // It says so when its answer was sent; the next that it sends is the acknowledgement.
  const testing::Relay relay(region().port(), [&] {
    const auto* const child = watched.load();
    return child != nullptr && child->Stderr().find("Answered: ") != std::string::npos;
  });
  auto context = region().ContextOf("loopback");
  context.set_name("relayed-loopback");
  context.set_broker("127.0.0.1:" + std::to_string(relay.port()));
  cli_->Add(context);
  running = cli_->Start("relayed-loopback", {"loopback", "run"});
  ASSERT_NE(running, nullptr);
  watched = running.get();
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Test(11)));
  std::vector<std::string> steps;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while ((steps.empty() || steps.back() != "ACKNOWLEDGED") &&
         std::chrono::steady_clock::now() < until) {
    steps = StepsOf("corporation", IdOf(sent));
  }
  watched = nullptr;
  running->Kill();
  ASSERT_THAT(StepsOf("corporation", IdOf(sent)),
              ElementsAre("QUEUED", "DELIVERED", "ACKNOWLEDGED"));

  const auto ran = RunOnce();
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto whole =
      ElementsAre("QUEUED", "DELIVERED", "ACKNOWLEDGED", "ACKNOWLEDGEDtest-received");
  EXPECT_THAT(StepsOf("corporation", IdOf(sent)), whole);
  // It is owed no more: another start makes no other report.
  ASSERT_EQ(RunOnce().code, 0);
  EXPECT_THAT(StepsOf("corporation", IdOf(sent)), whole);
  ASSERT_OK_AND(const auto got, FetchAll(As("corporation")));
  EXPECT_EQ(got.size(), 1u) << "and the one answer";
}

// The answer was sent and the report written down as owed; the acknowledgement never left, or is
// still on its way: the next start makes both, and needs no second delivery for it.
TEST_F(Loopback, AcknowledgesWhatAKillLeftOwedAndReportsIt) {
  ASSERT_OK(EmptyInbox(As("corporation")));
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Test(12)));
  ASSERT_OK_AND(const auto taken, FetchAll(As("loopback")));
  ASSERT_EQ(taken.size(), 1u);
  ASSERT_THAT(StepsOf("corporation", IdOf(sent)), ElementsAre("QUEUED", "DELIVERED"));
  const std::filesystem::path state = region().ContextOf("loopback").state_folder();
  ASSERT_OK_AND(const auto journal, cli::LoopbackJournal::Open(state / "loopback"));
  ASSERT_OK(journal.Owe({IdOf(taken[0]), sdk::NewRequestId(), "test-received"}));

  const auto ran = RunOnce();
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(StepsOf("corporation", IdOf(sent)),
              ElementsAre("QUEUED", "DELIVERED", "ACKNOWLEDGED", "ACKNOWLEDGEDtest-received"));
  ASSERT_OK_AND(const auto owed, journal.Owed());
  EXPECT_TRUE(owed.empty());
}

TEST_F(Loopback, NothingElseReachesIt) {
  // A test about a person, by its pseudonym: the broker refuses, whatever the client believes.
  auto about = Test(9);
  ASSERT_OK_AND(about.subjects[0], PersonBy(region(), "police", 50));
  ASSERT_OK_AND(const auto refused, Send(As("police"), about, sdk::WrapChoice::kEveryRecipient));
  ASSERT_TRUE(refused.accepted());
  const auto& outcome = refused.entry.answer().accepted().outcomes(0);
  EXPECT_EQ(outcome.state(), v1::RECIPIENT_STATE_DENIED);
  EXPECT_EQ(outcome.reason(), "GROUND_NOT_APPLICABLE");
  auto arrears = Arrears();
  arrears.recipients = {ToFunction("loopback", "zuid-holland-zuid")};
  ASSERT_OK_AND(const auto denied,
                Send(As("corporation"), arrears, sdk::WrapChoice::kEveryRecipient));
  EXPECT_EQ(denied.entry.answer().accepted().outcomes(0).state(), v1::RECIPIENT_STATE_DENIED);
  // Content beside the fixed text is no test: the sender's own SDK refuses to seal it.
  auto chatty = Test(10);
  chatty.sections[0] = Section("daily-living", "test-traffic", R"({"test":true,"text":"Sanne"})");
  const auto sealed = Send(As("corporation"), chatty);
  ASSERT_FALSE(sealed.ok());
  EXPECT_EQ(sealed.error().reason, "CONTENT_INVALID");
}

}  // namespace
}  // namespace schakel::e2e
