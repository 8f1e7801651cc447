#include "broker/sequencer/registry_cache.h"

#include "broker/base/limits.h"

namespace schakel::sequencer {

using store::Family;

namespace {

// FORMAT.md: 'O' an organisation's current entry, 'k' a key set. Statements and bundles are left
// out: the first are as many as the persons, the second are kept compiled.
bool IsKept(Family family, BytesView key) {
  return family == Family::kRegistry && !key.empty() && (key[0] == 'O' || key[0] == 'k');
}

}  // namespace

Result<std::optional<Bytes>> RegistryCache::Get(Family family, BytesView key) const {
  if (!IsKept(family, key)) return base_.Get(family, key);
  Bytes name(key);
  if (auto it = values_.find(name); it != values_.end()) return it->second;
  SCHAKEL_ASSIGN(auto value, base_.Get(family, key));
  if (values_.size() >= 4 * limits::kOrganisationsMax) values_.clear();
  values_.emplace(std::move(name), value);
  return value;
}

Status RegistryCache::Scan(Family family, BytesView begin, BytesView end,
                           const store::Visitor& fn) const {
  return base_.Scan(family, begin, end, fn);
}

Status RegistryCache::ScanReverse(Family family, BytesView begin, BytesView end,
                                  const store::Visitor& fn) const {
  return base_.ScanReverse(family, begin, end, fn);
}

Result<std::vector<std::optional<Bytes>>> RegistryCache::MultiGet(
    Family family, std::span<const BytesView> keys) const {
  return base_.MultiGet(family, keys);
}

void RegistryCache::Committed(const store::Batch& batch) {
  for (const auto& [key, value] : batch.points(Family::kRegistry)) values_.erase(key);
}

}  // namespace schakel::sequencer
