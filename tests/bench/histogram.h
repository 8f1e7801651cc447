// Latencies, for percentiles: every value is kept, so that nothing is averaged away.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

namespace schakel::bench {

class Latencies {
 public:
  void Add(std::chrono::nanoseconds value) { values_.push_back(value.count()); }
  void Append(const Latencies& other) {
    values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  }
  size_t size() const { return values_.size(); }
  // The value below which `share` of all lie, in microseconds. REQUIRES: not empty.
  double Micros(double share) {
    auto at = static_cast<size_t>(share * static_cast<double>(values_.size() - 1));
    std::nth_element(values_.begin(), values_.begin() + static_cast<ptrdiff_t>(at), values_.end());
    return static_cast<double>(values_[at]) / 1000.0;
  }

 private:
  std::vector<int64_t> values_;
};

}  // namespace schakel::bench
