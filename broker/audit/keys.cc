#include "broker/audit/keys.h"

namespace schakel::audit::keys {

Bytes Meta() { return "m"; }
Bytes Record(uint64_t index) { return ByteWriter().U8('r').U64(index).Take(); }
Bytes Tile(uint32_t level, uint64_t index) {
  return ByteWriter().U8('t').U8(static_cast<uint8_t>(level)).U64(index).Take();
}
Bytes Frontier() { return "f"; }
Bytes Checkpoint() { return "c"; }

std::optional<uint64_t> TrailingU64(BytesView key) {
  if (key.size() < 8) return std::nullopt;
  return ByteReader(key.substr(key.size() - 8)).U64();
}

}  // namespace schakel::audit::keys
