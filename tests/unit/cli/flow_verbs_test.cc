// The chain director's screen, its list and its reminders, towards a made-up broker.
#include <gmock/gmock.h>

#include <algorithm>
#include <sstream>

#include "tests/unit/cli/broker_verbs.h"

namespace schakel::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kMonday = 1'794'787'200;  // 16 November 2026
constexpr int64_t kWeek = 7 * 86'400;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// The numbers of a text, in order.
std::vector<std::string> Numbers(const std::string& text) {
  std::vector<std::string> numbers(1);
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      numbers.back() += c;
    } else if (!numbers.back().empty()) {
      numbers.emplace_back();
    }
  }
  return numbers;
}

class FlowVerbs : public BrokerVerbs {
 protected:
  FlowVerbs() {
    auto& flow = broker_->flow;
    flow.set_waiting_now(v1::FLOW_BAND_FROM_10);
    flow.set_stalled_now(v1::FLOW_BAND_FEWER_THAN_10);
    for (auto measure :
         {v1::FLOW_MEASURE_SENT, v1::FLOW_MEASURE_WAITING, v1::FLOW_MEASURE_WAITING_LONG,
          v1::FLOW_MEASURE_STALLED, v1::FLOW_MEASURE_REFUSED}) {
      auto* table = flow.add_tables();
      table->set_measure(measure);
      table->set_period_kind(v1::FLOW_PERIOD_KIND_WEEK);
      table->set_place(v1::FLOW_PLACE_MUNICIPALITY);
      table->set_parties(v1::FLOW_PARTIES_SIGNAL_TYPE);
      for (int week = 0; week < 5; ++week) {
        auto* period = table->add_periods();
        period->mutable_begin()->set_seconds(kMonday - week * kWeek);
        period->mutable_end()->set_seconds(kMonday + kWeek - week * kWeek);
        table->add_totals(0);
      }
    }
    SetTotals(0, {120, 100, 110, 115, 125});
    SetTotals(1, {35, 30, 0, 30, 30});
    auto* waits = flow.mutable_tables(2)->add_rows();
    waits->set_area("papendrecht");
    waits->set_signal_type("rent-arrears");
    for (uint32_t persons : {15u, 10u, 10u, 10u, 10u}) waits->add_persons(persons);
    auto* longer = flow.mutable_tables(2)->add_rows();
    longer->set_area("dordrecht");
    longer->set_signal_type("debt");
    for (uint32_t persons : {25u, 0u, 0u, 0u, 0u}) longer->add_persons(persons);
    auto* refused = flow.mutable_tables(4);
    refused->set_period_kind(v1::FLOW_PERIOD_KIND_QUARTER);
    refused->set_place(v1::FLOW_PLACE_REGION);
    refused->set_parties(v1::FLOW_PARTIES_SECTOR_PAIR);
    flow.mutable_tables(3)->set_mostly_left_out(true);
    for (int i = 0; i < 3; ++i) {
      auto* signal = broker_->stalled.add_signals();
      signal->set_alias("ZHZ-7F3" + std::to_string(i));
      signal->set_signal_type("rent-arrears");
      signal->set_recipient(sdk::kDebtRelief.str());
      signal->set_recipient_name("Schuldhulp; Dordrecht");
      signal->mutable_function()->set_function("debt-relief");
      signal->mutable_function()->set_area("dordrecht");
      signal->set_contact("=aanspreekpunt, 078 000 0000");
      signal->mutable_waiting_since()->set_seconds(kMonday - i * 86'400);
      signal->mutable_term()->set_seconds(7 * 86'400);
      signal->set_dead_letter(i == 1);
    }
  }
  void SetTotals(int table, const std::vector<uint32_t>& totals) {
    for (int i = 0; i < 5; ++i) {
      broker_->flow.mutable_tables(table)->set_totals(i, totals[static_cast<size_t>(i)]);
    }
  }
  Ran Run(const std::string& language, std::vector<std::string> args) {
    args.insert(args.begin(), {"--language", language});
    return landlord_.Run(args);
  }
};

TEST_F(FlowVerbs, ShowTheChainOnOneScreen) {
  const Ran ran = Run("en", {"flow", "show"});
  ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_LE(Lines(ran.out).size(), 40u) << ran.out;
  EXPECT_THAT(ran.out, HasSubstr("until 2026-11-22"));
  for (const char* said : {"Sent", "Waiting at the end", "Stalled", "Refused by a recipient",
                           "10 to 49 persons wait", "fewer than 10 beyond the term"}) {
    EXPECT_THAT(ran.out, HasSubstr(said));
  }
  const auto lines = Lines(ran.out);
  const auto sent = std::find_if(lines.begin(), lines.end(),
                                 [](const auto& line) { return line.starts_with("Sent"); });
  ASSERT_NE(sent, lines.end());
  // The last week, and the four before: 112.5 rounded as figures are.
  EXPECT_EQ(Numbers(*sent)[0], "120");
  EXPECT_EQ(Numbers(*sent)[1], "115");
  // One of the four is left out: the rest would be a guess.
  const auto waiting = std::find_if(lines.begin(), lines.end(), [](const auto& line) {
    return line.starts_with("Waiting at the end");
  });
  ASSERT_NE(waiting, lines.end());
  EXPECT_EQ(Numbers(*waiting)[0], "35");
  EXPECT_THAT(*waiting, HasSubstr("-"));
}

TEST_F(FlowVerbs, SayWhereItWaitsLongestFirst) {
  const Ran ran = Run("en", {"flow", "show"});
  const size_t dordrecht = ran.out.find("Dordrecht");
  const size_t papendrecht = ran.out.find("Papendrecht");
  ASSERT_NE(dordrecht, std::string::npos) << ran.out;
  ASSERT_NE(papendrecht, std::string::npos) << ran.out;
  EXPECT_LT(dordrecht, papendrecht) << "25 before 15";
  EXPECT_THAT(ran.out, HasSubstr("Rent arrears"));
}

TEST_F(FlowVerbs, SayInWordsWhatIsLeftOutAndWhy) {
  const Ran en = Run("en", {"flow", "show"});
  EXPECT_THAT(en.out,
              HasSubstr("Refused by a recipient: shown by quarter, for the whole region, by "
                        "pair of sectors, since more than a fifth"));
  EXPECT_THAT(en.out, HasSubstr("Stalled: waiting beyond the term: more than a fifth is left out"));
  EXPECT_THAT(en.out, HasSubstr("closed weeks only"));
  EXPECT_THAT(en.out, HasSubstr("fewer than 10 persons, or none"));
  EXPECT_THAT(en.out, HasSubstr("without a pseudonym"));
  const Ran nl = Run("nl", {"flow", "show"});
  EXPECT_THAT(nl.out, HasSubstr("Teruggestuurd door een ontvanger: getoond per kwartaal, voor de "
                                "hele regio, per paar sectoren, omdat anders meer dan een vijfde"));
  EXPECT_THAT(nl.out, HasSubstr("afgesloten weken"));
}

TEST_F(FlowVerbs, SayTheSameInBothLanguages) {
  for (const auto& args : std::vector<std::vector<std::string>>{{"flow", "show"},
                                                                {"flow", "show", "--rows"},
                                                                {"flow", "show", "-o", "csv"},
                                                                {"flow", "stalled"},
                                                                {"flow", "stalled", "-o", "csv"},
                                                                {"flow", "remind", "ZHZ-7F31"}}) {
    const Ran en = Run("en", args);
    const Ran nl = Run("nl", args);
    EXPECT_EQ(en.code, ExitCode::kOk) << en.err;
    EXPECT_EQ(nl.code, ExitCode::kOk) << nl.err;
    EXPECT_EQ(Numbers(en.out), Numbers(nl.out)) << en.out << nl.out;
    EXPECT_EQ(Lines(en.out).size(), Lines(nl.out).size()) << en.out << nl.out;
    EXPECT_NE(en.out, nl.out);
  }
  // For scripts there is one language.
  EXPECT_EQ(Run("en", {"flow", "show", "-o", "json"}).out,
            Run("nl", {"flow", "show", "-o", "json"}).out);
}

TEST_F(FlowVerbs, GiveEachCellToASpreadsheet) {
  const Ran ran = Run("nl", {"flow", "show", "-o", "csv"});
  ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
  const auto lines = Lines(ran.out);
  EXPECT_EQ(lines[0],
            "\xEF\xBB\xBF"
            "PERSONEN;PER;VANAF;TOT;GEBIED;SIGNALEN;AANTAL\r");
  EXPECT_EQ(lines[1], "Verstuurd;week;2026-11-16;2026-11-22;alle;alle;120\r");
  // Five measures of five weeks, and the rows of one.
  EXPECT_EQ(lines.size(), 1 + 5 * 5 + 2 * 5u);
  EXPECT_THAT(ran.out, HasSubstr("2026-11-16;2026-11-22;Dordrecht;Schulden;25\r"));
  EXPECT_THAT(ran.out, HasSubstr("2026-11-09;2026-11-15;Dordrecht;Schulden;\r")) << "left out";
}

TEST_F(FlowVerbs, ListWhoMustActTheLongestWaitingFirst) {
  const Ran ran = Run("en", {"flow", "stalled"});
  ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
  const auto lines = Lines(ran.out);
  ASSERT_EQ(lines.size(), 4u) << ran.out;
  EXPECT_THAT(lines[1], HasSubstr("ZHZ-7F32"));
  EXPECT_THAT(lines[1], HasSubstr("Rent arrears"));
  EXPECT_THAT(lines[1], HasSubstr("Schuldhulp; Dordrecht"));
  EXPECT_THAT(lines[1], HasSubstr("2026-11-14"));
  EXPECT_THAT(lines[1], HasSubstr("7d"));
  EXPECT_THAT(lines[2], HasSubstr("undeliverable"));
  EXPECT_THAT(lines[3], HasSubstr("ZHZ-7F30"));
}

TEST_F(FlowVerbs, ListForASpreadsheetWithoutAFormula) {
  const Ran ran = Run("nl", {"flow", "stalled", "-o", "csv"});
  EXPECT_THAT(ran.out, HasSubstr(";\"Schuldhulp; Dordrecht\";"));
  EXPECT_THAT(ran.out, HasSubstr(";\"'=aanspreekpunt, 078 000 0000\";"));
}

TEST_F(FlowVerbs, SayWhenNothingStalls) {
  broker_->stalled.Clear();
  const Ran ran = Run("en", {"flow", "stalled"});
  EXPECT_EQ(ran.code, ExitCode::kOk);
  EXPECT_THAT(ran.err, HasSubstr("Nothing waits"));
}

TEST_F(FlowVerbs, RemindByAlias) {
  const Ran ran = Run("en", {"flow", "remind", "zhz-7f31"});
  ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_EQ(broker_->reminded, std::vector<std::string>{"zhz-7f31"});
  EXPECT_THAT(ran.out, HasSubstr("Organisations reminded: 2."));
  EXPECT_EQ(Run("en", {"flow", "remind"}).code, ExitCode::kUsage);
}

TEST_F(FlowVerbs, ShowTheAliasToItsSender) {
  auto* signal = broker_->signals.add_signals();
  signal->set_signal_id(sdk::NewRequestId().str());
  signal->set_signal_type("rent-arrears");
  signal->set_alias("ZHZ-7F3K");
  const Ran ran = Run("en", {"signal", "list"});
  EXPECT_THAT(ran.out, HasSubstr("ZHZ-7F3K"));
}

TEST_F(FlowVerbs, ShowAReminderToItsRecipientWithoutWhatItDoesNotSay) {
  v1::Delivery delivery;
  delivery.set_delivery_id(sdk::NewRequestId().str());
  delivery.mutable_notice()->set_kind(v1::NOTICE_KIND_REMINDER);
  delivery.mutable_notice()->set_alias("ZHZ-7F3K");
  broker_->waiting.push_back(delivery);
  const Ran ran = relief_.Run({"inbox", "fetch"});
  EXPECT_THAT(ran.out, HasSubstr("reminder"));
  EXPECT_THAT(ran.out, HasSubstr("ZHZ-7F3K"));
  EXPECT_THAT(ran.out, Not(HasSubstr("Sender")));
}

}  // namespace
}  // namespace schakel::cli
