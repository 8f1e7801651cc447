#include "broker/query/flow_figures.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "broker/machine/context.h"

namespace schakel::query {

namespace {

constexpr uint64_t kLongWaitUs =
    std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::hours(7 * 24)).count();

// Area, signal type, sectors of sender and recipient: views into the entries.
using RowKey = std::tuple<std::string_view, std::string_view, std::string_view, std::string_view>;
using Persons = std::vector<const FlowEntry*>;

RowKey RowOf(const FlowEntry& entry, const FlowLevel& level, const std::string& region) {
  const std::string_view area = level.place == v1::FLOW_PLACE_REGION ? region : entry.area;
  if (level.parties == v1::FLOW_PARTIES_SIGNAL_TYPE) return {area, entry.signal_type, "", ""};
  return {area, "", entry.sender_sector, entry.recipient_sector};
}

// One period of a table.
class Column {
 public:
  void Add(const RowKey& row, const FlowEntry& entry) {
    rows_[row].push_back(&entry);
    all_.push_back(&entry);
  }

  void Decide() {
    total_ = DistinctPersons(all_);
    for (const auto& [row, persons] : rows_) {
      counts_[row] = DistinctPersons(persons);
      if (counts_[row] < kFlowPersonsMin) hidden_.push_back(row);
    }
    // A total less what is shown beside it tells what is left out: that must be 10 persons again,
    // and of more than one row.
    while (total_ >= kFlowPersonsMin && !hidden_.empty() && !HiddenIsLarge()) {
      auto next = counts_.end();
      for (auto it = counts_.begin(); it != counts_.end(); ++it) {
        if (IsHidden(it->first)) continue;
        if (next == counts_.end() || it->second < next->second) next = it;
      }
      if (next == counts_.end()) break;
      hidden_.push_back(next->first);
    }
  }

  uint32_t total() const { return ShownPersons(total_); }
  uint32_t Shown(const RowKey& row) const {
    const auto it = counts_.find(row);
    return it == counts_.end() || IsHidden(row) ? 0 : ShownPersons(it->second);
  }
  std::vector<RowKey> rows() const {
    std::vector<RowKey> keys;
    for (const auto& [row, persons] : rows_) keys.push_back(row);
    return keys;
  }
  size_t cells() const { return rows_.size() + (all_.empty() ? 0 : 1); }
  size_t left_out() const {
    return hidden_.size() + (!all_.empty() && total_ < kFlowPersonsMin ? 1 : 0);
  }

 private:
  bool IsHidden(const RowKey& row) const {
    return std::find(hidden_.begin(), hidden_.end(), row) != hidden_.end();
  }
  bool HiddenIsLarge() const {
    Persons together;
    for (const auto& row : hidden_) {
      const Persons& persons = rows_.at(row);
      together.insert(together.end(), persons.begin(), persons.end());
    }
    return hidden_.size() > 1 && DistinctPersons(together) >= kFlowPersonsMin;
  }

  std::map<RowKey, Persons> rows_;
  std::map<RowKey, uint32_t> counts_;
  std::vector<RowKey> hidden_;
  Persons all_;
  uint32_t total_ = 0;
};

}  // namespace

const std::vector<FlowLevel>& FlowLadder() {
  static const std::vector<FlowLevel> ladder = [] {
    std::vector<FlowLevel> levels;
    for (auto period :
         {v1::FLOW_PERIOD_KIND_WEEK, v1::FLOW_PERIOD_KIND_MONTH, v1::FLOW_PERIOD_KIND_QUARTER}) {
      levels.push_back({period, v1::FLOW_PLACE_MUNICIPALITY, v1::FLOW_PARTIES_SIGNAL_TYPE});
      levels.push_back({period, v1::FLOW_PLACE_REGION, v1::FLOW_PARTIES_SIGNAL_TYPE});
      levels.push_back({period, v1::FLOW_PLACE_REGION, v1::FLOW_PARTIES_SECTOR_PAIR});
    }
    return levels;
  }();
  return ladder;
}

