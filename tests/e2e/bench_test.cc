// schakel bench against a region of real processes: what it counts is what happened.
#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/e2e/command_line.h"
#include "tests/e2e/story.h"

namespace schakel::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class Bench : public RegionTest {
 protected:
  static void SetUpTestSuite() {
    RegionTest::SetUpTestSuite();
    cli_ = new CommandLine(region());
    cli_->File("arrears.json", R"({"months_in_arrears":3,"amount_cents":145000})");
  }
  static void TearDownTestSuite() {
    delete cli_;
    RegionTest::TearDownTestSuite();
  }
  static testing::RunResult Run(const std::string& who, std::vector<std::string> args) {
    args.insert(args.begin(), "bench");
    return cli_->Run(who, std::move(args));
  }
  static json Told(const testing::RunResult& ran) {
    EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
    return json::parse(ran.out, nullptr, false);
  }
  static size_t RecordsOf(const std::string& who, v1::RecordKind kind) {
    v1::RecordFilter filter;
    filter.set_organisation(OinOf(who).str());
    const auto records = QueryAs(As("region-auditor"), filter);
    EXPECT_TRUE(records.ok()) << Why(records);
    return records.ok() ? CountKind(*records, kind) : 0;
  }
  static void ExpectLatencies(const json& step) {
    double before = 0;
    for (const char* name : {"p50", "p90", "p99", "p99.9", "max"}) {
      EXPECT_GE(step["microseconds"][name].get<double>(), before) << step;
      before = step["microseconds"][name].get<double>();
    }
    EXPECT_GT(before, 0) << step;
    EXPECT_GT(step["perSecond"].get<double>(), 0) << step;
  }
  // A step of the answer by its name.
  static json Step(const json& told, const std::string& name) {
    for (const auto& step : told["steps"]) {
      if (step["step"] == name) return step;
    }
    ADD_FAILURE() << "there is no step " << name << " in " << told;
    return json::object();
  }

  static CommandLine* cli_;
};
CommandLine* Bench::cli_ = nullptr;

TEST_F(Bench, PublishesAsManyAsTheLogHasByCallsAndByBatches) {
  for (const std::string batch : {"1", "16"}) {
    const size_t before = RecordsOf("volunteers", v1::RECORD_KIND_PUBLISH);
    // The least of partners, with nothing said but how many.
    const json told = Told(Run("volunteers", {"publish", "--signals", "200", "--warm-up", "0",
                                              "--batch", batch, "--senders", "2", "-o", "json"}));
    EXPECT_EQ(Step(told, "published")["count"], 200) << told;
    EXPECT_EQ(told["sent"], 200) << told;
    EXPECT_EQ(told["problems"], json::object()) << told;
    EXPECT_FALSE(told["interrupted"].get<bool>()) << told;
    EXPECT_EQ(told["parameters"]["recipients"], json::array({OinOf("loopback").str()})) << told;
    EXPECT_EQ(told["parameters"]["batch"], std::stoi(batch)) << told;
    EXPECT_EQ(told["parameters"]["senders"], 2) << told;
    EXPECT_GE(told["signatures"].get<int>(), 200 / std::stoi(batch)) << told;
    EXPECT_LE(told["signatures"].get<int>(), 200) << told;
    ExpectLatencies(Step(told, "published"));
    EXPECT_EQ(RecordsOf("volunteers", v1::RECORD_KIND_PUBLISH), before + 200) << batch;
  }
  ASSERT_OK(EmptyInbox(As("loopback")));
}

TEST_F(Bench, FillsUpAndRepeatsSectionsOfARealType) {
  const json told = Told(Run("corporation", {"publish",
                                             "--type",
                                             "rent-arrears",
                                             "--purpose",
                                             "prevent-eviction",
                                             "--ground",
                                             "wgs-debt",
                                             "--to-function",
                                             "debt-relief@Dordrecht",
                                             "--section",
                                             "finances=@arrears.json",
                                             "--size",
                                             "3000",
                                             "--sections",
                                             "3",
                                             "--signals",
                                             "3",
                                             "--warm-up",
                                             "0",
                                             "-o",
                                             "json"}));
  ASSERT_EQ(told["parameters"]["sections"].size(), 3u) << told;
  EXPECT_EQ(told["parameters"]["sections"][2]["bytes"], 3000);
  ASSERT_OK_AND(const auto got, FetchAll(As("debt-relief")));
  ASSERT_EQ(got.size(), 3u);
  ASSERT_OK_AND(const auto opened, Open(As("debt-relief"), got[0]));
  ASSERT_EQ(opened.sections.size(), 3u);
  const std::string content(opened.sections[0].content.content.ExposeSecret());
  EXPECT_EQ(content.size(), 3000u);
  EXPECT_EQ(json::parse(content)["months_in_arrears"], 3);
  for (const auto& item : got) {
    ASSERT_OK_AND(auto* const inbox, As("debt-relief").inbox());
    ASSERT_OK(inbox->Acknowledge(IdOf(item)));
  }
  const auto small = Run("corporation", {"publish", "--size", "3"});
  EXPECT_EQ(small.code, 64) << small.err;
  EXPECT_THAT(small.err, HasSubstr("bytes already"));
}

