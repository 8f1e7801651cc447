// A line on a terminal that shows how far a long thing is; nothing in its first second, and nothing
// at all where nobody looks.
#pragma once

#include <chrono>
#include <ostream>

#include "clients/cli/invocation.h"

namespace schakel::cli {

// Not thread-safe. Ends its line when it goes.
class ProgressLine {
 public:
  explicit ProgressLine(Invocation& invocation) : invocation_(invocation) {}
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `total` 0: not known.
  void Update(uint64_t done, uint64_t total);
  sdk::Progress callback() {
    return [this](uint64_t done, uint64_t total) { Update(done, total); };
  }

 private:
  Invocation& invocation_;
  std::chrono::steady_clock::time_point next_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(1);
  bool shown_ = false;
};

}  // namespace schakel::cli
