#include "tests/bench/stream_bench.h"

#include <algorithm>
#include <iomanip>
#include <iostream>

#include "tests/bench/processor_time.h"
#include "tests/bench/sealed.h"
#include "tests/bench/streams.h"
#include "tests/e2e/region.h"

namespace schakel::bench {

namespace {

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int RunStreamBench(const StreamOptions& options, std::ostream& out) {
  e2e::Region region({.as_deployed = true});
  auto session = region.NewSession("corporation", "bench");
  const auto connection = session->connection().value();
  constexpr double kMostPerSecond = 60'000;
  constexpr auto kWarmUp = std::chrono::milliseconds(300);
  const auto counted = std::chrono::milliseconds(static_cast<int>(options.seconds * 1000));
  std::vector<double> rates, p50, p99, client, broker;
  for (int round = 0; round < options.rounds; ++round) {
    Batches batches(*session,
                    static_cast<size_t>(kMostPerSecond * (options.seconds + 0.5)) / kBatch + 64);
    const double own_before = OwnProcessorSeconds();
    const double broker_before = ProcessorSecondsOf(region.broker().pid());
    auto result =
        RunPublishStreams(connection->options(), batches, options.streams, kWarmUp, counted);
    if (!result.error.empty() || result.signals == 0) {
      std::cerr << (result.error.empty() ? "--seconds: too short" : result.error) << '\n';
      return 1;
    }
    const auto all = static_cast<double>(result.with_warm_up);
    rates.push_back(static_cast<double>(result.signals) / options.seconds);
    p50.push_back(result.latencies.Micros(0.50));
    p99.push_back(result.latencies.Micros(0.99));
    client.push_back((OwnProcessorSeconds() - own_before) * 1e6 / all);
    broker.push_back((ProcessorSecondsOf(region.broker().pid()) - broker_before) * 1e6 / all);
  }
  out << "\n| streams | signals/s | p50 us of a batch | p99 us | client's us a signal | broker's "
         "|\n"
         "|---|---|---|---|---|---|\n"
      << std::fixed << std::setprecision(0) << "| " << options.streams << " | " << Median(rates)
      << " | " << Median(p50) << " | " << Median(p99) << " | " << std::setprecision(1)
      << Median(client) << " | " << Median(broker) << " |" << std::endl;
  return 0;
}

}  // namespace schakel::bench