TEST_F(Bench, FlowAddsUpFromTheSenderToTheAcknowledgement) {
  for (const std::string batch : {"1", "16"}) {
    const size_t before = RecordsOf("loopback", v1::RECORD_KIND_ACKNOWLEDGEMENT);
    const json told =
        Told(Run("corporation", {"flow", "--recipient", "loopback", "--signals", "300", "--warm-up",
                                 "0", "--batch", batch, "--in-flight", "48", "-o", "json"}));
    for (const char* step : {"published", "delivered", "acknowledged"}) {
      EXPECT_EQ(Step(told, step)["count"], 300) << told;
      ExpectLatencies(Step(told, step));
    }
    EXPECT_EQ(told["deliveriesExpected"], 300) << told;
    EXPECT_EQ(told["strange"], 0) << told;
    EXPECT_EQ(told["problems"], json::object()) << told;
    EXPECT_EQ(RecordsOf("loopback", v1::RECORD_KIND_ACKNOWLEDGEMENT), before + 300) << batch;
  }
  ASSERT_OK_AND(const auto left, FetchAll(As("loopback")));
  EXPECT_TRUE(left.empty());
}

TEST_F(Bench, FlowLeavesAloneWhatWaitsInAnInbox) {
  ASSERT_OK(Send(As("corporation"), Arrears()));
  const auto ran =
      Run("corporation", {"flow", "--recipient", "debt-relief", "--type", "rent-arrears",
                          "--purpose", "prevent-eviction", "--ground", "wgs-debt", "--section",
                          "finances=@arrears.json", "--signals", "5"});
  EXPECT_EQ(ran.code, 65) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("INBOX_NOT_EMPTY"));
  EXPECT_THAT(ran.err, HasSubstr("schakel inbox watch --context debt-relief"));
  ASSERT_OK_AND(const auto left, FetchAll(As("debt-relief")));
  EXPECT_EQ(left.size(), 1u);
  for (const auto& item : left) {
    ASSERT_OK_AND(auto* const inbox, As("debt-relief").inbox());
    ASSERT_OK(inbox->Acknowledge(IdOf(item)));
  }
}

TEST_F(Bench, FlowSaysWhoWouldTakeNothing) {
  const auto nobody = Run("corporation", {"flow", "--recipient", "debt-relief", "--to-function",
                                          "loopback@zuid-holland-zuid"});
  EXPECT_EQ(nobody.code, 64) << nobody.err;
  EXPECT_THAT(nobody.err, HasSubstr(OinOf("loopback").str()));
  const auto twice =
      Run("corporation", {"flow", "--recipient", "loopback", "--recipient", "loopback"});
  EXPECT_EQ(twice.code, 64) << twice.err;
  const auto unknown = Run("corporation", {"flow", "--recipient", "nobody"});
  EXPECT_EQ(unknown.code, 78) << unknown.err;
  EXPECT_THAT(unknown.err, HasSubstr("CONTEXT_UNKNOWN"));
}

TEST_F(Bench, EndsEarlyOnInterruptWithWhatItHas) {
  auto running = cli_->Start("corporation", {"bench", "publish", "--duration", "10min", "--warm-up",
                                             "100ms", "--in-flight", "4", "-o", "json"});
  ASSERT_NE(running, nullptr);
  ASSERT_TRUE(running->WaitFor("measuring", std::chrono::seconds(60))) << running->Stderr();
  const size_t warm = RecordsOf("corporation", v1::RECORD_KIND_PUBLISH);
  for (int looks = 0; looks < 200; ++looks) {
    if (RecordsOf("corporation", v1::RECORD_KIND_PUBLISH) > warm) break;
  }
  running->Signal(SIGINT);
  EXPECT_EQ(running->Wait(std::chrono::seconds(20)), 130) << running->Stderr();
  const json told = json::parse(running->Stdout(), nullptr, false);
  ASSERT_TRUE(told.is_object()) << running->Stdout();
  EXPECT_TRUE(told["interrupted"].get<bool>());
  EXPECT_EQ(Step(told, "published")["count"], told["sent"]);
  EXPECT_GT(told["sent"].get<uint64_t>(), 0u);
  EXPECT_LT(told["seconds"].get<double>(), 600);
  ASSERT_OK(EmptyInbox(As("loopback")));
}

