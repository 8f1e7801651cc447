#include "broker/delivery/inbox_hub.h"

#include <vector>

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
  std::vector<std::shared_ptr<Sleeper>> woken;
  {
    std::lock_guard lock(mutex_);
    auto it = sleepers_.find(organisation.str());
    if (it == sleepers_.end()) return;
    for (const auto& [key, sleeper] : it->second) woken.push_back(sleeper);
  }
  for (const auto& sleeper : woken) sleeper->Wake();
}

void InboxHub::CheckStalls() {
  std::vector<std::shared_ptr<Sleeper>> all;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [oin, sleepers] : sleepers_) {
      for (const auto& [key, sleeper] : sleepers) all.push_back(sleeper);
    }
  }
  auto now = std::chrono::steady_clock::now();
  for (const auto& sleeper : all) sleeper->CheckStall(now);
}

size_t InboxHub::size() const {
  std::lock_guard lock(mutex_);
  size_t n = 0;
  for (const auto& [oin, sleepers] : sleepers_) n += sleepers.size();
  return n;
}

}  // namespace schakel::delivery
