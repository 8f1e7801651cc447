// What an answer to a published signal means for a count.
#pragma once

#include <string>
#include <vector>

#include "broker/base/result.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::cli {

struct PublishOutcome {
  bool decided = false;              // accepted, whatever each recipient got
  size_t queued = 0;                 // recipients with something in their inbox
  std::vector<std::string> reasons;  // of each recipient that got nothing, or of the whole
};

PublishOutcome OutcomeOf(const Result<v1::PublishResult>& answer);

inline double PerSecond(uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

}  // namespace schakel::cli
