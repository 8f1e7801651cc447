// The chain director's figures: what may be shown of numbers of persons. Pure functions.
//
// A cell says how many distinct persons there were in a period, place and kind of signal. It is
// shown when they were at least 10, rounded to the nearest 5. What is left out must not be told
// from what is shown beside it: where a total is shown and the rest of its period is so small, a
// further row is left out too. A table is made of coarser cells until at most a fifth of them is
// left out.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "broker/query/flow_calendar.h"
#include "schakel/v1/flow.pb.h"

namespace schakel::query {

// SOURCE: design of the figures: fewer persons in a cell might be told from each other.
inline constexpr uint32_t kFlowPersonsMin = 10;
inline constexpr uint32_t kFlowStep = 5;
// The last closed period and four before it.
inline constexpr size_t kFlowPeriods = 5;

// A person of a signal, as it went to one recipient. Times are microseconds UTC.
struct FlowEntry {
  uint32_t epoch = 0;     // of the pseudonym key: persons of two epochs can't be compared
  uint64_t person = 0;    // the first bytes of the pseudonym
  uint64_t known_us = 0;  // since when the person is known, where it was not from the beginning
  std::string area;       // municipality, or the region
  std::string signal_type;
  std::string sender_sector;
  std::string recipient_sector;
  uint64_t sent_us = 0;
  uint64_t ended_us = 0;    // when the recipient was done, 0 while it is not
  uint64_t stalled_us = 0;  // when its term ends, 0 for never
  bool refused = false;
};

// How fine a table's cells are.
struct FlowLevel {
  v1::FlowPeriodKind period = v1::FLOW_PERIOD_KIND_WEEK;
  v1::FlowPlace place = v1::FLOW_PLACE_MUNICIPALITY;
  v1::FlowParties parties = v1::FLOW_PARTIES_SIGNAL_TYPE;
  bool operator==(const FlowLevel&) const = default;
};
// From fine to coarse. Weeks are kept for as long as coarser places and parties help: what a
// director wants to see is this week against the last ones.
const std::vector<FlowLevel>& FlowLadder();

// Whether a measure counts the entry in a period.
bool CountsIn(const FlowEntry& entry, v1::FlowMeasure measure, const FlowPeriod& period);

// Distinct persons. Of persons under two epochs the larger number counts, since they may be the
// same: never too many.
uint32_t DistinctPersons(const std::vector<const FlowEntry*>& entries);

// A number as it is shown: 0 below 10, else rounded to the nearest 5.
uint32_t ShownPersons(uint32_t persons);
v1::FlowBand BandOf(uint32_t persons);

// A table of one level, and how much of it is left out.
struct FlowFigures {
  v1::FlowTable table;
  size_t cells = 0;     // with anybody in them, totals included
  size_t left_out = 0;  // of those
};
FlowFigures MakeFigures(const std::vector<FlowEntry>& entries, v1::FlowMeasure measure,
                        const FlowLevel& level, const std::vector<FlowPeriod>& periods,
                        const std::string& region);

// What a level's table is made from: everything that was sent in its periods, or earlier and still
// waited in one of them.
struct FlowInput {
  std::vector<FlowEntry> entries;
  std::vector<FlowPeriod> periods;
};
using FlowSource = std::function<const FlowInput*(v1::FlowPeriodKind)>;  // null: none
// The finest table of which at most a fifth is left out, or else the coarsest.
// REQUIRES: the source has weeks.
v1::FlowTable ChooseFigures(const FlowSource& source, v1::FlowMeasure measure,
                            const std::string& region);

}  // namespace schakel::query
