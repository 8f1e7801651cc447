#include "broker/machine/registry.h"

#include "broker/base/limits.h"
#include "broker/machine/facts.h"
#include "broker/machine/keys.h"

namespace schakel::machine {
namespace {

// `read` gives a Result<std::optional<T>>.
template <typename T, typename Read>
Result<std::shared_ptr<const T>> Find(std::unordered_map<Bytes, std::shared_ptr<const T>>& kept,
                                      Bytes key, Read&& read) {
  if (auto it = kept.find(key); it != kept.end()) return it->second;
  SCHAKEL_ASSIGN(auto value, read());
  if (!value) return std::shared_ptr<const T>();
  if (kept.size() >= 4 * limits::kOrganisationsMax) kept.clear();
  auto shared = std::make_shared<const T>(*std::move(value));
  kept.emplace(std::move(key), shared);
  return shared;
}

}  // namespace

Result<Registry::Organisation> Registry::FindOrganisation(const store::StateReader& view,
                                                          const OrganisationId& oin) {
  return Find(organisations_, keys::Organisation(oin),
              [&] { return machine::FindOrganisation(view, oin); });
}

Result<Registry::KeySet> Registry::FindKeySet(const store::StateReader& view,
                                              const Digest& digest) {
  return Find(key_sets_, keys::KeySet(digest), [&] { return machine::FindKeySet(view, digest); });
}

void Registry::Wrote(BytesView key) {
  organisations_.erase(Bytes(key));
  key_sets_.erase(Bytes(key));
}

}  // namespace schakel::machine
