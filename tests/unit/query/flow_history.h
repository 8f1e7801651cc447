// Random histories of signals for the tests of the chain director's answers: written into a store
// in memory as the machine writes them, without its commands, so that a thousand of them are quick.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/support/machine_fixture.h"

namespace schakel::query {

inline constexpr uint64_t kWeekUs = 7ull * 86'400'000'000;

// A signal as the history says it, for the test's own count.
struct PastSignal {
  OrganisationId sender;
  Bytes id;
  std::string type;
  std::string area;  // of its recipient's function; empty: addressed as an organisation
  OrganisationId recipient;
  std::vector<Bytes> persons;   // pseudonyms; of an unlinked person, who it turned out to be, or ""
  std::vector<Bytes> unlinked;  // in the same order: the random value, or ""
  Bytes case_id;
  uint64_t sent_us = 0;
  uint64_t ended_us = 0;  // 0: it waits
  uint64_t attached_us = 0;
  bool refused = false;
};

struct History {
  std::vector<PastSignal> signals;
};

// `until_us`: the last moment. Most of it lies in the weeks before; some in the running one.
History RandomHistory(testing::SeededBytes* random, uint64_t until_us);

// The same as it stood at a moment: without what came later.
History AsOf(const History& history, uint64_t time_us);

// Writes it into a copy of `begin`, with what waited for longer than its term in the director's
// list.
std::unique_ptr<store::testing::MemoryState> StateOf(const store::testing::MemoryState& begin,
                                                     const History& history, uint64_t now_us);

// Everything that a director must not see, as bytes.
std::set<Bytes> SecretsOf(const History& history);

}  // namespace schakel::query
