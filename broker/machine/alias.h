// The name of a signal among people, such as ZHZ-7F3K: short enough to say over the telephone,
// without a meaning, and the same for sender, recipients and the chain director.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/machine/context.h"
#include "broker/merkle/entry.h"

namespace schakel::machine {

// The next signal's alias. No two signals of a log have the same: it is the signal's number,
// permuted under a key that came with the first signal's command, so that nobody outside tells from
// an alias how many signals there were or which comes next. Takes a number: call it once a signal.
std::string NextAlias(Context& ctx);

// The region's part: the first label of its domain in capitals, at most 4 letters or digits.
std::string AliasPrefix(std::string_view region);

// The number's part: 4 characters for the first 2^20 numbers, 6 for the next 2^30, then 8. A
// bijection of the numbers to the codes of each length, for one key.
std::string AliasCode(const merkle::AliasKey& key, uint64_t number);

// An alias as people type it, as the machine writes it: capitals, O as 0, I and L as 1 behind the
// hyphen. nullopt when it can be none.
std::optional<std::string> NormalAlias(std::string_view typed);

}  // namespace schakel::machine
