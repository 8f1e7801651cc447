// schakel bench pseudonym: what a custodian does for each BSN, in this process with a key of its
// own; or a whole computation with the context's custodians, which takes of the real budget.
#include <cmath>
#include <cstdio>
#include <memory>

#include "broker/base/limits.h"
#include "broker/crypto/oprf.h"
#include "broker/crypto/random.h"
#include "clients/cli/bench/bench.h"
#include "clients/cli/bench/bench_report.h"
#include "clients/cli/bench/outcome.h"
#include "clients/cli/bench/real_chain.h"
#include "clients/cli/input.h"
#include "clients/cli/progress.h"
#include "clients/sdk/pseudonym_client.h"

namespace schakel::cli {
namespace {

struct PseudonymOptions {
  bool local = false;
  bool with_custodians = false;
  bool on_a_real_chain = false;
  uint64_t batch = limits::kEvaluateBatchMax;
  uint64_t calls = 1;
  std::string duration = "2s";
};

double SecondsSince(BenchClock::time_point began) {
  return std::chrono::duration<double>(BenchClock::now() - began).count();
}

BenchReport ReportOf(const PseudonymOptions& options, Msg measured) {
  BenchReport report{"pseudonym", measured};
  report.parameters = {{"custodians", options.with_custodians}, {"batch", options.batch}};
  return report;
}

// In turns, so that both meet the same machine.
Result<ExitCode> Locally(Invocation& invocation, const PseudonymOptions& options) {
  SCHAKEL_ASSIGN(const auto duration, BenchDuration(invocation, options.duration, "--duration"));
  SCHAKEL_ASSIGN(const auto pair,
                 crypto::DeriveKeyPair(crypto::RandomBytes(crypto::kOprfSeedBytes), "bench"));
  std::vector<crypto::Point> blinded;
  for (uint64_t i = 0; i < options.batch; ++i) {
    SCHAKEL_ASSIGN(auto input, crypto::Blind("input " + std::to_string(i)));
    blinded.push_back(input.element);
  }
  const InterruptGuard guard;
  bench::Latencies multiplied;
  bench::Latencies evaluated;
  double multiply_seconds = 0;
  double evaluate_seconds = 0;
  const auto began = BenchClock::now();
  {
    ProgressLine progress(invocation);
    do {
      auto from = BenchClock::now();
      for (const auto& point : blinded) static_cast<void>(point.Multiply(pair.secret_key));
      multiplied.Add(BenchClock::now() - from);
      multiply_seconds += SecondsSince(from);
      from = BenchClock::now();
      SCHAKEL_ASSIGN(const auto evaluation,
                     crypto::BlindEvaluate(pair.secret_key, pair.public_key, blinded));
      evaluated.Add(BenchClock::now() - from);
      evaluate_seconds += SecondsSince(from);
      if (evaluation.elements.size() != blinded.size()) return Internal("a batch came back short");
      progress.Update(static_cast<uint64_t>((BenchClock::now() - began).count()),
                      static_cast<uint64_t>(duration.count()));
    } while (BenchClock::now() - began < duration && !guard.interrupted());
  }
  auto report = ReportOf(options, Msg::kBenchPseudonymMeasured);
  const uint64_t count = evaluated.size() * options.batch;
  report.steps.push_back(
      {"evaluated", Msg::kBenchEvaluated, count, PerSecond(count, evaluate_seconds), evaluated});
  report.steps.push_back(
      {"multiplied", Msg::kBenchMultiplied, count, PerSecond(count, multiply_seconds), multiplied});
  const double ratio = multiply_seconds / evaluate_seconds;
  report.figures["evaluatedPerMultiplication"] = std::round(ratio * 1000) / 1000;
  report.interrupted = guard.interrupted();
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", ratio);
  report.lines.push_back(invocation.Text(Msg::kBenchRatio, {text}));
  ShowBench(invocation, report);
  return EndOf(invocation, report, {});
}

Result<ExitCode> WithCustodians(Invocation& invocation, const PseudonymOptions& options) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  if (!options.on_a_real_chain) {
    SCHAKEL_ASSIGN(const auto self, session->self());
    std::vector<OrganisationId> all = {self};
    for (const auto& custodian : session->context().custodians()) {
      if (const auto oin = OrganisationId::From(custodian.oin())) all.push_back(*oin);
    }
    SCHAKEL_TRY(RefuseRealOrganisations(invocation, all));
  }
  const auto bsns = PublishedTestBsns();
  if (options.batch > bsns.size()) {
    SCHAKEL_TRY(NumberBetween(invocation, options.batch, 1, bsns.size(), "--batch"));
  }
  SCHAKEL_ASSIGN(auto* const client, session->pseudonyms());
  const uint64_t taken = options.batch * options.calls;
  invocation.Note(Msg::kBenchBudget, {std::to_string(taken)});
  const InterruptGuard guard;
  bench::Latencies computed;
  std::optional<Error> error;
  const auto began = BenchClock::now();
  {
    ProgressLine progress(invocation);
    for (uint64_t call = 0; call < options.calls && !guard.interrupted() && !error; ++call) {
      const auto from = BenchClock::now();
      const auto subjects = client->Compute(bsns.first(options.batch));
      if (subjects.ok()) {
        computed.Add(BenchClock::now() - from);
      } else {
        error = subjects.error();
      }
      progress.Update(call + 1, options.calls);
    }
  }
  const double seconds = SecondsSince(began);
  auto report = ReportOf(options, Msg::kBenchCustodiansMeasured);
  report.parameters["calls"] = options.calls;
  const uint64_t count = computed.size() * options.batch;
  report.steps.push_back(
      {"computed", Msg::kBenchComputed, count, PerSecond(count, seconds), computed});
  report.figures["budgetTaken"] = count;
  report.interrupted = guard.interrupted();
  if (error) report.problems[error->reason] = 1;
  ShowBench(invocation, report);
  LoadTimes times;
  times.error = error;
  return EndOf(invocation, report, times);
}

Result<ExitCode> BenchPseudonym(Invocation& invocation, const PseudonymOptions& options) {
  SCHAKEL_TRY(NumberBetween(invocation, options.batch, 1, limits::kEvaluateBatchMax, "--batch"));
  SCHAKEL_TRY(NumberBetween(invocation, options.calls, 1, 1000, "--calls"));
  if (options.local && options.with_custodians) {
    return UsageError(invocation.Text(Msg::kBenchLocalOrCustodians), "--with-custodians");
  }
  return options.with_custodians ? WithCustodians(invocation, options)
                                 : Locally(invocation, options);
}

}  // namespace

void AddBenchPseudonym(CLI::App* noun, Invocation& invocation) {
  Verb pseudonym(noun, invocation, "pseudonym", Msg::kVerbBenchPseudonym,
                 "schakel bench pseudonym\n"
                 "schakel bench pseudonym --local --batch 16 --duration 1s -o json\n"
                 "schakel bench pseudonym --with-custodians --batch 8 --calls 5");
  const auto options = std::make_shared<PseudonymOptions>();
  pseudonym.Flag("--local", options->local, Msg::kOptBenchLocal);
  pseudonym.Flag("--with-custodians", options->with_custodians, Msg::kOptBenchCustodians);
  pseudonym.Number("--batch", options->batch, Msg::kOptBenchEvaluateBatch);
  pseudonym.Number("--calls", options->calls, Msg::kOptBenchCalls);
  pseudonym.Value("--duration", options->duration, Msg::kOptBenchTime, "TIME");
  pseudonym.Flag("--on-a-real-chain", options->on_a_real_chain, Msg::kOptBenchRealCustodians);
  pseudonym.Run([&invocation, options] { return BenchPseudonym(invocation, *options); });
}

}  // namespace schakel::cli
