#include "broker/store/state_reader.h"

namespace schakel::store {

Result<std::vector<std::optional<Bytes>>> StateReader::MultiGet(
    Family family, std::span<const BytesView> keys) const {
  std::vector<std::optional<Bytes>> values;
  values.reserve(keys.size());
  for (const BytesView key : keys) {
    SCHAKEL_ASSIGN(std::optional<Bytes> value, Get(family, key));
    values.push_back(std::move(value));
  }
  return values;
}

Status StateReader::ScanPrefix(Family family, BytesView prefix, const Visitor& fn) const {
  return Scan(family, prefix, PrefixEnd(prefix), fn);
}

Status StateReader::ScanPrefixReverse(Family family, BytesView prefix, const Visitor& fn) const {
  return ScanReverse(family, prefix, PrefixEnd(prefix), fn);
}

Bytes PrefixEnd(BytesView prefix) {
  while (!prefix.empty() && static_cast<uint8_t>(prefix.back()) == 0xff) prefix.remove_suffix(1);
  Bytes end(prefix);
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

}  // namespace schakel::store
