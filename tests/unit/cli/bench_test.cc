// schakel bench: what it makes of its options, and what it measures without a broker.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "clients/cli/bench/bench_report.h"
#include "clients/cli/bench/flow_ledger.h"
#include "clients/cli/bench/outcome.h"
#include "clients/cli/bench/real_chain.h"
#include "tests/support/paths.h"
#include "tests/unit/cli/run.h"

namespace schakel::cli {
namespace {

using nlohmann::json;
using std::chrono::nanoseconds;

const std::string kBenchPolicy = checkout::SourcePath("policy/zuid-holland-zuid");

// ---- Percentiles ----

TEST(BenchLatencies, AreToldAsTheyLieAndNeverTooLow) {
  uint64_t state = 20260301;  // the seed
  std::vector<int64_t> values;
  bench::Latencies latencies;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    // From nanoseconds to minutes, so that every size of bucket is met.
    const auto value = static_cast<int64_t>((state >> 20) >> (state % 40));
    values.push_back(value);
    latencies.Add(nanoseconds(value));
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.0, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<size_t>(std::ceil(share * 20'000));
    const double exact = static_cast<double>(values[std::max<size_t>(rank, 1) - 1]) / 1000;
    EXPECT_GE(latencies.Micros(share), exact) << share;
    EXPECT_LE(latencies.Micros(share), exact * (1 + 1.0 / 128)) << share;
  }
  EXPECT_EQ(latencies.MaxMicros(), static_cast<double>(values.back()) / 1000);
}

TEST(BenchLatencies, OfSeveralThreadsAddUp) {
  bench::Latencies all;
  bench::Latencies slow;
  for (int i = 0; i < 99; ++i) all.Add(nanoseconds(100));
  slow.Add(std::chrono::hours(3));
  all.Append(slow);
  EXPECT_EQ(all.size(), 100u);
  EXPECT_EQ(all.Micros(0.99), 0.1);
  EXPECT_EQ(all.Micros(1), 3 * 3600e6);
  EXPECT_EQ(all.MaxMicros(), 3 * 3600e6);
}

TEST(BenchLatencies, AreWrittenWithThreeDigits) {
  EXPECT_EQ(LatencyText(0.3124), "312 ns");
  EXPECT_EQ(LatencyText(1.5), "1.50 us");
  EXPECT_EQ(LatencyText(12.34), "12.3 us");
  EXPECT_EQ(LatencyText(1234), "1.23 ms");
  EXPECT_EQ(LatencyText(61'500'000), "61.5 s");
}

// ---- What became of a signal ----

v1::PublishResult Answer(std::initializer_list<v1::RecipientState> states) {
  v1::PublishResult result;
  for (const auto state : states) {
    auto* const outcome = result.mutable_accepted()->add_outcomes();
    outcome->set_state(state);
    if (state == v1::RECIPIENT_STATE_DENIED) outcome->set_reason("NO_RULE");
  }
  return result;
}

TEST(BenchOutcomes, CountEachRecipientThatGotNothingUnderItsReason) {
  const auto both = OutcomeOf(Answer({v1::RECIPIENT_STATE_QUEUED, v1::RECIPIENT_STATE_DENIED}));
  EXPECT_TRUE(both.decided);
  EXPECT_EQ(both.queued, 1u);
  EXPECT_EQ(both.reasons, std::vector<std::string>{"NO_RULE"});
  const auto error = OutcomeOf(MakeError(ErrorCode::kUnavailable, "NOT_SERVING", "away"));
  EXPECT_FALSE(error.decided);
  EXPECT_EQ(error.reasons, std::vector<std::string>{"NOT_SERVING"});
}

SignalId Id(char letter) { return *SignalId::From(std::string(16, letter)); }

bool Takes(Tokens& tokens) {
  return tokens.Acquire(BenchClock::now(), [] { return false; });
}

TEST(BenchFlowLedgers, GiveATokenBackWhenEachRecipientAcknowledgedAndTheBrokerAnswered) {
  Tokens tokens(1);
  FlowLedger ledger(tokens);
  const auto began = BenchClock::now();
  ASSERT_TRUE(Takes(tokens));
  ledger.Began(Id('a'), began);
  // A delivery may overtake the answer to the sender.
  EXPECT_TRUE(ledger.Delivered(Id('a').str(), 0));
  ledger.Acknowledged(Id('a').str(), 0);
  EXPECT_FALSE(Takes(tokens));
  ledger.Answered(Id('a'), began, Answer({v1::RECIPIENT_STATE_QUEUED, v1::RECIPIENT_STATE_QUEUED}));
  EXPECT_FALSE(Takes(tokens)) << "the second recipient has nothing yet";
  EXPECT_TRUE(ledger.Delivered(Id('a').str(), 1));
  EXPECT_TRUE(ledger.Delivered(Id('a').str(), 1));
  ledger.Acknowledged(Id('a').str(), 1);
  EXPECT_TRUE(Takes(tokens));
  const auto counts = ledger.Counts();
  EXPECT_EQ(counts.published, 1u);
  EXPECT_EQ(counts.expected, 2u);
  EXPECT_EQ(counts.delivered, 2u);
  EXPECT_EQ(counts.acknowledged, 2u);
  EXPECT_EQ(counts.again, 1u);
  EXPECT_EQ(counts.delivery.size(), 2u);
  EXPECT_TRUE(counts.problems.empty());
}

TEST(BenchFlowLedgers, GiveATokenBackAtOnceWhenNobodyGetsTheSignal) {
  Tokens tokens(1);
  FlowLedger ledger(tokens);
  ASSERT_TRUE(Takes(tokens));
  ledger.Began(Id('a'), BenchClock::now());
  ledger.Answered(Id('a'), BenchClock::now(), Answer({v1::RECIPIENT_STATE_DENIED}));
  EXPECT_TRUE(Takes(tokens));
  EXPECT_EQ(ledger.Counts().problems.at("NO_RULE"), 1u);
  EXPECT_EQ(ledger.Counts().published, 0u);
}

TEST(BenchFlowLedgers, TellWhatNeverCameAndKnowStrangers) {
  Tokens tokens(2);
  FlowLedger ledger(tokens);
  for (const char letter : {'a', 'b'}) {
    ASSERT_TRUE(Takes(tokens));
    ledger.Began(Id(letter), BenchClock::now());
    ledger.Answered(Id(letter), BenchClock::now(), Answer({v1::RECIPIENT_STATE_QUEUED}));
  }
  EXPECT_TRUE(ledger.Delivered(Id('a').str(), 0));
  EXPECT_FALSE(ledger.Delivered(Id('z').str(), 0));
  EXPECT_EQ(ledger.Counts().problems.at("UNDELIVERED"), 1u);
  EXPECT_EQ(ledger.Counts().problems.at("UNACKNOWLEDGED"), 1u);
  EXPECT_EQ(tokens.taken(), 2u);
}

TEST(BenchTokens, AreWaitedForUntilOneComesBack) {
  Tokens tokens(1);
  ASSERT_TRUE(Takes(tokens));
  std::thread other([&] { tokens.Release(); });
  EXPECT_TRUE(tokens.Acquire(BenchClock::now() + std::chrono::minutes(1), [] { return false; }));
  other.join();
  EXPECT_FALSE(tokens.Acquire(BenchClock::now() + std::chrono::minutes(1), [] { return true; }));
}

TEST(BenchRealChains, AreThoseWithoutTheFictitiousPrefix) {
  EXPECT_TRUE(IsFictitious(*OrganisationId::From("00000099000000001000")));
  EXPECT_FALSE(IsFictitious(*OrganisationId::From("99999999990000000000")));
}

// ---- Options ----

TEST(BenchOptions, ThatMakeNoSenseAreToldBeforeAnythingIsConnected) {
  struct Wrong {
    std::vector<std::string> args;
    const char* says;
    const char* option;
  };
  const std::vector<Wrong> wrong = {
      {{"publish", "--duration", "0s"}, "'0s' is no duration", "--duration"},
      {{"publish", "--duration", "2w"}, "'2w' is too long: at most 24h", "--duration"},
      {{"publish", "--warm-up", "soon"}, "'soon' is no duration", "--warm-up"},
      {{"publish", "--batch", "0"}, "a number from 1 to 64", "--batch"},
      {{"publish", "--batch", "65"}, "a number from 1 to 64", "--batch"},
      {{"publish", "--senders", "0"}, "a number from 1 to 64", "--senders"},
      {{"publish", "--in-flight", "0"}, "a number from 1 to 512", "--in-flight"},
      {{"publish", "--in-flight", "3", "--senders", "4"}, "a number from 4 to", "--in-flight"},
      {{"publish", "--size", "0"}, "a number from 1 to", "--size"},
      {{"publish", "--size", "100000000"}, "a number from 1 to", "--size"},
      {{"publish", "--sections", "65"}, "a number from 1 to 64", "--sections"},
      {{"publish", "--signals", "0"}, "a number from 1 to", "--signals"},
      {{"publish", "--type", "rent-arrears"}, "--purpose is missing", "--purpose"},
      {{"publish", "--type", "rent-arrears", "--purpose", "p"}, "--ground is missing", "--ground"},
      {{"flow"}, "--recipient", "is missing"},
      {{"flow", "--recipient", "x", "--window", "257"}, "a number from 1 to 256", "--window"},
      {{"flow", "--recipient", "x", "--streams", "0"}, "a number from 1 to 64", "--streams"},
      {{"decide"}, "--bundle", "is missing"},
      {{"decide", "--bundle", kBenchPolicy, "--test", "No such"}, "no test 'No such'", "--test"},
      {{"decide", "--bundle", kBenchPolicy, "--rules", "20001"}, "from 0 to 20000", "--rules"},
      {{"decide", "--bundle", kBenchPolicy, "--duration", "0"}, "'0' is no duration", "--duration"},
      {{"pseudonym", "--batch", "257"}, "a number from 1 to 256", "--batch"},
      {{"pseudonym", "--calls", "0"}, "a number from 1 to 1000", "--calls"},
      {{"pseudonym", "--local", "--with-custodians"}, "give one of --local", "--with-custodians"},
      {{"verify", "--entries", "0"}, "a number from 1 to", "--entries"},
      {{"verify", "--rounds", "0"}, "a number from 1 to 1000", "--rounds"},
  };
  User user;
  for (const auto& [args, says, option] : wrong) {
    std::vector<std::string> line = {"bench"};
    line.insert(line.end(), args.begin(), args.end());
    const Ran ran = user.Run(line);
    std::string text;
    for (const auto& arg : line) text += arg + " ";
    EXPECT_EQ(ran.code, ExitCode::kUsage) << text << "\n" << ran.err;
    EXPECT_EQ(ran.out, "") << text;
    EXPECT_NE(ran.err.find(says), std::string::npos) << text << "\n" << ran.err;
    EXPECT_NE(ran.err.find(option), std::string::npos) << text << "\n" << ran.err;
  }
}

TEST(BenchOptions, NameAContextThatExists) {
  User user;
  const Ran unknown = user.Run({"bench", "publish", "--context", "nobody"});
  EXPECT_EQ(unknown.code, ExitCode::kConfig) << unknown.err;
  EXPECT_NE(unknown.err.find("CONTEXT_UNKNOWN"), std::string::npos) << unknown.err;
}

// ---- Without a broker ----

json Told(const Ran& ran) {
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  return json::parse(ran.out, nullptr, false);
}

void ExpectPercentiles(const json& step) {
  const auto& micros = step["microseconds"];
  double before = 0;
  for (const char* name : {"p50", "p90", "p99", "p99.9", "max"}) {
    ASSERT_TRUE(micros.contains(name)) << step;
    EXPECT_GE(micros[name].get<double>(), before) << step;
    before = micros[name].get<double>();
  }
  EXPECT_GT(before, 0);
}

TEST(BenchDecide, AnswersAQuestionOfTheBundlesTests) {
  User user;
  const json told = Told(
      user.Run({"bench", "decide", "--bundle", kBenchPolicy, "--duration", "10ms", "-o", "json"}));
  EXPECT_EQ(told["bench"], "decide");
  EXPECT_TRUE(told["permitted"].get<bool>());
  EXPECT_EQ(told["rule"], "arrears-to-debt-relief");
  EXPECT_EQ(told["parameters"]["rulesAdded"], 0);
  EXPECT_GE(told["steps"][0]["count"].get<uint64_t>(), 1000u);
  ExpectPercentiles(told["steps"][0]);
}

TEST(BenchDecide, DecidesTheSameAmongManyMoreRules) {
  User user;
  const json told =
      Told(user.Run({"bench", "decide", "--bundle", kBenchPolicy, "--rules", "500", "--test",
                     "The police gets nothing of arrears", "--duration", "10ms", "-o", "jsonl"}));
  EXPECT_FALSE(told["permitted"].get<bool>());
  EXPECT_EQ(told["reason"], "NO_RULE");
  EXPECT_EQ(told["parameters"]["rulesAdded"], 500);
  EXPECT_GT(told["parameters"]["rules"].get<int>(), 500);
}

TEST(BenchPseudonym, SetsEvaluationBesideMultiplication) {
  User user;
  const json told =
      Told(user.Run({"bench", "pseudonym", "--batch", "4", "--duration", "10ms", "-o", "json"}));
  ASSERT_EQ(told["steps"].size(), 2u);
  EXPECT_EQ(told["steps"][0]["count"], told["steps"][1]["count"]);
  EXPECT_EQ(told["steps"][0]["count"].get<uint64_t>() % 4, 0u);
  EXPECT_GT(told["evaluatedPerMultiplication"].get<double>(), 0);
  ExpectPercentiles(told["steps"][0]);
}

TEST(BenchVerify, ProvesAnExportThatItMade) {
  User user;
  const json told =
      Told(user.Run({"bench", "verify", "--entries", "1000", "--rounds", "2", "-o", "json"}));
  EXPECT_EQ(told["parameters"]["entries"], 1000);
  EXPECT_EQ(told["parameters"]["records"], 1000);
  EXPECT_EQ(told["steps"][0]["count"], 2000);
  ExpectPercentiles(told["steps"][0]);
}

TEST(BenchVerify, OfAFileThatIsNoExportEndsWithItsFault) {
  User user;
  const std::string file = user.File("broken.export", "no export at all").substr(1);
  const auto key = merkle::VerifierKey::Create("zhz.example/schakel/1",
                                               crypto::SigningKey::Generate().public_key());
  ASSERT_TRUE(key.ok());
  const Ran none = user.Run({"bench", "verify", "--file", file});
  EXPECT_EQ(none.code, ExitCode::kConfig) << none.err;
  const Ran broken =
      user.Run({"bench", "verify", "--file", file, "--log-key", key->Encode(), "-o", "json"});
  EXPECT_EQ(broken.code, ExitCode::kNegative) << broken.err;
  EXPECT_EQ(json::parse(broken.out)["problems"].size(), 1u) << broken.out;
}

TEST(BenchTables, AreForPeopleAndSayWhatWasMeasured) {
  User user;
  user.variables["LANG"] = "nl_NL.UTF-8";
  const Ran ran = user.Run({"bench", "decide", "--bundle", kBenchPolicy, "--duration", "10ms"});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_NE(ran.out.find("beslist"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("P99.9"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("Gemeten: één onderdeel"), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace schakel::cli
