// Organisations as they stood: of entries and key sets every version stays.
#include "broker/machine/context.h"
#include "broker/machine/facts.h"
#include "broker/machine/keys.h"
#include "broker/query/reading.h"
#include "broker/query/state_parts.h"

namespace schakel::query {

using store::Family;

namespace {

Result<state::v1::OrganisationVersion> EntryVersion(const store::StateReader& state,
                                                    const OrganisationId& oin, uint64_t version) {
  SCHAKEL_ASSIGN(auto entry,
                 Read<state::v1::OrganisationVersion>(
                     state, Family::kRegistry, machine::keys::OrganisationVersion(oin, version)));
  if (!entry) return Damaged("a version of an organisation is missing");
  return *std::move(entry);
}

Result<state::v1::StoredKeySet> KeySetVersion(const store::StateReader& state,
                                              const OrganisationId& oin, uint64_t version) {
  SCHAKEL_ASSIGN(const auto raw,
                 state.Get(Family::kRegistry, machine::keys::KeySetOf(oin, version)));
  const auto digest = raw ? Digest::From(*raw) : std::nullopt;
  if (!digest) return Damaged("a version of a key set is missing");
  SCHAKEL_ASSIGN(auto key_set, machine::FindKeySet(state, *digest));
  if (!key_set) return Damaged("a key set is missing");
  return *std::move(key_set);
}

// The key set that it had then.
Status FillKeySet(const PastPage& page, const OrganisationId& oin, const Bytes& current,
                  v1::OrganisationAt* out) {
  if (current.empty()) return {};
  const auto digest = Digest::From(current);
  if (!digest) return Damaged("a digest of a key set has 32 bytes");
  SCHAKEL_ASSIGN(const auto newest, machine::FindKeySet(page.state, *digest));
  if (!newest) return Damaged("a key set is missing");
  const auto had = [&](uint64_t v) -> Result<bool> {
    SCHAKEL_ASSIGN(const auto key_set, KeySetVersion(page.state, oin, v));
    return page.moment.Has(key_set.registered_us(), key_set.record_index());
  };
  SCHAKEL_ASSIGN(const uint64_t version, LastVersion(newest->version(), had));
  if (version == 0) return {};
  SCHAKEL_ASSIGN(const auto key_set, KeySetVersion(page.state, oin, version));
  SCHAKEL_ASSIGN(const auto raw,
                 page.state.Get(Family::kRegistry, machine::keys::KeySetOf(oin, version)));
  out->set_key_set_version(version);
  out->set_key_set_digest(raw.value_or(Bytes()));
  machine::SetTimestamp(key_set.registered_us(), out->mutable_key_set_since());
  out->set_key_set_index(key_set.record_index());
  return {};
}

// nullopt when it was not admitted yet.
Result<std::optional<v1::OrganisationAt>> OrganisationThen(
    const PastPage& page, const policy::CompiledBundle& bundle,
    const state::v1::OrganisationVersion& current) {
  const auto oin = OrganisationId::From(current.organisation().oin());
  if (!oin) return Damaged("an organisation has no OIN");
  const auto had = [&](uint64_t v) -> Result<bool> {
    SCHAKEL_ASSIGN(const auto version, EntryVersion(page.state, *oin, v));
    return page.moment.Has(version.time_us(), version.record_index());
  };
  SCHAKEL_ASSIGN(const uint64_t version, LastVersion(current.version(), had));
  if (version == 0) return std::optional<v1::OrganisationAt>();
  SCHAKEL_ASSIGN(auto entry, EntryVersion(page.state, *oin, version));
  v1::OrganisationAt at;
  *at.mutable_organisation() = std::move(*entry.mutable_organisation());
  at.set_version(version);
  at.set_disabled(entry.disabled());
  machine::SetTimestamp(entry.time_us(), at.mutable_since());
  at.set_record_index(entry.record_index());
  if (version < current.version()) {
    SCHAKEL_ASSIGN(const auto next, EntryVersion(page.state, *oin, version + 1));
    if (next.record_index() < page.tree_size) {
      machine::SetTimestamp(next.time_us(), at.mutable_replaced());
      at.set_replaced_index(next.record_index());
    }
  }
  for (const auto& held : bundle.FunctionsOf(*oin)) {
    auto* function = at.add_functions();
    function->set_function(held.function);
    function->set_area(held.area);
  }
  SCHAKEL_TRY(FillKeySet(page, *oin, current.key_set_digest(), &at));
  return std::optional(std::move(at));
}

}  // namespace

// LIMIT: a page looks at limits::kOrganisationsMax entries at most, at each by halving.
Result<Bytes> FillOrganisations(const PastPage& page, const policy::CompiledBundle& bundle,
                                const std::string& oin, v1::GetStateAtResponse* out) {
  const Bytes prefix = machine::keys::OrganisationPrefix();
  const Bytes end = oin.empty() ? store::PrefixEnd(prefix) : store::PrefixEnd(prefix + oin);
  PageRoom room(page.rows_max);
  Status failed;
  Bytes next;
  SCHAKEL_TRY(
      page.state.Scan(Family::kRegistry, prefix + (page.from.empty() ? Bytes(oin) : page.from), end,
                      [&](BytesView key, BytesView value) {
                        state::v1::OrganisationVersion current;
                        if (!current.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
                          failed = Damaged("a stored value is no OrganisationVersion");
                          return false;
                        }
                        auto then = OrganisationThen(page, bundle, current);
                        if (!then.ok()) {
                          failed = then.error();
                          return false;
                        }
                        if (!then->has_value()) return true;
                        if (!room.Take((*then)->ByteSizeLong())) {
                          next = Bytes(key.substr(prefix.size()));
                          return false;
                        }
                        *out->add_organisations() = **std::move(then);
                        return true;
                      }));
  SCHAKEL_TRY(std::move(failed));
  return next;
}

}  // namespace schakel::query