TEST_F(Bench, SendsNothingThatTheRulesDeny) {
  const size_t before = RecordsOf("corporation", v1::RECORD_KIND_PUBLISH);
  const auto ran =
      Run("corporation", {"publish", "--type", "rent-arrears", "--purpose", "prevent-eviction",
                          "--ground", "wgs-debt", "--to", OinOf("police").str(), "--section",
                          "finances=@arrears.json", "--signals", "5", "--warm-up", "0"});
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("NO_RULE"));
  EXPECT_EQ(RecordsOf("corporation", v1::RECORD_KIND_PUBLISH), before);
}

TEST_F(Bench, GoesToNoRealOrganisationUnlessToldTo) {
  // No OIN of anybody, but without the prefix of fictitious ones.
  const auto certificate = region().pki().IssueFor("99999999990000000000");
  auto context = region().ContextOf("corporation");
  context.set_name("real");
  context.set_certificate_file(certificate.certificate.string());
  context.set_key_file(certificate.key.string());
  cli_->Add(context);
  for (const auto& verb :
       std::vector<std::vector<std::string>>{{"publish", "--signals", "1"},
                                             {"flow", "--recipient", "loopback", "--signals", "1"},
                                             {"pseudonym", "--with-custodians", "--batch", "1"}}) {
    const auto refused = Run("real", verb);
    EXPECT_EQ(refused.code, 77) << refused.err;
    EXPECT_THAT(refused.err, HasSubstr("REAL_CHAIN"));
    EXPECT_THAT(refused.err, HasSubstr("99999999990000000000"));
    EXPECT_EQ(refused.out, "");
  }
  const auto to_real = Run("corporation", {"flow", "--recipient", "real", "--signals", "1"});
  EXPECT_EQ(to_real.code, 77) << to_real.err;
  EXPECT_THAT(to_real.err, HasSubstr("REAL_CHAIN"));
  // Told to, it asks the broker, which knows no such organisation.
  const auto told = Run("real", {"publish", "--signals", "1", "--on-a-real-chain"});
  EXPECT_NE(told.code, 0);
  EXPECT_THAT(told.err, ::testing::Not(HasSubstr("REAL_CHAIN")));
}

TEST_F(Bench, ComputesPseudonymsAtTheCostThatItSays) {
  const auto left = [] {
    const auto ran = cli_->Run("care", {"pseudonym", "budget", "-o", "json"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    uint64_t sum = 0;
    for (const auto& each : json::parse(ran.out)) {
      sum += each["budget"]["dayRemaining"].get<uint64_t>();
    }
    return sum;
  };
  const uint64_t before = left();
  const auto ran =
      Run("care", {"pseudonym", "--with-custodians", "--batch", "4", "--calls", "3", "-o", "json"});
  const json told = Told(ran);
  EXPECT_THAT(ran.err, HasSubstr("takes 12 of today's budget"));
  EXPECT_EQ(Step(told, "computed")["count"], 12);
  ExpectLatencies(Step(told, "computed"));
  EXPECT_EQ(before - left(), 2 * 12u) << "two custodians are asked, in one live epoch";
}

TEST_F(Bench, VerifiesAnExportOfThisLog) {
  const auto exported = cli_->Run("region-auditor", {"audit", "export", "log.export", "--ground",
                                                     "AVG art. 57", "--reference", "KL-2026-7"});
  ASSERT_EQ(exported.code, 0) << exported.err;
  const json told = Told(
      Run("region-auditor", {"verify", "--file", "log.export", "--rounds", "2", "-o", "json"}));
  EXPECT_GT(told["parameters"]["records"].get<uint64_t>(), 20u);
  ExpectLatencies(Step(told, "verified"));
  // With one bit changed it proves nothing.
  std::string bytes = testing::ReadFile(cli_->folder() / "log.export");
  bytes[bytes.size() / 2] ^= 1;
  cli_->File("changed.export", bytes);
  const auto changed = Run("region-auditor", {"verify", "--file", "changed.export"});
  EXPECT_EQ(changed.code, 1) << changed.out << changed.err;
}

}  // namespace
}  // namespace schakel::e2e