bool CountsIn(const FlowEntry& entry, v1::FlowMeasure measure, const FlowPeriod& period) {
  const auto within = [&](uint64_t time) {
    return time >= period.begin_us && time < period.end_us;
  };
  // INVARIANT I6: nothing that happened at or behind its end changes a period.
  if (entry.sent_us >= period.end_us || entry.known_us >= period.end_us) return false;
  const bool waits = entry.ended_us == 0 || entry.ended_us >= period.end_us;
  switch (measure) {
    case v1::FLOW_MEASURE_SENT:
      return within(entry.sent_us);
    case v1::FLOW_MEASURE_WAITING:
      return waits;
    case v1::FLOW_MEASURE_WAITING_LONG:
      return waits && period.end_us - entry.sent_us > kLongWaitUs;
    case v1::FLOW_MEASURE_STALLED:
      return waits && entry.stalled_us != 0 && entry.stalled_us <= period.end_us;
    case v1::FLOW_MEASURE_REFUSED:
      return entry.refused && within(entry.ended_us);
    default:
      return false;
  }
}

uint32_t DistinctPersons(const std::vector<const FlowEntry*>& entries) {
  std::vector<std::pair<uint32_t, uint64_t>> persons;
  persons.reserve(entries.size());
  for (const auto* entry : entries) persons.emplace_back(entry->epoch, entry->person);
  std::sort(persons.begin(), persons.end());
  persons.erase(std::unique(persons.begin(), persons.end()), persons.end());
  uint32_t most = 0;
  uint32_t run = 0;
  for (size_t i = 0; i < persons.size(); ++i) {
    run = i > 0 && persons[i - 1].first == persons[i].first ? run + 1 : 1;
    most = std::max(most, run);
  }
  return most;
}

uint32_t ShownPersons(uint32_t persons) {
  if (persons < kFlowPersonsMin) return 0;
  return (persons + kFlowStep / 2) / kFlowStep * kFlowStep;
}

v1::FlowBand BandOf(uint32_t persons) {
  if (persons < kFlowPersonsMin) return v1::FLOW_BAND_FEWER_THAN_10;
  if (persons < 50) return v1::FLOW_BAND_FROM_10;
  if (persons < 200) return v1::FLOW_BAND_FROM_50;
  if (persons < 1000) return v1::FLOW_BAND_FROM_200;
  return v1::FLOW_BAND_FROM_1000;
}

FlowFigures MakeFigures(const std::vector<FlowEntry>& entries, v1::FlowMeasure measure,
                        const FlowLevel& level, const std::vector<FlowPeriod>& periods,
                        const std::string& region) {
  FlowFigures figures;
  auto& table = figures.table;
  table.set_measure(measure);
  table.set_period_kind(level.period);
  table.set_place(level.place);
  table.set_parties(level.parties);
  std::vector<Column> columns(periods.size());
  std::map<RowKey, bool> rows;  // whether anything of it is shown
  for (size_t p = 0; p < periods.size(); ++p) {
    for (const auto& entry : entries) {
      if (CountsIn(entry, measure, periods[p])) columns[p].Add(RowOf(entry, level, region), entry);
    }
    columns[p].Decide();
    figures.cells += columns[p].cells();
    figures.left_out += columns[p].left_out();
    for (const auto& row : columns[p].rows()) rows[row] |= columns[p].Shown(row) > 0;
    auto* period = table.add_periods();
    machine::SetTimestamp(periods[p].begin_us, period->mutable_begin());
    machine::SetTimestamp(periods[p].end_us, period->mutable_end());
    table.add_totals(columns[p].total());
  }
  for (const auto& [key, shown] : rows) {
    if (!shown) continue;  // that there was anybody in it is left out too
    auto* row = table.add_rows();
    row->set_area(std::string(std::get<0>(key)));
    row->set_signal_type(std::string(std::get<1>(key)));
    row->set_sender_sector(std::string(std::get<2>(key)));
    row->set_recipient_sector(std::string(std::get<3>(key)));
    for (const auto& column : columns) row->add_persons(column.Shown(key));
  }
  // Nobody at all looks like a few: that there was anybody is left out too.
  table.set_mostly_left_out(figures.left_out * 5 > figures.cells || figures.cells == 0);
  return figures;
}

v1::FlowTable ChooseFigures(const FlowSource& source, v1::FlowMeasure measure,
                            const std::string& region) {
  FlowFigures figures;
  for (const auto& level : FlowLadder()) {
    const FlowInput* input = source(level.period);
    if (input == nullptr) break;
    figures = MakeFigures(input->entries, measure, level, input->periods, region);
    if (!figures.table.mostly_left_out()) break;
  }
  return figures.table;
}

}  // namespace schakel::query
