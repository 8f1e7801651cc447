// What a bench found, as a table or JSON.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "clients/cli/bench/histogram.h"
#include "clients/cli/bench/load_options.h"
#include "clients/cli/bench/load_run.h"
#include "clients/cli/invocation.h"

namespace schakel::cli {

// One step, how often it was done and how long it took.
struct BenchStep {
  const char* code;  // in JSON
  Msg name;
  uint64_t count = 0;
  double per_second = 0;
  bench::Latencies latencies = {};  // may be empty
};

struct BenchReport {
  const char* bench;                       // the verb
  Msg measured;                            // what is inside the times
  nlohmann::ordered_json parameters = {};  // as they held
  std::vector<BenchStep> steps = {};
  nlohmann::ordered_json figures = nlohmann::ordered_json::object();  // others; on top in JSON
  std::vector<std::string> lines = {};                                // for people, below the table
  std::map<std::string, uint64_t> problems = {};                      // reason -> how often
  bool interrupted = false;
};

void ShowBench(Invocation& invocation, const BenchReport& report);

// What every load has in common: parameters, times, lines on what went wrong.
void PutLoad(const Invocation& invocation, const LoadSettings& settings, const LoadTimes& times,
             const Stock& stock, BenchReport& report);
nlohmann::ordered_json ParametersOf(const LoadSettings& settings, const sdk::SignalDraft& draft,
                                    const std::vector<OrganisationId>& recipients);

// 130 when interrupted, 1 when something was denied or failed. An Error that ended it is told.
ExitCode EndOf(Invocation& invocation, const BenchReport& report, const LoadTimes& times);

// 812 ns, 1.23 ms: three digits.
std::string LatencyText(double micros);

}  // namespace schakel::cli
