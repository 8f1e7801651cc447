// schakel_bench_growth: what tests/bench/growth measures with. Writes a line of JSON for each step.
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tests/bench/growth.h"

int main(int argc, char** argv) {
  schakel::bench::GrowthOptions options;
  CLI::App app("Fills a broker's store and measures at steps");
  app.add_option("--folder", options.folder, "An empty folder for the store")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--signals", options.signals, "Signals at the end")->required();
  app.add_option("--steps", options.steps, "Measured so many times")->check(CLI::Range(1, 1000));
  app.add_option("--in-flight", options.in_flight, "Publishes under way")
      ->check(CLI::Range(1, 4096));
  CLI11_PARSE(app, argc, argv);
  if (options.signals < options.steps) {
    std::cerr << "--signals: at least one for each step\n";
    return 64;
  }
  const auto error = schakel::bench::RunGrowth(options, [](const auto& step) {
    const nlohmann::json line = {{"signals", step.signals},
                                 {"records", step.records},
                                 {"publish_per_second", step.publish_per_second},
                                 {"whole_per_second", step.whole_per_second},
                                 {"publish_p50_us", step.publish_p50_us},
                                 {"publish_p99_us", step.publish_p99_us},
                                 {"processor_us", step.processor_us},
                                 {"rss_bytes", step.rss_bytes},
                                 {"rss_peak_bytes", step.rss_peak_bytes},
                                 {"disk_bytes", step.disk_bytes},
                                 {"start_seconds", step.start_seconds}};
    std::cout << line.dump() << std::endl;
  });
  if (error.empty()) return 0;
  std::cerr << error << '\n';
  return 1;
}
