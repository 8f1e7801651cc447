#include "clients/cli/progress.h"

namespace schakel::cli {

ProgressLine::~ProgressLine() {
  if (shown_) invocation_.err() << "\r\x1b[K" << std::flush;
}

void ProgressLine::Update(uint64_t done, uint64_t total) {
  if (!invocation_.io().progress) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(200);
  shown_ = true;
  invocation_.err() << "\r\x1b[K";
  if (total > 0) {
    constexpr uint64_t kWidth = 40;
    const uint64_t filled = kWidth * done / total;
    invocation_.err() << '[';
    for (uint64_t i = 0; i < kWidth; ++i) invocation_.err() << (i < filled ? '=' : ' ');
    invocation_.err() << "] " << 100 * done / total << " %";
  } else {
    invocation_.err() << done;
  }
  invocation_.err() << std::flush;
}

}  // namespace schakel::cli
