// What the chain director's figures are counted from: the signals as they stand in the state.
#pragma once

#include "broker/query/bundles.h"
#include "broker/query/flow_figures.h"
#include "broker/store/state_reader.h"

namespace schakel::query {

// The region's area code, as the bundle's area of the highest level.
std::string RegionArea(const policy::CompiledBundle& bundle);

// A person of each signal that was decided at or after `from_us`, once for each recipient that got
// anything. An unlinked person counts from when the recipient attached a pseudonym, and until then
// not at all: the broker can't tell whether two of them are one. TOO_LARGE when there are more
// signals than limits::kFlowSignalsMax.
Result<std::vector<FlowEntry>> ReadFlowEntries(const store::StateReader& state,
                                               const policy::CompiledBundle& bundle,
                                               uint64_t from_us);

}  // namespace schakel::query
