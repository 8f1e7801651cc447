// The column families of the store: one sorted key space each. FORMAT.md says what each holds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace schakel::store {

enum class Family : uint8_t {
  kHot,       // once, status, queues, consent links, timers: small, changes all the time
  kContent,   // sealed sections and wraps: large values, in blob files
  kRecords,   // audit records and their salts, by index
  kTiles,     // full tiles, one frontier a batch
  kRegistry,  // organisations, key sets, statements, bundles: as versions
  kLocal,     // checkpoints, partial tiles, query indexes, caches: no part of the state
};

inline constexpr std::array<Family, 6> kFamilies = {Family::kHot,      Family::kContent,
                                                    Family::kRecords,  Family::kTiles,
                                                    Family::kRegistry, Family::kLocal};

// The name on disk; never changes once written.
constexpr std::string_view FamilyName(Family family) {
  switch (family) {
    case Family::kHot:
      return "hot";
    case Family::kContent:
      return "content";
    case Family::kRecords:
      return "records";
    case Family::kTiles:
      return "tiles";
    case Family::kRegistry:
      return "registry";
    case Family::kLocal:
      return "local";
  }
  return "";
}

// INVARIANT I6: the families whose every key and value must be equal on every machine that applied
// the same commands. `local` is not among them.
constexpr bool IsState(Family family) { return family != Family::kLocal; }

constexpr size_t FamilyIndex(Family family) { return static_cast<size_t>(family); }

}  // namespace schakel::store
