// Fills a broker's store with signals that were published, delivered and acknowledged, and tells at
// steps what that costs. Sequencer, machine and store are the broker's own; envelopes come from the
// machine's fixture, made while others are written, and there is no transport and no signature.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace schakel::bench {

struct GrowthOptions {
  std::filesystem::path folder;  // where the store is made; must exist and be empty
  uint64_t signals = 0;          // at the end
  uint64_t steps = 10;           // of as many signals each; signals is at least steps
  size_t in_flight = 64;         // publishes
};

// What one step came to.
struct GrowthStep {
  uint64_t signals = 0;           // in the store now
  uint64_t records = 0;           // of them: publish, delivery, acknowledgement
  double publish_per_second = 0;  // while only publishes were under way
  double whole_per_second = 0;    // over the whole of the step, delivery and settlement included
  double publish_p50_us = 0;
  double publish_p99_us = 0;
  double processor_us = 0;  // of a signal, over the whole of the step, compactions included
  uint64_t rss_bytes = 0;   // of this process at the end of the step
  uint64_t rss_peak_bytes = 0;
  uint64_t disk_bytes = 0;   // of the store's folder
  double start_seconds = 0;  // closed and opened again: the store, and the machine's load
};

// Hands each step to `told` as soon as it is measured. Empty, or what went wrong.
std::string RunGrowth(const GrowthOptions& options, const std::function<void(GrowthStep)>& told);

}  // namespace schakel::bench
