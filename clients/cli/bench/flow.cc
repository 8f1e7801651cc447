// schakel bench flow: signals from their sender to their recipients and back, both ends measured.
#include <algorithm>
#include <memory>
#include <thread>

#include "broker/base/limits.h"
#include "clients/cli/bench/bench.h"
#include "clients/cli/bench/bench_report.h"
#include "clients/cli/bench/flow_ledger.h"
#include "clients/cli/bench/flow_recipient.h"
#include "clients/cli/bench/load_options.h"
#include "clients/cli/bench/load_run.h"
#include "clients/cli/bench/outcome.h"
#include "clients/cli/bench/real_chain.h"

namespace schakel::cli {
namespace {

constexpr std::chrono::milliseconds kQuietWhenInterrupted{2000};

struct FlowOptions {
  LoadOptions load;
  std::vector<std::string> recipients;
  uint64_t streams = 1;
  uint64_t window = limits::kPullWindowMax;
};

using Recipients = std::vector<std::unique_ptr<FlowRecipient>>;

std::vector<OrganisationId> OinsOf(const Recipients& recipients) {
  std::vector<OrganisationId> oins;
  for (const auto& recipient : recipients) oins.push_back(recipient->oin());
  return oins;
}

// Whoever gets signals has to be among those who take them.
Status CheckReceived(const Invocation& invocation, const Recipients& recipients,
                     const std::vector<OrganisationId>& addressed) {
  for (const auto& oin : addressed) {
    const bool taken = std::any_of(recipients.begin(), recipients.end(),
                                   [&](const auto& each) { return each->oin() == oin; });
    if (!taken)
      return UsageError(invocation.Text(Msg::kBenchNobodyTakes, {oin.str()}), "--recipient");
  }
  return {};
}

// Waits until all is acknowledged, or nothing happens any more.
Status AwaitSettled(const Tokens& tokens, const FlowLedger& ledger, const InterruptGuard& guard,
                    std::chrono::milliseconds quiet_max) {
  uint64_t events = ledger.events();
  auto last = BenchClock::now();
  while (tokens.taken() > 0) {
    if (const auto failure = ledger.Failure()) return *failure;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    const auto now = BenchClock::now();
    if (const uint64_t more = ledger.events(); more != events) {
      events = more;
      last = now;
    }
    const auto most = guard.interrupted() ? std::min(quiet_max, kQuietWhenInterrupted) : quiet_max;
    if (now - last > most) {
      return MakeError(ErrorCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
                       std::to_string(tokens.taken()) +
                           " signals were not delivered and acknowledged; does another program "
                           "read the recipient's inbox?");
    }
  }
  return {};
}

Result<Recipients> OpenRecipients(Invocation& invocation, const FlowOptions& options,
                                  FlowLedger& ledger) {
  Recipients recipients;
  for (const auto& context : options.recipients) {
    SCHAKEL_ASSIGN(auto recipient,
                   FlowRecipient::Open(invocation, context, recipients.size(), ledger));
    for (const auto& other : recipients) {
      if (other->oin() != recipient->oin()) continue;
      return UsageError(invocation.Text(Msg::kBenchRecipientTwice, {recipient->oin().str()}),
                        "--recipient");
    }
    recipients.push_back(std::move(recipient));
  }
  return recipients;
}

BenchReport ReportOf(const FlowCounts& counts, const LoadTimes& times) {
  BenchReport report{"flow", Msg::kBenchFlowMeasured};
  const auto add = [&](const char* code, Msg name, uint64_t count,
                       const bench::Latencies& latencies) {
    report.steps.push_back({code, name, count, PerSecond(count, times.seconds), latencies});
  };
  add("published", Msg::kBenchPublished, counts.published, counts.publish);
  add("delivered", Msg::kBenchDelivered, counts.delivered, counts.delivery);
  add("acknowledged", Msg::kBenchAcknowledged, counts.acknowledged, counts.acknowledge);
  report.problems = counts.problems;
  report.figures["deliveriesExpected"] = counts.expected;
  report.figures["deliveredAgain"] = counts.again;
  return report;
}

Result<ExitCode> BenchFlow(Invocation& invocation, const FlowOptions& options) {
  SCHAKEL_ASSIGN(const auto settings, CheckLoad(invocation, options.load));
  SCHAKEL_TRY(NumberBetween(invocation, options.window, 1, limits::kPullWindowMax, "--window"));
  SCHAKEL_TRY(NumberBetween(invocation, options.streams, 1, limits::kStreamsPerOrganisationMax,
                            "--streams"));
  SCHAKEL_TRY(NumberBetween(invocation, options.recipients.size(), 1, limits::kRecipientsMax,
                            "--recipient"));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  const InterruptGuard guard;
  Tokens tokens(settings.in_flight);
  FlowLedger ledger(tokens);
  SCHAKEL_ASSIGN(const auto recipients, OpenRecipients(invocation, options, ledger));
  const auto oins = OinsOf(recipients);
  if (!settings.on_a_real_chain) {
    SCHAKEL_TRY(RefuseRealOrganisations(invocation, oins));
    SCHAKEL_TRY(RefuseRealChain(invocation, *session));
  }
  SCHAKEL_ASSIGN(auto draft, LoadDraft(invocation, options.load, oins));
  auto parameters = ParametersOf(settings, draft, oins);
  parameters["streams"] = options.streams;
  parameters["window"] = options.window;
  SCHAKEL_ASSIGN(const auto stock, Stock::Open(*session, std::move(draft)));
  SCHAKEL_TRY(CheckReceived(invocation, recipients, stock->recipients()));
  const Stop stop = [&] { return guard.interrupted(); };
  for (const auto& recipient : recipients) {
    SCHAKEL_TRY(recipient->Listen(invocation, options.streams,
                                  static_cast<uint32_t>(options.window), stop));
    recipient->Start();
  }
  SCHAKEL_ASSIGN(const auto sending, Sending::Open(*session, *stock, settings, tokens, ledger));
  LoadRun run(invocation, settings, *stock, *sending, guard);
  run.settle = [&] { return AwaitSettled(tokens, ledger, guard, session->timeout()); };
  run.begin_counting = [&] { ledger.Reset(); };
  SCHAKEL_ASSIGN(const auto times, run.Go());
  auto report = ReportOf(ledger.Counts(), times);
  report.parameters = std::move(parameters);
  uint64_t strange = 0;
  for (const auto& recipient : recipients) strange += recipient->strange();
  report.figures["strange"] = strange;
  if (strange > 0) {
    report.lines.push_back(invocation.Text(Msg::kBenchStrange, {std::to_string(strange)}));
  }
  PutLoad(invocation, settings, times, *stock, report);
  ShowBench(invocation, report);
  return EndOf(invocation, report, times);
}

}  // namespace

void AddBenchFlow(CLI::App* noun, Invocation& invocation) {
  Verb flow(noun, invocation, "flow", Msg::kVerbBenchFlow,
            R"(schakel bench flow --recipient loopback --signals 1000
echo '{"months_in_arrears": 3, "amount_cents": 145000}' > arrears.json
schakel bench flow --recipient debt-relief --type rent-arrears \
    --purpose prevent-eviction --ground wgs-debt --section finances=@arrears.json \
    --batch 16 --in-flight 128 --signals 1000 -o json)");
  const auto options = std::make_shared<FlowOptions>();
  flow.Values("--recipient", options->recipients, Msg::kOptBenchRecipient, "CONTEXT").Required();
  flow.Number("--streams", options->streams, Msg::kOptBenchStreams);
  flow.Number("--window", options->window, Msg::kOptBenchWindow);
  AddLoadOptions(flow, options->load);
  flow.Run([&invocation, options] { return BenchFlow(invocation, *options); });
}

}  // namespace schakel::cli
