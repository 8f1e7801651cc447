#include "broker/delivery/inbox_hub.h"

namespace schakel::delivery {

void InboxHub::Add(const OrganisationId& organisation, std::shared_ptr<Sleeper> sleeper) {
  std::lock_guard lock(mutex_);
  const Sleeper* key = sleeper.get();
  sleepers_[organisation.str()][key] = std::move(sleeper);
}

void InboxHub::Remove(const OrganisationId& organisation, const Sleeper* sleeper) {
  std::shared_ptr<Sleeper> last;  // destroyed outside of the lock
  std::lock_guard lock(mutex_);
  auto it = sleepers_.find(organisation.str());
  if (it == sleepers_.end()) return;
  if (auto entry = it->second.find(sleeper); entry != it->second.end()) {
    last = std::move(entry->second);
    it->second.erase(entry);
  }
  if (it->second.empty()) sleepers_.erase(it);
}

void InboxHub::Wake(const OrganisationId& organisation) {
  for (const auto& sleeper : Of(organisation)) sleeper->Wake();
}

void InboxHub::LeaseMoved(const OrganisationId& organisation, const DeliveryId& delivery,
                          Micros until) {
  for (const auto& sleeper : Of(organisation)) sleeper->LeaseMoved(delivery, until);
}

std::vector<std::shared_ptr<InboxHub::Sleeper>> InboxHub::Of(
    const OrganisationId& organisation) const {
  std::vector<std::shared_ptr<Sleeper>> found;
  std::lock_guard lock(mutex_);
  auto it = sleepers_.find(organisation.str());
  if (it == sleepers_.end()) return found;
  for (const auto& [key, sleeper] : it->second) found.push_back(sleeper);
  return found;
}

std::vector<std::shared_ptr<InboxHub::Sleeper>> InboxHub::All() const {
  std::vector<std::shared_ptr<Sleeper>> all;
  std::lock_guard lock(mutex_);
  for (const auto& [oin, sleepers] : sleepers_) {
    for (const auto& [key, sleeper] : sleepers) all.push_back(sleeper);
  }
  return all;
}

void InboxHub::CheckStreams(Micros now) {
  for (const auto& sleeper : All()) sleeper->Check(now);
}

void InboxHub::EndAll(const Error& error) {
  for (const auto& sleeper : All()) sleeper->EndWith(error);
}

size_t InboxHub::size() const {
  std::lock_guard lock(mutex_);
  size_t n = 0;
  for (const auto& [oin, sleepers] : sleepers_) n += sleepers.size();
  return n;
}

}  // namespace schakel::delivery
