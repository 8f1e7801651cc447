#include "broker/transport/stream_watch.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace schakel::transport {

struct StreamWatch::Entry {
  // Recursive: on_end may end the stream so far that its registration goes, on this very thread.
  std::recursive_mutex mutex;
  const StreamGuard* guard = nullptr;        // null after the registration went
  std::function<void(const Error&)> on_end;  // empty once called
  std::function<Status()> also;              // may be empty

  void End(const Error& error) {
    std::lock_guard lock(mutex);
    if (guard == nullptr || !on_end) return;
    const std::function<void(const Error&)> call = std::exchange(on_end, nullptr);
    call(error);
  }
  void Check() {
    std::lock_guard lock(mutex);
    if (guard == nullptr || !on_end) return;
    Status status = guard->Check();
    if (status.ok() && also) status = also();
    if (!status.ok()) End(status.error());
  }
};

StreamWatch::Registration& StreamWatch::Registration::operator=(Registration&& other) noexcept {
  if (this != &other) {
    Registration old(std::exchange(entry_, std::move(other.entry_)));
  }
  return *this;
}

StreamWatch::Registration::~Registration() {
  if (!entry_) return;
  std::lock_guard lock(entry_->mutex);
  entry_->guard = nullptr;
  // on_end stays: it may be what runs now. The entry goes with its last holder.
}

StreamWatch::StreamWatch(Micros interval) : interval_(interval), thread_([this] { Run(); }) {}

StreamWatch::~StreamWatch() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

StreamWatch::Registration StreamWatch::Add(const StreamGuard* guard,
                                           std::function<void(const Error&)> on_end,
                                           std::function<Status()> also) {
  auto entry = std::make_shared<Entry>();
  entry->guard = guard;
  entry->on_end = std::move(on_end);
  entry->also = std::move(also);
  std::optional<Error> ended;
  {
    std::lock_guard lock(mutex_);
    // Those that went are cleared here too, so that the list stays as long as what is open.
    if (entries_.size() == entries_.capacity()) {
      std::erase_if(entries_, [](const auto& weak) { return weak.expired(); });
    }
    entries_.push_back(entry);
    ended = ended_;
  }
  Registration registration(entry);
  if (ended) entry->End(*ended);
  return registration;
}

void StreamWatch::EndAll(const Error& error) {
  {
    std::lock_guard lock(mutex_);
    ended_ = error;
  }
  for (const std::shared_ptr<Entry>& entry : Snapshot()) entry->End(error);
}

size_t StreamWatch::size() const {
  std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(),
                                           [](const auto& weak) { return !weak.expired(); }));
}

std::vector<std::shared_ptr<StreamWatch::Entry>> StreamWatch::Snapshot() {
  std::vector<std::shared_ptr<Entry>> alive;
  std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const auto& weak) { return weak.expired(); });
  alive.reserve(entries_.size());
  for (const auto& weak : entries_) {
    if (auto entry = weak.lock()) alive.push_back(std::move(entry));
  }
  return alive;
}

void StreamWatch::Run() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, interval_, [this] { return stopping_; })) return;
    }
    for (const std::shared_ptr<Entry>& entry : Snapshot()) entry->Check();
  }
}

}  // namespace schakel::transport
