// Durations of a bundle as the rest of the code counts them.
#pragma once

#include <google/protobuf/duration.pb.h>

#include "broker/base/clock.h"

namespace schakel::policy {

// Whole milliseconds; what is left of one is dropped.
inline Millis ToMillis(const google::protobuf::Duration& duration) {
  return Millis(duration.seconds() * 1000 + duration.nanos() / 1'000'000);
}

}  // namespace schakel::policy
