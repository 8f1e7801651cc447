// The chain director: figures, what stalls, reminders. With a broker whose clock the test moves.
#include "clients/sdk/flow_client.h"
#include "tests/e2e/command_line.h"
#include "tests/e2e/story.h"
#include "tests/e2e/wire.h"

namespace schakel::e2e {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class FlowStory : public SteeredTest {
 protected:
  static sdk::SignalDraft Report(const v1::SubjectRef& subject) {
    sdk::SignalDraft draft;
    draft.signal_type = "domestic-violence-report";
    draft.purpose = "stop-domestic-violence";
    draft.recipients.push_back(ToFunction("domestic-violence-centre", "dordrecht"));
    draft.subjects = {subject};
    draft.sections.push_back(Section("safety", "wmo-veilig-thuis",
                                     R"({"occurred_on":"2026-01-02","kinds":["physical"]})"));
    return draft;
  }
  static uint32_t Sent(const v1::GetFlowResponse& flow) {
    for (const auto& table : flow.tables()) {
      if (table.measure() == v1::FLOW_MEASURE_SENT) return table.totals(0);
    }
    return 0;
  }
  // What is due was done: an answered command came after it.
  static std::vector<v1::StalledSignal> WaitForStalled(size_t count) {
    for (int i = 0; i < 100; ++i) {
      auto listed = (*As("chain-director").flow())->ListStalled();
      EXPECT_TRUE(listed.ok()) << Why(listed);
      if (listed.ok() && static_cast<size_t>(listed->signals_size()) >= count) {
        return {listed->signals().begin(), listed->signals().end()};
      }
      EXPECT_TRUE(steering().AwaitLooks(1));
    }
    return {};
  }
};

TEST_F(FlowStory, ADirectorSeesTheChainAndRemindsWithoutSeeingAnybody) {
  std::vector<std::string> aliases;
  std::vector<Bytes> secrets;
  for (size_t person = 0; person < 12; ++person) {
    ASSERT_OK_AND(const auto subject, PersonBy(region(), "police", person));
    ASSERT_OK_AND(const auto sent, Send(As("police"), Report(subject)));
    ASSERT_TRUE(sent.all_queued());
    ASSERT_OK_AND(auto* signals, As("police").signals());
    ASSERT_OK_AND(const auto status, signals->Get(IdOf(sent)));
    EXPECT_EQ(status.signal().alias(), sent.entry.answer().accepted().alias());
    aliases.push_back(status.signal().alias());
    secrets.push_back(IdOf(sent).str());
    secrets.push_back(subject.pairs(0).value());
  }
  ASSERT_OK_AND(auto* director, As("chain-director").flow());
  ASSERT_OK_AND(const auto running, director->Get());
  EXPECT_EQ(Sent(running), 0u) << "the week runs";
  EXPECT_EQ(running.waiting_now(), v1::FLOW_BAND_FROM_10);
  EXPECT_EQ(running.stalled_now(), v1::FLOW_BAND_FEWER_THAN_10);
  ASSERT_OK_AND(const auto nothing, director->ListStalled());
  EXPECT_EQ(nothing.signals_size(), 0);

  // A report's term is a day.
  steering().Pass(hours(24) + minutes(1));
  const auto stalled = WaitForStalled(12);
  ASSERT_EQ(stalled.size(), 12u);
  for (const auto& signal : stalled) {
    EXPECT_THAT(aliases, Contains(signal.alias()));
    EXPECT_EQ(signal.recipient(), OinOf("centre").str());
    EXPECT_EQ(signal.function().function(), "domestic-violence-centre");
    EXPECT_EQ(signal.contact(), region().EntryOf("centre").contact());
    EXPECT_EQ(signal.term().seconds(), 86'400);
  }

  const CommandLine cli(region());
  const auto reminded = cli.Run("chain-director", {"flow", "remind", aliases[3]});
  EXPECT_EQ(reminded.code, 0) << reminded.err;
  EXPECT_THAT(reminded.out, HasSubstr("Organisations reminded: 1."));
  const auto again = cli.Run("chain-director", {"flow", "remind", aliases[3]});
  EXPECT_EQ(again.code, 75) << again.err;
  EXPECT_THAT(again.err, HasSubstr("REMINDED_ALREADY"));
  EXPECT_EQ(cli.Run("chain-director", {"flow", "remind", "ZHZ-"}).code, 65);

  // The recipient gets a notice with the alias and nothing else, before what waits.
  ASSERT_OK_AND(const auto fetched, FetchAll(As("centre"), 2));
  ASSERT_EQ(fetched.size(), 2u);
  ASSERT_TRUE(fetched[0].has_notice());
  EXPECT_EQ(fetched[0].notice().kind(), v1::NOTICE_KIND_REMINDER);
  EXPECT_EQ(fetched[0].notice().alias(), aliases[3]);
  EXPECT_EQ(fetched[0].notice().signal_id(), "");
  EXPECT_THAT(aliases, Contains(fetched[1].signal().alias()));

  // It is on record, with who asked for it.
  v1::RecordFilter filter;
  filter.add_kinds(v1::RECORD_KIND_REMINDER);
  ASSERT_OK_AND(const auto records, QueryAs(As("region-auditor"), filter));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].organisation(), OinOf("chain-director").str());
  EXPECT_EQ(records[0].facts().alias(), aliases[3]);

