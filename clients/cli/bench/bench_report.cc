#include "clients/cli/bench/bench_report.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace schakel::cli {
namespace {

using BenchJson = nlohmann::ordered_json;

struct NamedShare {
  const char* name;
  double share;
};
constexpr std::array<NamedShare, 4> kShares = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}}};

double Rounded(double value) { return std::round(value * 1000) / 1000; }

BenchJson StepJson(const BenchStep& step) {
  BenchJson json = {
      {"step", step.code}, {"count", step.count}, {"perSecond", Rounded(step.per_second)}};
  if (step.latencies.size() == 0) return json;
  BenchJson micros = BenchJson::object();
  for (const auto& [name, share] : kShares) micros[name] = Rounded(step.latencies.Micros(share));
  micros["max"] = Rounded(step.latencies.MaxMicros());
  json["microseconds"] = std::move(micros);
  return json;
}

}  // namespace

std::string LatencyText(double micros) {
  const auto text = [](double value, const char* unit) {
    char out[48];
    const int digits = value < 10 ? 2 : value < 100 ? 1 : 0;
    std::snprintf(out, sizeof out, "%.*f %s", digits, value, unit);
    return std::string(out);
  };
  if (micros < 1) return text(micros * 1000, "ns");
  if (micros < 1000) return text(micros, "us");
  if (micros < 1'000'000) return text(micros / 1000, "ms");
  return text(micros / 1'000'000, "s");
}

void ShowBench(Invocation& invocation, const BenchReport& report) {
  BenchJson json = {{"bench", report.bench}, {"parameters", report.parameters}};
  for (const auto& [name, value] : report.figures.items()) json[name] = value;
  json["steps"] = BenchJson::array();
  Table table({invocation.Text(Msg::kColStep), invocation.Text(Msg::kColCount),
               invocation.Text(Msg::kColPerSecond), "P50", "P90", "P99", "P99.9",
               invocation.Text(Msg::kColMax)});
  for (const auto& step : report.steps) {
    json["steps"].push_back(StepJson(step));
    const bool timed = step.latencies.size() > 0;
    std::vector<Cell> row = {invocation.Text(step.name), std::to_string(step.count),
                             std::to_string(std::llround(step.per_second))};
    for (const auto& [name, share] : kShares) {
      row.emplace_back(timed ? LatencyText(step.latencies.Micros(share)) : "");
    }
    row.emplace_back(timed ? LatencyText(step.latencies.MaxMicros()) : "");
    table.Add(std::move(row));
  }
  json["problems"] = report.problems;
  json["interrupted"] = report.interrupted;
  json["measured"] = invocation.Text(report.measured);
  invocation.ShowJson(json.dump(2), {json.dump()}, table);
  for (const auto& [reason, count] : report.problems) {
    invocation.Line(invocation.Text(Msg::kBenchProblem, {reason, std::to_string(count)}));
  }
  for (const auto& line : report.lines) invocation.Line(line);
  invocation.Line(invocation.Text(report.measured));
}

BenchJson ParametersOf(const LoadSettings& settings, const sdk::SignalDraft& draft,
                       const std::vector<OrganisationId>& recipients) {
  BenchJson to = BenchJson::array();
  for (const auto& recipient : recipients) to.push_back(recipient.str());
  BenchJson sections = BenchJson::array();
  for (const auto& section : draft.sections) {
    sections.push_back({{"category", section.category},
                        {"ground", section.ground},
                        {"bytes", section.content.size()}});
  }
  BenchJson parameters = {
      {"type", draft.signal_type},
      {"purpose", draft.purpose},
      {"recipients", std::move(to)},
      {"sections", std::move(sections)},
      {"senders", settings.senders},
      {"inFlight", settings.in_flight},
      {"batch", settings.batch},
      {"durationSeconds", std::chrono::duration<double>(settings.duration).count()},
      {"warmUpSeconds", std::chrono::duration<double>(settings.warm_up).count()}};
  if (settings.signals) parameters["signals"] = *settings.signals;
  return parameters;
}

void PutLoad(const Invocation& invocation, const LoadSettings& settings, const LoadTimes& times,
             const Stock& stock, BenchReport& report) {
  report.interrupted = times.interrupted;
  report.parameters["envelopeBytes"] = stock.envelope_bytes();
  report.figures["seconds"] = Rounded(times.seconds);
  report.figures["sent"] = times.sent;
  report.figures["signatures"] = times.signatures;
  report.figures["repeats"] = times.repeats;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f", times.seconds);
  report.lines.push_back(invocation.Text(
      Msg::kBenchLoad, {std::to_string(times.sent), seconds, std::to_string(stock.envelope_bytes()),
                        std::to_string(settings.senders), std::to_string(settings.in_flight),
                        std::to_string(settings.batch), std::to_string(times.signatures)}));
  if (times.repeats > 0) {
    report.lines.push_back(invocation.Text(Msg::kBenchRepeats, {std::to_string(times.repeats)}));
  }
}

ExitCode EndOf(Invocation& invocation, const BenchReport& report, const LoadTimes& times) {
  if (times.error) invocation.ReportError(*times.error);
  if (report.interrupted) return ExitCode::kInterrupted;
  return times.error || !report.problems.empty() ? ExitCode::kNegative : ExitCode::kOk;
}

}  // namespace schakel::cli
