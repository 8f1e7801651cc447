// schakel bench decide: decisions of a policy bundle's folder, in this process.
#include <memory>

#include "broker/base/limits.h"
#include "clients/cli/bench/bench.h"
#include "clients/cli/bench/bench_report.h"
#include "clients/cli/bench/outcome.h"
#include "clients/cli/progress.h"
#include "clients/sdk/policy_client.h"
#include "policy/engine/table_test.h"

namespace schakel::cli {
namespace {

// The clock is too coarse for one decision: each value is the mean of so many.
constexpr int kDecisionsPerValue = 1000;

struct DecideOptions {
  std::string bundle;
  std::string test;
  uint64_t rules = 0;
  std::string duration = "2s";
};

// 20 digits: a fictitious organisation that no bundle knows.
std::string PairOin(char side, uint64_t number) {
  const std::string digits = std::to_string(number);
  return "0000009900" + std::string("0") + side + std::string(8 - digits.size(), '0') + digits;
}

// The same bundle with `count` rules more, of the kind that the question meets: each permits one of
// 2,000 senders to send it to one of 2,000 recipients.
policy::Bundle WithMoreRules(policy::Bundle bundle, uint64_t count, const v1::BundleTest& test) {
  for (uint64_t i = 0; i < count; ++i) {
    auto& rule = *bundle.rules.add_rules();
    rule.set_id("bench-pair-" + std::to_string(i));
    rule.set_effect(v1::BUNDLE_RULE_EFFECT_PERMIT);
    rule.mutable_from()->add_organisations(PairOin('1', i % 2000));
    rule.mutable_to()->add_organisations(PairOin('2', i * 7 % 2000));
    rule.add_signal_types(test.type());
    rule.add_purposes(test.purpose());
    for (const auto& category : test.categories()) rule.add_categories(category);
    rule.add_grounds(test.ground());
    rule.set_why("one of many");
  }
  return bundle;
}

// The test of that name, or else the first that expects a permit.
Result<v1::BundleTest> FindTest(const Invocation& invocation, const policy::Bundle& bundle,
                                const std::string& name) {
  for (const auto& test : bundle.tests.tests()) {
    if (name.empty() ? test.expect() == "permit" : test.name() == name) return test;
  }
  return UsageError(invocation.Text(Msg::kBenchNoTest, {name.empty() ? "permit" : name}), "--test");
}

Result<ExitCode> BenchDecide(Invocation& invocation, const DecideOptions& options) {
  SCHAKEL_ASSIGN(const auto duration, BenchDuration(invocation, options.duration, "--duration"));
  SCHAKEL_TRY(NumberBetween(invocation, options.rules, 0, limits::kRulesMax, "--rules"));
  SCHAKEL_ASSIGN(const auto packed, sdk::PackPolicyFolder(options.bundle));
  SCHAKEL_ASSIGN(const auto loaded, sdk::LoadBundle(packed.bundle, packed.digest));
  const auto& source = loaded->compiled->source();
  SCHAKEL_ASSIGN(const auto test, FindTest(invocation, source, options.test));
  auto bundle = loaded->compiled;
  if (options.rules > 0) {
    SCHAKEL_ASSIGN(bundle, policy::Compile(WithMoreRules(source, options.rules, test)));
  }
  SCHAKEL_ASSIGN(const auto question, policy::QuestionOf(*bundle, test));
  if (question.sections.empty()) {
    return UsageError(invocation.Text(Msg::kBenchNoTest, {test.name()}), "--test");
  }
  const auto& section = question.sections.front();
  const auto subject = question.subject();
  const auto decide = [&] {
    return policy::Decide(*bundle, question.pair, question.envelope, section.category,
                          section.ground, section.attested, subject);
  };
  const policy::Decision expected = decide();

  const InterruptGuard guard;
  bench::Latencies latencies;
  uint64_t same = 0;
  const auto began = BenchClock::now();
  auto now = began;
  {
    ProgressLine progress(invocation);
    do {
      const auto from = BenchClock::now();
      for (int i = 0; i < kDecisionsPerValue; ++i) same += decide().permitted == expected.permitted;
      now = BenchClock::now();
      latencies.Add((now - from) / kDecisionsPerValue);
      progress.Update(static_cast<uint64_t>((now - began).count()),
                      static_cast<uint64_t>(duration.count()));
    } while (now - began < duration && !guard.interrupted());
  }
  const uint64_t count = latencies.size() * kDecisionsPerValue;
  BenchReport report{"decide", Msg::kBenchDecideMeasured};
  report.parameters = {{"bundle", source.manifest.name()},
                       {"version", source.manifest.version()},
                       {"rules", bundle->source().rules.rules_size()},
                       {"rulesAdded", options.rules},
                       {"test", test.name()},
                       {"category", test.categories(0)},
                       {"decisionsPerValue", kDecisionsPerValue}};
  report.figures = {{"permitted", expected.permitted},
                    {"reason", std::string(policy::ReasonName(expected.reason))},
                    {"rule", std::string(expected.rule)}};
  report.steps.push_back({"decided", Msg::kBenchDecided, count,
                          PerSecond(count, std::chrono::duration<double>(now - began).count()),
                          latencies});
  report.interrupted = guard.interrupted();
  if (same != count) report.problems["DECIDED_OTHERWISE"] = count - same;
  report.lines.push_back(invocation.Text(
      Msg::kBenchDecideOf, {source.manifest.name(), source.manifest.version(),
                            std::to_string(bundle->source().rules.rules_size()), test.name()}));
  ShowBench(invocation, report);
  return EndOf(invocation, report, {});
}

}  // namespace

void AddBenchDecide(CLI::App* noun, Invocation& invocation) {
  Verb decide(noun, invocation, "decide", Msg::kVerbBenchDecide,
              "schakel bench decide --bundle policy/zuid-holland-zuid\n"
              "schakel bench decide --bundle policy/zuid-holland-zuid --rules 10000 \\\n"
              "    --test \"The police gets nothing of arrears\" --duration 1s -o json");
  const auto options = std::make_shared<DecideOptions>();
  decide.Value("--bundle", options->bundle, Msg::kOptBenchBundle, "DIR").Required();
  decide.Value("--test", options->test, Msg::kOptBenchTest, "NAME");
  decide.Number("--rules", options->rules, Msg::kOptBenchRules);
  decide.Value("--duration", options->duration, Msg::kOptBenchTime, "TIME");
  decide.Run([&invocation, options] { return BenchDecide(invocation, *options); });
}

}  // namespace schakel::cli
