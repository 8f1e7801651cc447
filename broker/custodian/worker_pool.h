// Threads for what waits for the disk or keeps a core busy, so that gRPC's own stay free.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/base/ids.h"
#include "broker/base/limits.h"
#include "broker/base/result.h"

namespace schakel::custodian {

// First come, first served. Thread-safe.
class WorkerPool {
 public:
  explicit WorkerPool(size_t threads, size_t queue_max = limits::kCustodianQueueMax,
                      size_t per_organisation_max = limits::kCustodianQueuePerOrganisationMax);
  ~WorkerPool();  // does what was taken, then ends
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Takes `work`, which must not throw. Errors: QUEUE_FULL with retry_after_ms when too much waits
  // already, of this organisation or of all; `work` is then dropped.
  Status Submit(const OrganisationId& organisation, std::function<void()> work);

  struct Load {
    uint64_t done = 0;        // since the start
    uint64_t unfinished = 0;  // waits or is being done
  };
  Load load() const;

 private:
  struct Item {
    OrganisationId organisation;
    std::function<void()> work;
  };
  void Run();

  const size_t queue_max_;
  const size_t per_organisation_max_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<Item> queue_;
  std::map<OrganisationId, size_t> waiting_;  // in the queue, by organisation; never 0
  Load load_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace schakel::custodian
