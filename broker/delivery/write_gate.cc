#include "broker/delivery/write_gate.h"

#include <algorithm>

namespace schakel::delivery {

WriteGate::WriteGate() : thread_([this] { Run(); }) {}

WriteGate::~WriteGate() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void WriteGate::SubjectsChanged(const std::vector<std::pair<Bytes, uint64_t>>& subjects) {
  if (subjects.empty()) return;
  std::lock_guard lock(mutex_);
  for (const auto& [subject, position] : subjects) {
    auto& last = changed_[subject];
    last = std::max(last, position);
  }
}

void WriteGate::Forget(uint64_t before_position) {
  std::lock_guard lock(mutex_);
  std::erase_if(changed_, [&](const auto& entry) { return entry.second < before_position; });
}

bool WriteGate::BeginWrite(const DeliveryId& delivery, uint64_t position,
                           const std::vector<Bytes>& subjects, std::function<void()> cancel) {
  std::lock_guard lock(mutex_);
  for (const auto& subject : subjects) {
    auto it = changed_.find(subject);
    if (it != changed_.end() && it->second > position) return false;
  }
  writes_[delivery] = {{subjects.begin(), subjects.end()}, std::move(cancel)};
  return true;
}

void WriteGate::EndWrite(const DeliveryId& delivery) {
  bool woken = false;
  {
    std::lock_guard lock(mutex_);
    writes_.erase(delivery);
    for (auto it = waiters_.begin(); it != waiters_.end();) {
      it->writes.erase(delivery);
      if (it->writes.empty()) {
        ready_.push_back(std::move(it->done));
        it = waiters_.erase(it);
        woken = true;
      } else {
        ++it;
      }
    }
  }
  if (woken) wake_.notify_all();
}

void WriteGate::WhenQuiet(const std::vector<Bytes>& subjects, std::function<void()> done) {
  {
    std::lock_guard lock(mutex_);
    Waiter waiter;
    for (const auto& [delivery, write] : writes_) {
      bool about = std::any_of(subjects.begin(), subjects.end(),
                               [&](const auto& s) { return write.subjects.contains(s); });
      if (about) waiter.writes.insert(delivery);
    }
    if (!waiter.writes.empty()) {
      waiter.deadline = std::chrono::steady_clock::now() + limits::kWithdrawalWaitMax;
      waiter.done = std::move(done);
      waiters_.push_back(std::move(waiter));
      done = nullptr;
    }
  }
  if (done) return done();
  wake_.notify_all();
}

size_t WriteGate::writes_in_progress() const {
  std::lock_guard lock(mutex_);
  return writes_.size();
}

void WriteGate::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (!ready_.empty()) {
      auto ready = std::move(ready_);
      ready_.clear();
      lock.unlock();
      for (auto& done : ready) done();
      lock.lock();
      continue;
    }
    if (stopping_) {
      for (auto& waiter : waiters_) ready_.push_back(std::move(waiter.done));
      waiters_.clear();
      if (ready_.empty()) return;
      continue;
    }
    auto now = std::chrono::steady_clock::now();
    std::vector<std::function<void()>> cancels;
    auto next = now + std::chrono::hours(1);
    for (auto& waiter : waiters_) {
      if (!waiter.cancelled && waiter.deadline <= now) {
        waiter.cancelled = true;
        for (const auto& id : waiter.writes) {
          if (auto it = writes_.find(id); it != writes_.end()) cancels.push_back(it->second.cancel);
        }
      }
      if (!waiter.cancelled) next = std::min(next, waiter.deadline);
    }
    if (!cancels.empty()) {
      lock.unlock();
      for (auto& cancel : cancels) cancel();
      lock.lock();
      continue;
    }
    wake_.wait_until(lock, next);
  }
}

}  // namespace schakel::delivery
