// Latencies, for percentiles: counted in narrow buckets, so that nothing is averaged away and a
// long run takes no more memory than a short one.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

namespace schakel::bench {

// Not thread-safe. 60 KB each.
class Latencies {
 public:
  void Add(std::chrono::nanoseconds value) {
    const auto nanos = static_cast<uint64_t>(std::max<int64_t>(0, value.count()));
    ++counts_[PlaceOf(nanos)];
    ++size_;
    max_ = std::max(max_, nanos);
  }
  void Append(const Latencies& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    size_ += other.size_;
    max_ = std::max(max_, other.max_);
  }
  size_t size() const { return size_; }
  // In microseconds, the smallest value that `share` of all values do not exceed; told at most
  // 1/128 too high. REQUIRES: not empty, 0 <= share <= 1
  double Micros(double share) const {
    const auto rank = static_cast<uint64_t>(std::ceil(share * static_cast<double>(size_)));
    uint64_t below = 0;
    for (size_t place = 0; place < counts_.size(); ++place) {
      below += counts_[place];
      if (below >= std::max<uint64_t>(1, rank)) {
        return static_cast<double>(std::min(LargestAt(place), max_)) / 1000.0;
      }
    }
    return MaxMicros();
  }
  double MaxMicros() const { return static_cast<double>(max_) / 1000.0; }

 private:
  // Below 2^8 ns each value has a bucket; above, each power of two is cut in 128.
  static constexpr int kFineBits = 8;
  static constexpr uint64_t kFine = uint64_t{1} << kFineBits;
  static constexpr uint64_t kHalf = kFine / 2;
  static constexpr size_t kPlaces = kFine + (64 - kFineBits) * kHalf;

  static size_t PlaceOf(uint64_t value) {
    if (value < kFine) return value;
    const int shift = static_cast<int>(std::bit_width(value)) - kFineBits;
    return kFine + static_cast<size_t>(shift - 1) * kHalf + ((value >> shift) - kHalf);
  }
  static uint64_t LargestAt(size_t place) {
    if (place < kFine) return place;
    const uint64_t shift = (place - kFine) / kHalf + 1;
    const uint64_t top = (place - kFine) % kHalf + kHalf;
    return ((top + 1) << shift) - 1;
  }

  std::vector<uint64_t> counts_ = std::vector<uint64_t>(kPlaces);
  uint64_t size_ = 0;
  uint64_t max_ = 0;
};

}  // namespace schakel::bench
