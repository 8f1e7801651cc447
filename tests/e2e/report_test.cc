// What came of a signal: reported by its recipient over the wire, read by its sender, in the log.
#include "tests/e2e/command_line.h"
#include "tests/e2e/story.h"

namespace schakel::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Report : public RegionTest {
 protected:
  struct Held {
    SignalId signal;
    DeliveryId delivery;
  };
  // Arrears in the hands of debt relief.
  static Held Deliver() {
    EXPECT_TRUE(EmptyInbox(As("debt-relief")).ok());
    const auto sent = Send(As("corporation"), Arrears());
    EXPECT_TRUE(sent.ok() && sent->all_queued()) << Why(sent);
    const auto fetched = FetchAll(As("debt-relief"));
    EXPECT_TRUE(fetched.ok() && fetched->size() == 1) << Why(fetched);
    return {IdOf(*sent), IdOf(fetched->at(0))};
  }
  static Held Acknowledged() {
    const auto held = Deliver();
    const auto done = Inbox("debt-relief").Acknowledge(held.delivery);
    EXPECT_TRUE(done.ok()) << Why(done);
    return held;
  }
  static sdk::InboxClient& Inbox(const std::string& name) { return **As(name).inbox(); }
  static Result<v1::ReportOutcomeResponse> Say(const DeliveryId& delivery, const std::string& code,
                                               const std::string& who = "debt-relief") {
    return Inbox(who).ReportOutcome(sdk::NewRequestId(), delivery, code);
  }
  static std::string ReasonOf(const Result<v1::ReportOutcomeResponse>& answer) {
    return answer.ok() ? "" : answer.error().reason + " " + answer.error().field;
  }
};

TEST_F(Report, ReachesTheSenderByStatusAndFeedAndTheLog) {
  const auto held = Acknowledged();
  ASSERT_OK_AND(const auto answer, Say(held.delivery, "help-offered"));
  ASSERT_OK_AND(auto* signals, As("corporation").signals());
  ASSERT_OK_AND(const auto status, signals->Get(held.signal, answer.receipt().position()));
  EXPECT_EQ(status.signal().outcomes(0).reported_code(), "help-offered");
  EXPECT_EQ(status.signal().outcomes(0).state(), v1::RECIPIENT_STATE_ACKNOWLEDGED);
  ASSERT_OK_AND(const auto feed, FeedOf(As("corporation"), held.signal));
  EXPECT_EQ(feed.back().outcome().reported_code(), "help-offered");
  EXPECT_EQ(feed.back().position(), answer.receipt().position());

  ASSERT_OK_AND(const auto records, RecordsAbout(region(), held.signal));
  ASSERT_EQ(CountKind(records, v1::RECORD_KIND_OUTCOME_REPORT), 1u);
  EXPECT_EQ(records.back().facts().reported_code(), "help-offered");
  EXPECT_EQ(records.back().organisation(), OinOf("debt-relief").str());
  EXPECT_EQ(records.back().SerializeAsString(), answer.receipt().record());
  ASSERT_OK_AND(auto* audit, As("debt-relief").audit());
  ASSERT_OK(audit->Prove(answer.receipt()));
}

TEST_F(Report, IsRefusedWithTheReasonAndTheField) {
  const auto held = Deliver();
  EXPECT_EQ(ReasonOf(Say(held.delivery, "taken-up")), "NOT_ACKNOWLEDGED delivery_id");
  ASSERT_OK(Inbox("debt-relief").Acknowledge(held.delivery));
  EXPECT_EQ(ReasonOf(Say(held.delivery, "taken-up", "team")), "DELIVERY_UNKNOWN delivery_id");
  EXPECT_EQ(ReasonOf(Say(DeliveryId{}, "taken-up")), "DELIVERY_UNKNOWN delivery_id");
  EXPECT_EQ(ReasonOf(Say(held.delivery, "moved-to-spain")), "UNKNOWN_CODE code");
  EXPECT_EQ(ReasonOf(Say(held.delivery, "test-received")), "OUTCOME_NOT_APPLICABLE code");
  EXPECT_EQ(ReasonOf(Say(held.delivery, "Help offered, see file 12")), "FIELD_INVALID code")
      << "no free text";
  const auto refused = Deliver();
  ASSERT_OK(Inbox("debt-relief").Refuse(refused.delivery, {"not ours", "", std::nullopt}));
  EXPECT_EQ(ReasonOf(Say(refused.delivery, "taken-up")), "DELIVERY_SETTLED delivery_id");
}

TEST_F(Report, IsOnceAndSurvivesARestart) {
  const auto held = Acknowledged();
  ASSERT_OK_AND(const auto first, Say(held.delivery, "not-reachable"));
  region().RestartBroker();
  ASSERT_OK_AND(const auto again, Say(held.delivery, "not-reachable"));
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  ASSERT_OK_AND(const auto newer, Say(held.delivery, "help-offered"));
  EXPECT_NE(newer.receipt().index(), first.receipt().index());
  ASSERT_OK_AND(const auto feed, FeedOf(As("corporation"), held.signal));
  EXPECT_EQ(feed.back().outcome().reported_code(), "help-offered");
  ASSERT_OK_AND(const auto records, RecordsAbout(region(), held.signal));
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_OUTCOME_REPORT), 2u);
}

TEST_F(Report, ByTheCommandLineSpeaksTheUsersLanguage) {
  const CommandLine cli(region());
  const auto held = Deliver();
  const auto id = UuidText(held.delivery.view());
  const auto early = cli.Run("debt-relief", {"inbox", "report", id, "--code", "help-offered"});
  EXPECT_NE(early.code, 0);
  EXPECT_THAT(early.err, HasSubstr("NOT_ACKNOWLEDGED"));
  ASSERT_EQ(cli.Run("debt-relief", {"inbox", "ack", id}).code, 0);
  const auto wrong = cli.Run("debt-relief", {"inbox", "report", id, "--code", "moved"});
  EXPECT_EQ(wrong.code, 65) << wrong.err;
  EXPECT_THAT(wrong.err, HasSubstr("schakel policy show --codes"));
  const auto done = cli.Run("debt-relief", {"inbox", "report", id, "--code", "help-offered"});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out + done.err, HasSubstr("Reported: Help offered"));

  const auto signal = UuidText(held.signal.view());
  EXPECT_THAT(cli.Run("corporation", {"signal", "status", signal}).out,
              HasSubstr("acknowledged: Help offered"));
  EXPECT_THAT(cli.Run("corporation", {"signal", "status", signal, "--language", "nl"}).out,
              HasSubstr("bevestigd: Hulp aangeboden"));
  EXPECT_THAT(cli.Run("corporation", {"signal", "outcomes", "--language", "nl"}).out,
              HasSubstr("bevestigd: Hulp aangeboden"));
  const auto looked = cli.Run("region-auditor", {"audit", "query", "--kind", "outcome-report",
                                                 "--ground", "test", "--reference", "R"});
  EXPECT_THAT(looked.out, HasSubstr("Help offered")) << looked.err;
  const auto flow = cli.Run("chain-director", {"flow", "show", "-o", "json"});
  ASSERT_EQ(flow.code, 0) << flow.err;
  EXPECT_THAT(flow.out, Not(HasSubstr("help-offered"))) << "figures do not tell what came of it";
}

}  // namespace
}  // namespace schakel::e2e
