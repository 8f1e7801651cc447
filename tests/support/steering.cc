#include "tests/support/steering.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "broker/base/check.h"

namespace schakel::testing {

// A file of zeros is one that steers nothing.
struct Steering::Page {
  std::atomic<int64_t> passed_us;  // one number for both clocks, so that they never differ by it
  std::atomic<int64_t> jumped_us;
  std::atomic<uint64_t> free_bytes;  // 0: plenty
  std::atomic<uint64_t> looks;
  std::atomic<uint64_t> failing_syncs;
};
static_assert(std::atomic<uint64_t>::is_always_lock_free, "shared between processes");

namespace {
constexpr uint64_t kPlentyBytes = uint64_t{64} << 30;
constexpr auto kPatience = std::chrono::seconds(10);
}  // namespace

Steering::Steering(const std::filesystem::path& file) {
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  SCHAKEL_CHECK(fd >= 0 && ftruncate(fd, sizeof(Page)) == 0, "the steering file can be made");
  void* const at = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  SCHAKEL_CHECK(at != MAP_FAILED, "the steering file can be mapped");
  close(fd);
  page_ = static_cast<Page*>(at);
}

Steering::~Steering() { munmap(page_, sizeof(Page)); }

void Steering::Pass(Micros by) { page_->passed_us += by.count(); }

void Steering::Jump(Micros by) { page_->jumped_us += by.count(); }

bool Steering::SetFreeBytes(uint64_t bytes) {
  page_->free_bytes = bytes;
  return AwaitLooks(1);
}

void Steering::FailNextSync() { ++page_->failing_syncs; }

bool Steering::sync_failure_waits() const { return page_->failing_syncs != 0; }

bool Steering::AwaitLooks(uint64_t count) const {
  const uint64_t wanted = page_->looks + count;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (page_->looks < wanted) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

Steering::Micros Steering::wall_ahead() const {
  return Micros(page_->passed_us + page_->jumped_us);
}

Steering::Micros Steering::steady_ahead() const { return Micros(page_->passed_us); }

uint64_t Steering::LookAtFreeBytes() {
  // Counted before it is read: who set a number and then sees the count grow knows that it was
  // seen.
  ++page_->looks;
  const uint64_t bytes = page_->free_bytes;
  return bytes == 0 ? kPlentyBytes : bytes;
}

bool Steering::TakeSyncFailure() {
  uint64_t waiting = page_->failing_syncs;
  while (waiting != 0) {
    if (page_->failing_syncs.compare_exchange_weak(waiting, waiting - 1)) return true;
  }
  return false;
}

}  // namespace schakel::testing
