// INVARIANT I4: after a withdrawal returned OK, no byte that relies on it is handed to the transport.
// Every leased item passes this gate: its write may begin only while nothing about its subjects has
// changed since it was decided; a withdrawal's answer waits for the writes that had begun.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "broker/base/ids.h"
#include "broker/base/limits.h"

namespace schakel::delivery {

// Thread-safe.
class WriteGate {
 public:
  WriteGate();
  ~WriteGate();  // runs what waits
  WriteGate(const WriteGate&) = delete;
  WriteGate& operator=(const WriteGate&) = delete;

  // The subjects of a batch's withdrawals and objections, when it is durable, before its answers.
  void SubjectsChanged(const std::vector<std::pair<Bytes, uint64_t>>& subjects);
  // Forgets changes before this position: no delivery that was decided before it is still on its way.
  void Forget(uint64_t before_position);

  // Begins the write of an item that was decided at `position`. False: it must not be written; the
  // caller cancels the delivery. `cancel` ends its transport when a withdrawal waits too long.
  bool BeginWrite(const DeliveryId& delivery, uint64_t position, const std::vector<Bytes>& subjects,
                  std::function<void()> cancel);
  // The write was taken by the transport, or has failed. Every begun write is ended.
  void EndWrite(const DeliveryId& delivery);

  // Calls `done` when no write about any of the subjects is in progress: at once on this thread, or
  // later on another. After kWithdrawalWaitMax the transports of those that remain are cancelled.
  void WhenQuiet(const std::vector<Bytes>& subjects, std::function<void()> done);

  size_t writes_in_progress() const;

 private:
  struct Write {
    std::set<Bytes> subjects;
    std::function<void()> cancel;
  };
  struct Waiter {
    std::set<DeliveryId> writes;
    std::chrono::steady_clock::time_point deadline;
    bool cancelled = false;
    std::function<void()> done;
  };
  void Run();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::map<Bytes, uint64_t> changed_;  // subject -> last position that changed it
  std::map<DeliveryId, Write> writes_;
  std::list<Waiter> waiters_;
  std::vector<std::function<void()>> ready_;
  std::thread thread_;
};

}  // namespace schakel::delivery
