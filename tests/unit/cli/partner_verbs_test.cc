// What a partner does all day: the feed of outcomes, a household, tables for a spreadsheet, codes.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "tests/unit/cli/broker_verbs.h"
#include "tests/unit/sdk/fake_log.h"

namespace schakel::cli {
namespace {

using nlohmann::json;

// ---- The feed ----

v1::OutcomeEvent Event(v1::RecipientState state) {
  v1::OutcomeEvent event;
  event.set_signal_id(sdk::NewRequestId().str());
  event.mutable_outcome()->set_recipient(sdk::kDebtRelief.str());
  event.mutable_outcome()->set_state(state);
  return event;
}

TEST_F(BrokerVerbs, OutcomesGoOnAfterACursor) {
  for (int i = 0; i < 5; ++i) broker_->events.push_back(Event(v1::RECIPIENT_STATE_DELIVERED));
  const Ran first = landlord_.Run({"signal", "outcomes", "--limit", "2", "-o", "jsonl"});
  EXPECT_EQ(std::count(first.out.begin(), first.out.end(), '\n'), 2);
  EXPECT_NE(first.err.find("There is more"), std::string::npos) << first.err;
  const std::string last = first.out.substr(first.out.find('\n') + 1);
  const std::string cursor = json::parse(last)["cursor"];
  EXPECT_NE(first.err.find("--after " + cursor), std::string::npos) << first.err;
  const Ran rest = landlord_.Run({"signal", "outcomes", "--after", cursor, "-o", "jsonl"});
  EXPECT_EQ(std::count(rest.out.begin(), rest.out.end(), '\n'), 3) << rest.out;
  EXPECT_EQ(rest.err.find("There is more"), std::string::npos) << rest.err;
}

TEST_F(BrokerVerbs, OutcomesAreFollowedAsTheyCome) {
  broker_->events.push_back(Event(v1::RECIPIENT_STATE_QUEUED));
  broker_->outcomes_down = 2;  // a broker that is busy for a moment ends no feed
  std::thread later([&] {
    // The second event comes only after the first was asked for.
    while (true) {
      {
        const std::lock_guard lock(broker_->mutex);
        if (broker_->outcomes_down == 0) {
          broker_->events.push_back(Event(v1::RECIPIENT_STATE_DELIVERED));
          broker_->events.push_back(Event(v1::RECIPIENT_STATE_ACKNOWLEDGED));
          return;
        }
      }
      std::this_thread::yield();
    }
  });
  const Ran ran = landlord_.Run(
      {"signal", "outcomes", "--follow", "--limit", "3", "--every", "50ms", "-o", "jsonl"});
  later.join();
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  std::istringstream lines(ran.out);
  std::vector<std::string> states;
  for (std::string line; std::getline(lines, line);) {
    states.push_back(json::parse(line)["outcome"]["state"]);
  }
  EXPECT_EQ(states, (std::vector<std::string>{"RECIPIENT_STATE_QUEUED", "RECIPIENT_STATE_DELIVERED",
                                              "RECIPIENT_STATE_ACKNOWLEDGED"}));
  EXPECT_NE(ran.err.find("--after"), std::string::npos) << ran.err;
  const Ran table = landlord_.Run({"signal", "outcomes", "--follow", "--limit", "1"});
  EXPECT_EQ(std::count(table.out.begin(), table.out.end(), '\n'), 1) << table.out;
  EXPECT_NE(table.out.find("waiting"), std::string::npos) << table.out;
  EXPECT_EQ(landlord_.Run({"signal", "outcomes", "--follow", "-o", "json"}).code, ExitCode::kUsage);
}

// ---- Tables for spreadsheets ----

TEST_F(BrokerVerbs, AnAuditQueryAsCsvOpensInASpreadsheet) {
  v1::Record record;
  record.set_index(7);
  record.set_kind(v1::RECORD_KIND_PUBLISH);
  record.set_organisation(sdk::kLandlord.str());
  record.set_actor("=HYPERLINK(\"x\"), \"quoted\"");
  record.set_outcome(v1::OUTCOME_PERMITTED);
  auto* shown = broker_->records.add_records();
  shown->set_index(7);
  shown->set_record(record.SerializeAsString());
  broker_->records.set_scope("region");
  landlord_.variables["SCHAKEL_LOG_KEY"] = sdk::LogVerifier().Encode();
  const Ran ran = landlord_.Run({"audit", "query", "-o", "csv"});
  ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
  std::istringstream lines(ran.out);
  std::string header;
  std::string row;
  std::getline(lines, header);
  std::getline(lines, row);
  while (!header.empty() && header.back() == '\r') header.pop_back();
  EXPECT_EQ(header.substr(0, 3), "\xEF\xBB\xBF");
  EXPECT_EQ(header.substr(3),
            "INDEX,TIME,KIND,ORGANISATION,ACTOR,CONTACT,TYPE,SECTIONS,OUTCOME,SIGNAL");
  EXPECT_EQ(row.substr(0, 3), "7,,") << row;
  EXPECT_NE(row.find("\"'=HYPERLINK(\"\"x\"\"), \"\"quoted\"\"\""), std::string::npos)
      << "no formula, and quoted: " << row;
  EXPECT_NE(row.find("signal sent"), std::string::npos) << "words, no codes: " << row;
  EXPECT_EQ(ran.out.find("Scope"), std::string::npos) << "data on stdout, all else on stderr";
}

// ---- Codes ----

TEST_F(BrokerVerbs, ThePolicyTellsWhichCodesGoTogether) {
  const json codes = json::parse(landlord_.Run({"policy", "show", "--codes", "-o", "json"}).out);
  const auto find = [&](const std::string& code) {
    for (const auto& each : codes) {
      if (each["code"] == code) return each;
    }
    return json();
  };
  EXPECT_EQ(find("rent-arrears")["kind"], "signal-type");
  EXPECT_NE(find("rent-arrears").dump().find("prevent-eviction"), std::string::npos);
  EXPECT_NE(find("wgs-debt")["article"], "");
  EXPECT_EQ(find("debt-relief@dordrecht")["oin"], sdk::kDebtRelief.str());
  const Ran schema = landlord_.Run({"policy", "show", "--schema", "rent-arrears:finances"});
  EXPECT_EQ(schema.code, ExitCode::kOk) << schema.err;
  EXPECT_TRUE(json::parse(schema.out)["properties"].contains("months_in_arrears")) << schema.out;
  EXPECT_EQ(landlord_.Run({"policy", "show", "--schema", "rent-arrears:gossip"}).code,
            ExitCode::kNotFound);
  const Ran table = landlord_.Run({"policy", "show", "--codes", "--language", "nl"});
  EXPECT_NE(table.out.find("doelen: prevent-eviction"), std::string::npos) << table.out;
}

// ---- Households ----

TEST_F(BrokerVerbs, AHouseholdsSectionsAreAboutWhoTheySay) {
  crypto::WriteText(landlord_.home.path() / "second.json",
                    R"({"family_name":"Twee","birth_date":"1982-02-02"})");
  const std::string home = landlord_.home.path().string();
  const Ran sent = landlord_.Run(
      {"signal", "send", "--type", "rent-arrears", "--purpose", "prevent-eviction", "--ground",
       "wgs-debt", "--to-function", "debt-relief@Dordrecht", "--subject-unlinked",
       "--subject-unlinked", "--section", "finances:1,2=@" + home + "/arrears.json", "--identity:1",
       "@" + home + "/person.json", "--identity:2=@" + home + "/second.json"});
  ASSERT_EQ(sent.code, ExitCode::kOk) << sent.err;
  Deliver();
  const json item = json::parse(relief_.Run({"inbox", "fetch", "-o", "json"}).out)[0];
  std::map<std::string, json> labels;  // by category, or name in an identity
  for (const auto& section : item["sections"]) {
    const bool identity = section["category"] == "identity";
    labels[identity ? section["content"]["family_name"] : section["category"]] =
        section["subjects"];
  }
  ASSERT_EQ(labels.size(), 3u) << item;
  EXPECT_EQ(labels["finances"].size(), 2u);
  EXPECT_EQ(labels["Een"].size(), 1u);
  EXPECT_EQ(labels["Twee"].size(), 1u);
  EXPECT_NE(labels["Een"], labels["Twee"]);
  const std::set<std::string> both = labels["finances"].get<std::set<std::string>>();
  EXPECT_TRUE(both.contains(labels["Een"][0].get<std::string>()));
  EXPECT_TRUE(both.contains(labels["Twee"][0].get<std::string>()));
  const Ran wrong =
      landlord_.Run({"signal", "send", "--type", "rent-arrears", "--purpose", "prevent-eviction",
                     "--ground", "wgs-debt", "--to-function", "debt-relief@Dordrecht",
                     "--subject-unlinked", "--section", "finances:1,3=@" + home + "/arrears.json"});
  EXPECT_EQ(wrong.code, ExitCode::kData) << "there is no third subject: " << wrong.err;
  // An identity is about one person: with two it must say whom.
  const Ran vague = landlord_.Run(
      {"signal", "send", "--type", "rent-arrears", "--purpose", "prevent-eviction", "--ground",
       "wgs-debt", "--to-function", "debt-relief@Dordrecht", "--subject-unlinked",
       "--subject-unlinked", "--section", "finances=@" + home + "/arrears.json", "--identity",
       "@" + home + "/person.json"});
  EXPECT_EQ(vague.code, ExitCode::kUsage) << vague.err;
  EXPECT_NE(vague.err.find("--identity:1"), std::string::npos) << vague.err;
}

}  // namespace
}  // namespace schakel::cli
