// Which open streams wait for which inbox: a publish wakes them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"

namespace schakel::delivery {

// Thread-safe.
class InboxHub {
 public:
  // Someone to wake. Wake must not block.
  class Sleeper {
   public:
    virtual ~Sleeper() = default;
    virtual void Wake() = 0;
    // Called each second with the steady clock's time: ends itself when its reader has not taken a
    // write for too long, and sees which of its leases ran out.
    virtual void Check(Micros now) = 0;
    virtual void EndWith(const Error& error) = 0;
    // The lease of a delivery, perhaps one of its own, was extended by another call.
    virtual void LeaseMoved(const DeliveryId& delivery, Micros until) = 0;
  };

  void Add(const OrganisationId& organisation, std::shared_ptr<Sleeper> sleeper);
  void Remove(const OrganisationId& organisation, const Sleeper* sleeper);
  void Wake(const OrganisationId& organisation);
  void LeaseMoved(const OrganisationId& organisation, const DeliveryId& delivery, Micros until);
  void CheckStreams(Micros now);
  // Those that are open now.
  void EndAll(const Error& error);
  size_t size() const;

 private:
  std::vector<std::shared_ptr<Sleeper>> All() const;
  std::vector<std::shared_ptr<Sleeper>> Of(const OrganisationId& organisation) const;

  mutable std::mutex mutex_;
  std::map<std::string, std::map<const Sleeper*, std::shared_ptr<Sleeper>>> sleepers_;
};

}  // namespace schakel::delivery
