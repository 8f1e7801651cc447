// What came of a signal: reporting it, reading it, and the loopback, towards a made-up broker.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/cli/broker_verbs.h"
#include "tests/unit/sdk/fake_server.h"

namespace schakel::cli {
namespace {

using nlohmann::json;

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// ---- inbox report ----

TEST_F(BrokerVerbs, ReportSendsTheCodeAndShowsItsName) {
  const std::string id = sdk::NewRequestId().str();
  const Ran ran = relief_.Run({"inbox", "report", UuidText(id), "--code", "help-offered"});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_TRUE(Has(ran.err, "Reported: Help offered")) << ran.err;
  ASSERT_EQ(broker_->reported.size(), 1u);
  EXPECT_EQ(broker_->reported[0].delivery_id(), id);
  EXPECT_EQ(broker_->reported[0].code(), "help-offered");
  EXPECT_EQ(broker_->reported[0].request_id().size(), 16u);
  const Ran dutch =
      relief_.Run({"inbox", "report", UuidText(id), "--code", "help-offered", "--language", "nl"});
  EXPECT_TRUE(Has(dutch.err, "Gemeld: Hulp aangeboden")) << dutch.err;
  EXPECT_NE(broker_->reported[1].request_id(), broker_->reported[0].request_id());
  const Ran answer =
      relief_.Run({"inbox", "report", UuidText(id), "--code", "taken-up", "-o", "json"});
  EXPECT_EQ(json::parse(answer.out)["receipt"]["index"], "7") << answer.out;
}

TEST_F(BrokerVerbs, ReportTakesARequestIdForARetry) {
  const std::string request = UuidText(sdk::NewRequestId().str());
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(relief_
                  .Run({"inbox", "report", UuidText(sdk::NewRequestId().str()), "--code",
                        "taken-up", "--request-id", request})
                  .code,
              ExitCode::kOk);
  }
  EXPECT_EQ(UuidText(broker_->reported[0].request_id()), request);
  EXPECT_EQ(broker_->reported[0].request_id(), broker_->reported[1].request_id());
}

TEST_F(BrokerVerbs, ReportWantsACodeAndSaysWhereTheyAre) {
  const std::string id = UuidText(sdk::NewRequestId().str());
  EXPECT_EQ(relief_.Run({"inbox", "report", id}).code, ExitCode::kUsage);
  EXPECT_TRUE(broker_->reported.empty());
  broker_->report_status =
      sdk::Refused(grpc::StatusCode::INVALID_ARGUMENT, "UNKNOWN_CODE", 0, "code");
  const Ran ran = relief_.Run({"inbox", "report", id, "--code", "moved-to-spain"});
  EXPECT_EQ(ran.code, ExitCode::kData) << ran.err;
  EXPECT_TRUE(Has(ran.err, "schakel policy show --codes")) << ran.err;
  EXPECT_TRUE(Has(relief_.Run({"inbox", "report", "--help"}).out, "policy show --codes"));
}

// ---- Which codes there are ----

TEST_F(BrokerVerbs, ThePolicyTellsWhichOutcomesATypeHas) {
  const json codes = json::parse(landlord_.Run({"policy", "show", "--codes", "-o", "json"}).out);
  const auto find = [&](const std::string& code) {
    for (const auto& each : codes) {
      if (each["code"] == code) return each;
    }
    return json();
  };
  EXPECT_EQ(find("test-signal")["outcomes"], json::array({"test-received"}));
  EXPECT_EQ(find("test-received")["kind"], "outcome");
  EXPECT_EQ(find("test-received")["name"], "Test received");
  EXPECT_EQ(find("test-received")["signalTypes"], json::array({"test-signal", "test-answer"}));
  EXPECT_GT(find("taken-up")["signalTypes"].size(), 20u);
  const Ran table = landlord_.Run({"policy", "show", "--codes", "--language", "nl"});
  EXPECT_TRUE(Has(table.out, "uitkomst")) << table.out;
}

TEST_F(BrokerVerbs, FetchTellsWhatMayBeReported) {
  ASSERT_EQ(landlord_.Run(Send()).code, ExitCode::kOk);
  Deliver();
  const json item = json::parse(relief_.Run({"inbox", "fetch", "-o", "json"}).out)[0];
  EXPECT_EQ(item["outcomes"][0], "taken-up");
  EXPECT_EQ(item["outcomes"].size(), 7u) << item["outcomes"];
  const Ran shown = relief_.Run({"inbox", "fetch"});
  EXPECT_TRUE(Has(shown.out, "Outcomes to report: taken-up, help-offered")) << shown.out;
}

// ---- What the sender sees ----

TEST_F(BrokerVerbs, OutcomesTellWhatWasReportedAndWhen) {
  v1::OutcomeEvent event;
  event.set_signal_id(sdk::NewRequestId().str());
  auto* outcome = event.mutable_outcome();
  outcome->set_recipient(sdk::kDebtRelief.str());
  outcome->set_state(v1::RECIPIENT_STATE_ACKNOWLEDGED);
  outcome->mutable_changed()->set_seconds(1'700'000'000);
  broker_->events.push_back(event);
  outcome->set_reported_code("not-reachable");
  outcome->mutable_reported()->set_seconds(1'750'000'000);
  broker_->events.push_back(event);
  const Ran ran = landlord_.Run({"signal", "outcomes"});
  EXPECT_TRUE(Has(ran.out, "acknowledged: Not reached")) << ran.out;
  EXPECT_TRUE(Has(ran.out, "2025-06-15")) << "when it was reported: " << ran.out;
  const Ran followed = landlord_.Run(
      {"signal", "outcomes", "--follow", "--limit", "2", "--every", "50ms", "--language", "nl"});
  EXPECT_TRUE(Has(followed.out, "bevestigd: Niet bereikt")) << followed.out;
  const Ran line = landlord_.Run({"signal", "outcomes", "-o", "jsonl"});
  EXPECT_TRUE(Has(line.out, R"("reportedCode":"not-reachable")")) << line.out;
}

// ---- loopback run ----

// A tester and the loopback; nobody here may use the BSN.
class LoopbackVerbs : public BrokerVerbs {
 protected:
  LoopbackVerbs() {
    region_.Admit(loopback_oin_, "test", {"zuid-holland-zuid"}, false);
    Become(loopback_, loopback_oin_);
    crypto::WriteText(landlord_.home.path() / "test.json", R"({"test":true,"serial":4711})");
  }
  void SendTest() {
    const Ran sent = landlord_.Run(
        {"signal", "send", "--type", "test-signal", "--purpose", "test-connection", "--ground",
         "test-traffic", "--to-function", "loopback@zuid-holland-zuid", "--subject-unlinked",
         "--section", "daily-living=@" + (landlord_.home.path() / "test.json").string()});
    ASSERT_EQ(sent.code, ExitCode::kOk) << sent.err;
    DeliverToLoopback();
  }
  void DeliverToLoopback() {
    const std::lock_guard lock(broker_->mutex);
    v1::Delivery delivery;
    delivery.set_delivery_id(sdk::NewRequestId().str());
    delivery.set_attempt(1);
    *delivery.mutable_signal() = sdk::DeliverTo(loopback_oin_, broker_->published.back());
    broker_->waiting = {delivery};
  }
  Ran RunLoopback() { return loopback_.Run({"loopback", "run", "--until-idle"}); }
  static v1::Header HeaderOf(const std::string& published) {
    v1::Envelope envelope;
    v1::Header header;
    EXPECT_TRUE(envelope.ParseFromString(published) && header.ParseFromString(envelope.header()));
    return header;
  }

  const OrganisationId loopback_oin_ = *OrganisationId::From("00000099000000000099");
  User loopback_;
};

TEST_F(LoopbackVerbs, AnswersAcknowledgesAndReports) {
  SendTest();
  const Ran ran = RunLoopback();
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  ASSERT_EQ(broker_->published.size(), 2u);
  const auto answer = HeaderOf(broker_->published[1]);
  EXPECT_EQ(answer.signal_type(), "test-answer");
  EXPECT_EQ(answer.sender(), loopback_oin_.str());
  EXPECT_EQ(answer.follows(), HeaderOf(broker_->published[0]).signal_id());
  const std::string id = broker_->waiting[0].delivery_id();
  EXPECT_EQ(broker_->acknowledged, std::vector{id});
  ASSERT_EQ(broker_->reported.size(), 1u);
  EXPECT_EQ(broker_->reported[0].delivery_id(), id);
  EXPECT_EQ(broker_->reported[0].code(), "test-received");
  EXPECT_FALSE(Has(ran.out + ran.err, "4711")) << "no content in what it says: " << ran.err;
  // The same delivered again, since its acknowledgement was lost: no second answer.
  EXPECT_EQ(RunLoopback().code, ExitCode::kOk);
  EXPECT_EQ(broker_->published.size(), 2u);
  EXPECT_EQ(broker_->acknowledged.size(), 2u);
}

TEST_F(LoopbackVerbs, GivesBackWhatIsNoTest) {
  SendTest();
  const Ran ran = loopback_.Run({"loopback", "run", "--until-idle", "--type", "rent-arrears"});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  ASSERT_EQ(broker_->refused.size(), 1u);
  EXPECT_EQ(broker_->refused[0].delivery_id(), broker_->waiting[0].delivery_id());
  EXPECT_TRUE(broker_->acknowledged.empty());
  EXPECT_TRUE(broker_->reported.empty());
  EXPECT_EQ(broker_->published.size(), 1u) << "and it is not answered";
}

TEST_F(LoopbackVerbs, AcknowledgesAlsoWhereAnAnswerIsDenied) {
  SendTest();
  broker_->denied = {sdk::kLandlord.str()};
  const Ran ran = RunLoopback();
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_TRUE(Has(ran.err, "no answer could be sent")) << ran.err;
  EXPECT_TRUE(Has(ran.err, "NO_RULE")) << ran.err;
  EXPECT_EQ(broker_->acknowledged.size(), 1u);
  EXPECT_EQ(broker_->reported.size(), 1u);
}

TEST_F(LoopbackVerbs, AcknowledgesANotice) {
  v1::Delivery delivery;
  delivery.set_delivery_id(sdk::NewRequestId().str());
  delivery.mutable_notice()->set_kind(v1::NOTICE_KIND_REMINDER);
  broker_->waiting = {delivery};
  EXPECT_EQ(RunLoopback().code, ExitCode::kOk);
  EXPECT_EQ(broker_->acknowledged.size(), 1u);
  EXPECT_TRUE(broker_->reported.empty());
}

}  // namespace
}  // namespace schakel::cli
