#include "broker/rpc/directory_cache.h"

#include "broker/machine/facts.h"
#include "broker/machine/keys.h"

namespace schakel::rpc {

Status DirectoryCache::Refresh() {
  auto members = std::make_shared<Members>();
  const auto& state = store_->durable();
  bool damaged = false;
  SCHAKEL_TRY(state.ScanPrefix(
      store::Family::kRegistry, machine::keys::OrganisationPrefix(),
      [&](BytesView, BytesView value) {
        state::v1::OrganisationVersion entry;
        if (!entry.ParseFromString(Bytes(value))) {
          damaged = true;
          return false;
        }
        transport::MemberFacts facts;
        facts.role = entry.organisation().role();
        facts.issuer = Digest::From(entry.organisation().certificate_issuer_digest());
        facts.spki =
            Digest::From(entry.organisation().certificate_spki_digest()).value_or(Digest{});
        facts.entry_version = entry.version();
        facts.disabled = entry.disabled();
        facts.key_set = Digest::From(entry.key_set_digest());
        (*members)[entry.organisation().oin()] = facts;
        return true;
      }));
  if (damaged) return Internal("a directory entry can't be read");
  for (auto& [oin, facts] : *members) {
    if (!facts.key_set) continue;
    SCHAKEL_ASSIGN(auto key_set, machine::FindKeySet(state, *facts.key_set));
    if (key_set) facts.key_set_version = key_set->version();
  }
  std::lock_guard lock(mutex_);
  members_ = std::move(members);
  return {};
}

std::optional<transport::MemberFacts> DirectoryCache::Find(
    const OrganisationId& organisation) const {
  std::shared_ptr<const Members> members;
  {
    std::lock_guard lock(mutex_);
    members = members_;
  }
  auto it = members->find(organisation.str());
  if (it == members->end()) return std::nullopt;
  return it->second;
}

size_t DirectoryCache::size() const {
  std::lock_guard lock(mutex_);
  return members_->size();
}

}  // namespace schakel::rpc
