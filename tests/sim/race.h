// Withdrawal racing deliveries: seeded interleavings of deliver, write, withdraw, cancel, release
// and repeated fetch. The transport is played as delivery does it: an item whose write had not
// begun when a withdrawal about its subject became durable is cancelled, never written.
#pragma once

#include <cstdint>
#include <string>

namespace schakel::sim {

struct RaceResult {
  std::string wrong;  // with its seed; empty when all held
  size_t races = 0;
  size_t written = 0;    // items handed over before their withdrawal
  size_t cancelled = 0;  // items that were leased but not written when it came
  size_t withheld = 0;   // deliveries after it that gave nothing
};

// INVARIANT I4: checks that nothing which relied on the consent is written after the position of
// its withdrawal, and that it is gone from the store in the end.
RaceResult RunRaces(size_t races, uint64_t seed);

}  // namespace schakel::sim
