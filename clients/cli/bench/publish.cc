// schakel bench publish: signals to a running broker, as fast as it answers.
#include <memory>

#include "clients/cli/bench/bench.h"
#include "clients/cli/bench/bench_report.h"
#include "clients/cli/bench/load_options.h"
#include "clients/cli/bench/load_run.h"
#include "clients/cli/bench/outcome.h"
#include "clients/cli/bench/real_chain.h"

namespace schakel::cli {
namespace {

class PublishTally final : public SendObserver {
 public:
  explicit PublishTally(Tokens& tokens) : tokens_(tokens) {}

  void Began(const SignalId&, BenchClock::time_point) override {}
  void Answered(const SignalId&, BenchClock::time_point began,
                const Result<v1::PublishResult>& answer) override {
    const auto took = BenchClock::now() - began;
    const auto outcome = OutcomeOf(answer);
    {
      const std::lock_guard guard(mutex_);
      if (outcome.decided) latencies_.Add(took);
      if (outcome.queued > 0 && outcome.reasons.empty()) ++published_;
      for (const auto& reason : outcome.reasons) ++problems_[reason];
    }
    tokens_.Release();
  }

  void Reset() {
    const std::lock_guard guard(mutex_);
    latencies_ = {};
    published_ = 0;
    problems_.clear();
  }

  // REQUIRES: nothing is in flight
  const bench::Latencies& latencies() const { return latencies_; }
  uint64_t published() const { return published_; }
  const std::map<std::string, uint64_t>& problems() const { return problems_; }

 private:
  Tokens& tokens_;
  std::mutex mutex_;  // guards what follows
  bench::Latencies latencies_;
  uint64_t published_ = 0;  // with something for each recipient
  std::map<std::string, uint64_t> problems_;
};

Result<ExitCode> BenchPublish(Invocation& invocation, const LoadOptions& options) {
  SCHAKEL_ASSIGN(const auto settings, CheckLoad(invocation, options));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  if (!settings.on_a_real_chain) SCHAKEL_TRY(RefuseRealChain(invocation, *session));
  SCHAKEL_ASSIGN(auto draft, LoadDraft(invocation, options));
  BenchReport report{"publish", Msg::kBenchPublishMeasured};
  const InterruptGuard guard;
  report.parameters = ParametersOf(settings, draft, {});
  SCHAKEL_ASSIGN(const auto stock, Stock::Open(*session, std::move(draft)));
  if (!settings.on_a_real_chain) {
    SCHAKEL_TRY(RefuseRealOrganisations(invocation, stock->recipients()));
  }
  for (const auto& recipient : stock->recipients()) {
    report.parameters["recipients"].push_back(recipient.str());
  }
  Tokens tokens(settings.in_flight);
  PublishTally tally(tokens);
  SCHAKEL_ASSIGN(const auto sending, Sending::Open(*session, *stock, settings, tokens, tally));
  LoadRun run(invocation, settings, *stock, *sending, guard);
  run.begin_counting = [&] { tally.Reset(); };
  SCHAKEL_ASSIGN(const auto times, run.Go());
  report.steps.push_back({"published", Msg::kBenchPublished, tally.published(),
                          PerSecond(tally.published(), times.seconds), tally.latencies()});
  report.problems = tally.problems();
  PutLoad(invocation, settings, times, *stock, report);
  ShowBench(invocation, report);
  return EndOf(invocation, report, times);
}

}  // namespace

void AddBenchPublish(CLI::App* noun, Invocation& invocation) {
  Verb publish(noun, invocation, "publish", Msg::kVerbBenchPublish,
               R"(schakel bench publish --signals 1000
schakel bench publish --batch 64 --senders 2 --signals 2000 -o json
echo '{"months_in_arrears": 3, "amount_cents": 145000}' > arrears.json
schakel bench publish --type rent-arrears --purpose prevent-eviction \
    --ground wgs-debt --to-function debt-relief@Dordrecht \
    --section finances=@arrears.json --size 3000 --in-flight 16 --signals 500)");
  const auto options = std::make_shared<LoadOptions>();
  AddLoadOptions(publish, *options);
  publish.Run([&invocation, options] { return BenchPublish(invocation, *options); });
}

}  // namespace schakel::cli
