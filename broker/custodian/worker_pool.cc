#include "broker/custodian/worker_pool.h"

#include <algorithm>
#include <utility>

namespace schakel::custodian {

WorkerPool::WorkerPool(size_t threads, size_t queue_max, size_t per_organisation_max)
    : queue_max_(queue_max), per_organisation_max_(per_organisation_max) {
  for (size_t i = 0; i < std::max<size_t>(threads, 1); ++i) {
    threads_.emplace_back([this] { Run(); });
  }
}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

Status WorkerPool::Submit(const OrganisationId& organisation, std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    const auto found = waiting_.find(organisation);
    const size_t own = found == waiting_.end() ? 0 : found->second;
    if (queue_.size() >= queue_max_ || own >= per_organisation_max_) {
      Error full = MakeError(ErrorCode::kResourceExhausted, "QUEUE_FULL",
                             "too many calls wait for an answer; send fewer at a time");
      full.retry_after_ms = 200;
      return full;
    }
    queue_.push_back({organisation, std::move(work)});
    waiting_[organisation] = own + 1;
    ++load_.unfinished;
  }
  wake_.notify_one();
  return {};
}

void WorkerPool::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Item item = std::move(queue_.front());
    queue_.pop_front();
    const auto waiting = waiting_.find(item.organisation);
    if (--waiting->second == 0) waiting_.erase(waiting);
    lock.unlock();
    item.work();
    item.work = nullptr;  // what it holds goes before the lock is taken
    lock.lock();
    ++load_.done;
    --load_.unfinished;
  }
}

WorkerPool::Load WorkerPool::load() const {
  std::lock_guard lock(mutex_);
  return load_;
}

}  // namespace schakel::custodian
