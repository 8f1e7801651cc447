// schakel flow show: figures of closed weeks, and in words what they leave out.
#include "clients/cli/flow_show.h"

#include <algorithm>
#include <ctime>
#include <memory>

#include "clients/cli/words.h"

namespace schakel::cli {
namespace {

using policy::CodeKind;

constexpr size_t kLongestRows = 5;

// A number, or a dash for what is left out.
std::string Shown(uint32_t persons) { return persons == 0 ? "-" : std::to_string(persons); }

// What four periods before were on average, rounded as the figures are; a dash where one of them is
// left out, since it would be a guess.
template <typename Numbers>
std::string Before(const Numbers& numbers) {
  uint32_t sum = 0;
  for (int i = 1; i < numbers.size(); ++i) {
    if (numbers[i] == 0) return "-";
    sum += numbers[i];
  }
  if (numbers.size() < 2) return "-";
  const auto periods = static_cast<uint32_t>(numbers.size() - 1);
  return std::to_string((sum * 2 / periods + 5) / 10 * 5);
}

// The last day of a period.
std::string LastDay(const v1::FlowPeriod& period) {
  google::protobuf::Timestamp day = period.end();
  day.set_seconds(day.seconds() - 1);
  return DayText(day);
}

std::string PeriodText(Invocation& invocation, const v1::FlowPeriod& period) {
  return invocation.Text(Msg::kFlowFromTo, {DayText(period.begin()), LastDay(period)});
}

std::string SignalsText(Invocation& invocation, const v1::FlowRow& row) {
  Names& names = invocation.names();
  if (!row.signal_type().empty()) return names.Of(CodeKind::kSignalType, row.signal_type());
  return invocation.Text(Msg::kFlowPair, {names.Of(CodeKind::kSector, row.sender_sector()),
                                          names.Of(CodeKind::kSector, row.recipient_sector())});
}

Table Summary(Invocation& invocation, const v1::GetFlowResponse& flow) {
  Table table({invocation.Text(Msg::kColPersons), invocation.Text(Msg::kColLast),
               invocation.Text(Msg::kColBefore), invocation.Text(Msg::kColPer),
               invocation.Text(Msg::kColPeriod)});
  for (const auto& figures : flow.tables()) {
    const bool any = figures.totals_size() > 0;
    table.Add({Word(invocation.language(), figures.measure()), any ? Shown(figures.totals(0)) : "-",
               Before(figures.totals()), Word(invocation.language(), figures.period_kind()),
               any ? PeriodText(invocation, figures.periods(0)) : ""});
  }
  return table;
}

// The rows of a measure's last period, the largest first.
std::vector<const v1::FlowRow*> LargestRows(const v1::FlowTable& figures) {
  std::vector<const v1::FlowRow*> rows;
  for (const auto& row : figures.rows()) {
    if (row.persons_size() > 0 && row.persons(0) > 0) rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto* a, const auto* b) { return a->persons(0) > b->persons(0); });
  return rows;
}

Table RowTable(Invocation& invocation, const std::vector<const v1::FlowRow*>& rows) {
  Table table({invocation.Text(Msg::kColArea), invocation.Text(Msg::kColSignals),
               invocation.Text(Msg::kColLast), invocation.Text(Msg::kColBefore)});
  for (const auto* row : rows) {
    table.Add({invocation.names().Of(CodeKind::kArea, row->area()), SignalsText(invocation, *row),
               Shown(row->persons_size() > 0 ? row->persons(0) : 0), Before(row->persons())});
  }
  return table;
}

void ShowLongest(Invocation& invocation, const v1::GetFlowResponse& flow) {
  invocation.Line("\n" + invocation.Text(Msg::kFlowLongest));
  for (const auto& figures : flow.tables()) {
    if (figures.measure() != v1::FLOW_MEASURE_WAITING_LONG) continue;
    auto rows = LargestRows(figures);
    if (rows.empty()) invocation.Line(invocation.Text(Msg::kFlowNowhere));
    if (rows.empty()) return;
    const size_t more = rows.size() - std::min(rows.size(), kLongestRows);
    rows.resize(rows.size() - more);
    invocation.ShowTable(RowTable(invocation, rows));
    if (more > 0) invocation.Line(invocation.Text(Msg::kFlowMoreRows, {std::to_string(more)}));
  }
}

// How coarse a table had to be, in words; empty when it is as fine as tables are.
std::string CoarseText(Invocation& invocation, const v1::FlowTable& figures) {
  std::string how;
  const auto add = [&](Msg what) { how += (how.empty() ? "" : ", ") + invocation.Text(what); };
  if (figures.period_kind() == v1::FLOW_PERIOD_KIND_MONTH) add(Msg::kFlowByMonth);
  if (figures.period_kind() == v1::FLOW_PERIOD_KIND_QUARTER) add(Msg::kFlowByQuarter);
  if (figures.place() == v1::FLOW_PLACE_REGION) add(Msg::kFlowByRegion);
  if (figures.parties() == v1::FLOW_PARTIES_SECTOR_PAIR) add(Msg::kFlowByPair);
  return how;
}

void ShowOmissions(Invocation& invocation, const v1::GetFlowResponse& flow) {
  invocation.Line("\n" + invocation.Text(Msg::kFlowLeftOut));
  invocation.Line(invocation.Text(Msg::kFlowClosedOnly));
  invocation.Line(invocation.Text(Msg::kFlowDash));
  for (const auto& figures : flow.tables()) {
    const std::string what = Word(invocation.language(), figures.measure());
    const std::string how = CoarseText(invocation, figures);
    if (figures.mostly_left_out()) {
      invocation.Line(invocation.Text(Msg::kFlowMostly, {what}));
    } else if (!how.empty()) {
      invocation.Line(invocation.Text(Msg::kFlowCoarser, {what, how}));
    }
  }
  invocation.Line(invocation.Text(Msg::kFlowUnlinked));
}

void ShowScreen(Invocation& invocation, const v1::GetFlowResponse& flow, bool all_rows) {
  const auto last = std::find_if(flow.tables().begin(), flow.tables().end(),
                                 [](const auto& figures) { return figures.periods_size() > 0; });
  if (last != flow.tables().end()) {
    invocation.Line(invocation.Text(Msg::kFlowHeading, {LastDay(last->periods(0))}) + "\n");
  }
  invocation.ShowTable(Summary(invocation, flow));
  invocation.Line(
      "\n" + invocation.Text(Msg::kFlowNow, {Word(invocation.language(), flow.waiting_now()),
                                             Word(invocation.language(), flow.stalled_now())}));
  ShowLongest(invocation, flow);
  for (const auto& figures : flow.tables()) {
    if (!all_rows || figures.rows().empty()) continue;
    std::vector<const v1::FlowRow*> rows;
    for (const auto& row : figures.rows()) rows.push_back(&row);
    invocation.Line("\n" + Word(invocation.language(), figures.measure()));
    invocation.ShowTable(RowTable(invocation, rows));
  }
  ShowOmissions(invocation, flow);
}

// One line a cell, so that a spreadsheet can sort and draw them.
Table CellTable(Invocation& invocation, const v1::GetFlowResponse& flow) {
  Table table({invocation.Text(Msg::kColPersons), invocation.Text(Msg::kColPer),
               invocation.Text(Msg::kColFrom), invocation.Text(Msg::kColUntil),
               invocation.Text(Msg::kColArea), invocation.Text(Msg::kColSignals),
               invocation.Text(Msg::kColNumberOfPersons)});
  for (const auto& figures : flow.tables()) {
    const auto add = [&](int period, const std::string& area, const std::string& signals,
                         uint32_t persons) {
      table.Add({Word(invocation.language(), figures.measure()),
                 Word(invocation.language(), figures.period_kind()),
                 DayText(figures.periods(period).begin()), LastDay(figures.periods(period)), area,
                 signals, persons == 0 ? "" : std::to_string(persons)});
    };
    for (int p = 0; p < figures.periods_size(); ++p) {
      add(p, invocation.Text(Msg::kFlowWhole), invocation.Text(Msg::kFlowWhole), figures.totals(p));
      for (const auto& row : figures.rows()) {
        add(p, invocation.names().Of(CodeKind::kArea, row.area()), SignalsText(invocation, row),
            row.persons(p));
      }
    }
  }
  return table;
}

Result<ExitCode> Show(Invocation& invocation, bool all_rows) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const client, session->flow());
  SCHAKEL_ASSIGN(const auto flow, client->Get());
  if (invocation.format() == Format::kTable) {
    ShowScreen(invocation, flow, all_rows);
  } else if (invocation.format() == Format::kCsv) {
    invocation.ShowTable(CellTable(invocation, flow));
  } else {
    invocation.Show(flow, "tables", Table({}));
  }
  return ExitCode::kOk;
}

}  // namespace

std::string DayText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "";
  const time_t seconds = time.seconds();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

void AddFlowShow(CLI::App* noun, Invocation& invocation) {
  Verb show(noun, invocation, "show", Msg::kVerbFlowShow,
            "schakel flow show\nschakel flow show --rows\nschakel flow show -o csv > flow.csv");
  const auto all_rows = std::make_shared<bool>(false);
  show.Flag("--rows", *all_rows, Msg::kOptRows);
  show.AllowCsv();
  show.Run([&invocation, all_rows] { return Show(invocation, *all_rows); });
}

}  // namespace schakel::cli
