// Keys of what a log keeps in a store, the broker's and a custodian's alike. The grammar in prose
// with worked examples: broker/store/FORMAT.md. Numbers are big-endian, so that bytewise order is
// numeric order.
#pragma once

#include <cstdint>
#include <optional>

#include "broker/base/bytes.h"

namespace schakel::audit::keys {

// ---- hot ----
Bytes Meta();  // m: where the log stands
// ---- records, tiles ----
Bytes Record(uint64_t index);                // r u64
Bytes Tile(uint32_t level, uint64_t index);  // t u8 u64
Bytes Frontier();                            // f
// ---- local ----
Bytes Checkpoint();  // c: the last signed checkpoint

// The big-endian u64 at the end of an index key, or nullopt when the key is too short.
std::optional<uint64_t> TrailingU64(BytesView key);

}  // namespace schakel::audit::keys