  const auto table =
      cli.Run("chain-director", {"--language", "nl", "flow", "stalled", "-o", "csv"});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("\xEF\xBB\xBF"
                                   "SCHUILNAAM;"));
  EXPECT_THAT(table.out, HasSubstr(aliases[0]));

  // The week closes: 12 persons are 10.
  steering().Pass(hours(6 * 24));
  ASSERT_OK_AND(const auto closed, director->Get());
  EXPECT_EQ(Sent(closed), 10u);
  const auto screen = cli.Run("chain-director", {"flow", "show"});
  EXPECT_EQ(screen.code, 0) << screen.err;
  EXPECT_THAT(screen.out, HasSubstr("Sent"));

  const std::string all = running.SerializeAsString() + closed.SerializeAsString() + reminded.out +
                          table.out + screen.out;
  for (const auto& secret : secrets) {
    EXPECT_THAT(all, Not(HasSubstr(secret)));
    EXPECT_THAT(all, Not(HasSubstr(HexEncode(secret.substr(0, 8)))));
  }
}

TEST_F(FlowStory, NobodyElseSeesItAndTheAttemptIsRecorded) {
  const CommandLine cli(region());
  for (const char* who : {"team", "region-auditor", "registrar"}) {
    EXPECT_EQ(cli.Run(who, {"flow", "show"}).code, 77) << who;
    EXPECT_EQ(cli.Run(who, {"flow", "stalled"}).code, 77) << who;
    EXPECT_EQ(cli.Run(who, {"flow", "remind", "ZHZ-7F3K"}).code, 77) << who;
    ASSERT_OK_AND(const auto denied, DeniedOf(region(), who));
    EXPECT_THAT(denied, Contains("ROLE_NOT_ALLOWED")) << who;
  }
}

TEST_F(FlowStory, WhatIsMalformedIsRefusedWithItsField) {
  ASSERT_OK_AND(auto connection, As("chain-director").connection());
  const auto stub = v1::FlowService::NewStub(connection->channel());
  const auto refused = [&](const v1::RemindRequest& request) {
    const auto answer = connection->Call(*stub, &v1::FlowService::Stub::Remind, request);
    return answer.ok() ? "OK" : answer.error().reason + " " + answer.error().field;
  };
  v1::RemindRequest request;
  EXPECT_EQ(refused(request), "FIELD_MISSING request_id");
  request.set_request_id("short");
  EXPECT_EQ(refused(request), "FIELD_INVALID request_id");
  request.set_request_id(Bytes(16, 'r'));
  EXPECT_EQ(refused(request), "FIELD_MISSING alias");
  request.set_alias("no alias");
  EXPECT_EQ(refused(request), "FIELD_INVALID alias");
  request.set_alias(std::string(100'000, 'A'));
  EXPECT_EQ(refused(request), "FIELD_INVALID alias");
  request.set_alias("ZHZ-0000");
  EXPECT_EQ(refused(request), "NOT_FOUND alias");
}

}  // namespace
}  // namespace schakel::e2e
