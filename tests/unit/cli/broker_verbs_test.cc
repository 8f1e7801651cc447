// Sending and receiving through the command line, towards a made-up broker: what is shown, which
// exit code comes out, and what the outbox does for --key and resend.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "clients/sdk/files.h"
#include "tests/unit/cli/broker_verbs.h"

namespace schakel::cli {
namespace {

using nlohmann::json;

TEST_F(BrokerVerbs, ShowTheActiveBundlesMatrix) {
  const std::vector<std::string> asked = {"policy",       "matrix", "--type",
                                          "rent-arrears", "-o",     "json"};
  const Ran ran = landlord_.Run(asked);
  ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
  const json rows = json::parse(ran.out);
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(rows[0]["rule"], "arrears-to-debt-relief");
}

TEST_F(BrokerVerbs, SendShowsWhatBecameOfItPerRecipient) {
  const Ran ran = landlord_.Run(Send());
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_EQ(ran.out.substr(0, 8), "Signal: ");
  EXPECT_NE(ran.out.find("Test 00000099000000002000  waiting  Finances"), std::string::npos)
      << ran.out;
  const Ran dutch = landlord_.Run(Send({"--language", "nl"}));
  EXPECT_NE(dutch.out.find("wacht  Financiën"), std::string::npos) << dutch.out;
}

TEST_F(BrokerVerbs, SendEndsWithOneWhenARecipientWasDenied) {
  broker_->denied = {sdk::kDebtRelief.str()};
  const Ran ran = landlord_.Run(Send());
  EXPECT_EQ(ran.code, ExitCode::kNegative);
  EXPECT_NE(ran.out.find("denied"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("no rule permits it"), std::string::npos) << ran.out;
}

TEST_F(BrokerVerbs, SendAsJsonIsTheAnswerItself) {
  const json answer = json::parse(landlord_.Run(Send({"-o", "json"})).out);
  EXPECT_EQ(answer["accepted"]["outcomes"][0]["state"], "RECIPIENT_STATE_QUEUED");
  const Ran line = landlord_.Run(Send({"-o", "jsonl"}));
  EXPECT_EQ(std::count(line.out.begin(), line.out.end(), '\n'), 1);
}

TEST_F(BrokerVerbs, TheSameKeyGivesTheFirstAnswerAlsoWithoutABroker) {
  const Ran first = landlord_.Run(Send({"--key", "RENT-1", "-o", "json"}));
  ASSERT_EQ(first.code, ExitCode::kOk) << first.err;
  broker_->Stop();
  const Ran again = landlord_.Run(Send({"--key", "RENT-1", "-o", "json"}));
  EXPECT_EQ(again.code, ExitCode::kOk) << again.err;
  EXPECT_EQ(again.out, first.out);
  EXPECT_NE(again.err.find("was answered before; nothing was sent"), std::string::npos);
  const Ran table = landlord_.Run(Send({"--key", "RENT-1"}));
  EXPECT_NE(table.out.find("00000099000000002000  waiting  finances"), std::string::npos)
      << "codes where names can't be had: " << table.out;
  EXPECT_EQ(broker_->published.size(), 1u);
}

TEST_F(BrokerVerbs, ADenialStaysOneUnderItsKey) {
  broker_->denied = {sdk::kDebtRelief.str()};
  EXPECT_EQ(landlord_.Run(Send({"--key", "RENT-1"})).code, ExitCode::kNegative);
  broker_->denied.clear();
  EXPECT_EQ(landlord_.Run(Send({"--key", "RENT-1"})).code, ExitCode::kNegative);
  EXPECT_EQ(broker_->published.size(), 1u);
}

TEST_F(BrokerVerbs, AKeyIsRefusedForOtherInput) {
  ASSERT_EQ(landlord_.Run(Send({"--key", "RENT-1"})).code, ExitCode::kOk);
  const Ran other = landlord_.Run(Send({"--key", "RENT-1", "--expires", "20d"}));
  EXPECT_EQ(other.code, ExitCode::kData);
  EXPECT_NE(other.err.find("KEY_REUSED"), std::string::npos) << other.err;
  EXPECT_EQ(broker_->published.size(), 1u);
}

TEST_F(BrokerVerbs, WhatWasNotAnsweredWaitsAndIsResentAsTheSameBytes) {
  // The address refuses the publication only: composing needs directory and policy, so the first
  // run goes to a broker that answers, and its entry is put back to the moment before.
  const Ran first = landlord_.Run(Send({"--key", "RENT-1", "-o", "json"}));
  ASSERT_EQ(first.code, ExitCode::kOk) << first.err;
  const auto folder = landlord_.home.path() / "state" / "schakel" / "default" / "outbox";
  auto outbox = sdk::Outbox::Open(folder);
  ASSERT_TRUE(outbox.ok());
  auto entries = outbox->List();
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 1u);
  client::v1::OutboxEntry entry = entries->front();
  entry.set_state(client::v1::OUTBOX_STATE_PREPARED);
  entry.set_envelope(broker_->published.front());
  entry.clear_answer();
  const std::string id = UuidText(entry.signal_id());
  ASSERT_TRUE(sdk::WriteFileDurably(folder / id, entry.SerializeAsString()).ok());

  const Ran listed = landlord_.Run({"signal", "list", "--outbox"});
  EXPECT_NE(listed.out.find("to be sent"), std::string::npos) << listed.out;
  broker_->Stop();
  const Ran down = landlord_.Run({"signal", "resend", id, "--timeout", "300ms"});
  EXPECT_TRUE(down.code == ExitCode::kUnavailable || down.code == ExitCode::kTryLater) << down.err;
  EXPECT_NE(down.err.find(id), std::string::npos) << down.err;
  broker_->Start();
  const Ran resent = landlord_.Run({"signal", "resend", id, "-o", "json"});
  EXPECT_EQ(resent.code, ExitCode::kOk) << resent.err;
  ASSERT_EQ(broker_->published.size(), 2u);
  EXPECT_EQ(broker_->published[0], broker_->published[1]);
  EXPECT_EQ(landlord_.Run(Send({"--key", "RENT-1", "-o", "json"})).out, resent.out);
  EXPECT_EQ(broker_->published.size(), 2u);
}

TEST_F(BrokerVerbs, ADryRunSendsNothing) {
  const Ran ran = landlord_.Run(Send({"--dry-run", "--to", sdk::kPolice.str(), "-o", "json"}));
  EXPECT_EQ(ran.code, ExitCode::kNegative) << "the police could read nothing: " << ran.err;
  const json plan = json::parse(ran.out);
  ASSERT_EQ(plan.size(), 2u);
  for (const auto& recipient : plan) {
    const bool police = recipient["recipient"] == sdk::kPolice.str();
    EXPECT_EQ(recipient["sections"][0]["sealed"], !police) << recipient;
  }
  EXPECT_TRUE(broker_->published.empty());
}

TEST_F(BrokerVerbs, ContentThatDoesNotMeetItsSchemaIsNotSentNorRepeated) {
  crypto::WriteText(landlord_.home.path() / "arrears.json", R"({"gossip":"very secret"})");
  const Ran ran = landlord_.Run(Send());
  EXPECT_EQ(ran.code, ExitCode::kData) << ran.err;
  EXPECT_NE(ran.err.find("CONTENT_INVALID"), std::string::npos) << ran.err;
  EXPECT_EQ((ran.out + ran.err).find("very secret"), std::string::npos);
  EXPECT_TRUE(broker_->published.empty());
}

TEST_F(BrokerVerbs, ListsNeverEndEarlyInSilence) {
  for (int i = 0; i < 5; ++i) {
    auto* signal = broker_->signals.add_signals();
    signal->set_signal_id(sdk::NewRequestId().str());
    signal->set_signal_type("rent-arrears");
    signal->add_outcomes()->set_state(v1::RECIPIENT_STATE_QUEUED);
  }
  const Ran all = landlord_.Run({"signal", "list", "-o", "jsonl"});
  EXPECT_EQ(std::count(all.out.begin(), all.out.end(), '\n'), 5);
  EXPECT_EQ(all.err, "");
  const Ran some = landlord_.Run({"signal", "list", "--limit", "3", "-o", "jsonl"});
  EXPECT_EQ(std::count(some.out.begin(), some.out.end(), '\n'), 3);
  EXPECT_NE(some.err.find("There is more"), std::string::npos);
  const Ran table = landlord_.Run({"signal", "list"});
  EXPECT_NE(table.out.find("Rent arrears"), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("1 waiting"), std::string::npos) << table.out;
}

TEST_F(BrokerVerbs, FetchOpensAndShowsWhatMayBeRead) {
  ASSERT_EQ(landlord_.Run(Send()).code, ExitCode::kOk);
  Deliver();
  const Ran ran = relief_.Run({"inbox", "fetch", "-o", "json"});
  ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
  const json item = json::parse(ran.out)[0];
  EXPECT_EQ(item["sender"], sdk::kLandlord.str());
  EXPECT_EQ(item["type"], "rent-arrears");
  ASSERT_EQ(item["sections"].size(), 2u);
  for (const auto& section : item["sections"]) {
    if (section["category"] == "finances") {
      EXPECT_EQ(section["content"]["months_in_arrears"], 3);
    } else {
      EXPECT_EQ(section["content"]["family_name"], "Een");
    }
  }
  const Ran table = relief_.Run({"inbox", "fetch"});
  EXPECT_NE(table.out.find("Type: Rent arrears"), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("Subject 1: label "), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("\"amount_cents\": 210000"), std::string::npos) << table.out;
}

TEST_F(BrokerVerbs, FetchWritesAFolderPerSignal) {
  ASSERT_EQ(landlord_.Run(Send()).code, ExitCode::kOk);
  Deliver();
  const auto folder = relief_.home.path() / "signals";
  const Ran ran = relief_.Run({"inbox", "fetch", "--out", folder.string(), "-o", "json"});
  ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
  const std::string id = json::parse(ran.out)[0]["signalId"];
  const json signal = json::parse(crypto::ReadText(folder / id / "signal.json"));
  EXPECT_EQ(signal["signalId"], id);
  for (const auto& section : signal["sections"]) {
    EXPECT_FALSE(section.contains("content"));
    const auto file = folder / id / section["file"].get<std::string>();
    EXPECT_TRUE(json::accept(crypto::ReadText(file)));
    EXPECT_EQ(std::filesystem::status(file).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
}

TEST_F(BrokerVerbs, AFalseDeliveryIsNotShownAndHidesNoOther) {
  ASSERT_EQ(landlord_.Run(Send()).code, ExitCode::kOk);
  Deliver();
  Deliver();
  auto* section = broker_->waiting[0].mutable_signal()->mutable_sections(0);
  (*section->mutable_ciphertext())[100] ^= 1;
  const Ran ran = relief_.Run({"inbox", "fetch", "-o", "jsonl"});
  EXPECT_EQ(ran.code, ExitCode::kNegative);
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 1) << ran.out;
  EXPECT_NE(ran.err.find("OPEN_FAILED"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("schakel inbox refuse"), std::string::npos) << ran.err;
}

TEST_F(BrokerVerbs, WatchRunsAProgramPerSignalAndAcknowledges) {
  ASSERT_EQ(landlord_.Run(Send()).code, ExitCode::kOk);
  Deliver();
  const auto seen = relief_.home.path() / "seen";
  const Ran ran = relief_.Run({"inbox", "watch", "--until-idle", "--exec",
                               "test -f signal.json && cat *-finances.json > " + seen.string() +
                                   " && echo $SCHAKEL_SENDER >> " + seen.string()});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_EQ(crypto::ReadText(seen),
            R"({"months_in_arrears":3,"amount_cents":210000})" + sdk::kLandlord.str() + "\n");
  EXPECT_EQ(broker_->acknowledged, std::vector{broker_->waiting[0].delivery_id()});
  EXPECT_TRUE(broker_->released.empty());
}

TEST_F(BrokerVerbs, WatchGivesBackWhatTheProgramDoesNotTake) {
  ASSERT_EQ(landlord_.Run(Send()).code, ExitCode::kOk);
  Deliver();
  const Ran ran = relief_.Run({"inbox", "watch", "--until-idle", "--exec", "exit 3"});
  EXPECT_EQ(ran.code, ExitCode::kNegative) << ran.err;
  EXPECT_TRUE(broker_->acknowledged.empty());
  EXPECT_EQ(broker_->released.size(), 2u) << "once more before it gives up";
  EXPECT_NE(ran.err.find("The program ended with 3"), std::string::npos) << ran.err;
}

TEST_F(BrokerVerbs, WatchHandsOverNoticesToo) {
  v1::Delivery delivery;
  delivery.set_delivery_id(sdk::NewRequestId().str());
  auto* notice = delivery.mutable_notice();
  notice->set_kind(v1::NOTICE_KIND_CONSENT_WITHDRAWN);
  notice->set_signal_id(sdk::NewRequestId().str());
  notice->set_sender(sdk::kLandlord.str());
  broker_->waiting.push_back(delivery);
  const auto seen = relief_.home.path() / "seen";
  const auto folder = relief_.home.path() / "signals";
  const Ran ran = relief_.Run({"inbox", "watch", "--until-idle", "--out", folder.string(), "--exec",
                               "test -f notice.json && test ! -f signal.json && "
                               "test \"$SCHAKEL_NOTICE\" = 1 && echo $SCHAKEL_DELIVERY_ID > " +
                                   seen.string()});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_EQ(crypto::ReadText(seen), UuidText(delivery.delivery_id()) + "\n");
  EXPECT_EQ(broker_->acknowledged, std::vector{delivery.delivery_id()});
  const auto kept = folder / ("notice-" + UuidText(delivery.delivery_id())) / "notice.json";
  EXPECT_EQ(json::parse(crypto::ReadText(kept))["notice"]["kind"], "consent-withdrawn");
}

TEST_F(BrokerVerbs, WatchKeepsWhatItWroteWhenTheProgramFails) {
  ASSERT_EQ(landlord_.Run(Send()).code, ExitCode::kOk);
  Deliver();
  const auto folder = relief_.home.path() / "signals";
  EXPECT_EQ(
      relief_.Run({"inbox", "watch", "--until-idle", "--out", folder.string(), "--exec", "exit 3"})
          .code,
      ExitCode::kNegative);
  EXPECT_TRUE(broker_->acknowledged.empty());
  // The next run finds the folder of the last one, whole, and takes the item.
  const Ran again = relief_.Run({"inbox", "watch", "--until-idle", "--out", folder.string(),
                                 "--exec", "test -f signal.json"});
  EXPECT_EQ(again.code, ExitCode::kOk) << again.err;
  EXPECT_EQ(broker_->acknowledged.size(), 1u);
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
    EXPECT_EQ(each.path().string().find(".tmp-"), std::string::npos) << each.path();
  }
}

TEST_F(BrokerVerbs, AcknowledgeTakesTheIdThatFetchShowed) {
  ASSERT_EQ(landlord_.Run(Send()).code, ExitCode::kOk);
  Deliver();
  const std::string id = broker_->waiting[0].delivery_id();
  EXPECT_EQ(relief_.Run({"inbox", "ack", UuidText(id)}).code, ExitCode::kOk);
  EXPECT_EQ(broker_->acknowledged, std::vector{id});
}

TEST_F(BrokerVerbs, ABrokerThatIsDownIsUnavailable) {
  broker_->Stop();
  const Ran ran = landlord_.Run({"signal", "list", "--timeout", "300ms", "--language", "nl"});
  EXPECT_TRUE(ran.code == ExitCode::kUnavailable || ran.code == ExitCode::kTryLater) << ran.err;
  EXPECT_EQ(ran.out, "");
}

}  // namespace
}  // namespace schakel::cli
