// Which open streams wait for which inbox: a publish wakes them.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "broker/base/ids.h"

namespace schakel::delivery {

// Thread-safe.
class InboxHub {
 public:
  // Someone to wake. Wake must not block.
  class Sleeper {
   public:
    virtual ~Sleeper() = default;
    virtual void Wake() = 0;
    // Ends itself when its reader has not taken a write for too long. Called each second.
    virtual void CheckStall(std::chrono::steady_clock::time_point now) = 0;
  };

  void Add(const OrganisationId& organisation, std::shared_ptr<Sleeper> sleeper);
  void Remove(const OrganisationId& organisation, const Sleeper* sleeper);
  void Wake(const OrganisationId& organisation);
  void CheckStalls();
  size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::map<const Sleeper*, std::shared_ptr<Sleeper>>> sleepers_;
};

}  // namespace schakel::delivery
