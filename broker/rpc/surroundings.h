// What a broker stands on beside its settings: time and disk.
#pragma once

#include <functional>
#include <memory>

#include "broker/base/clock.h"
#include "broker/base/result.h"
#include "broker/store/store.h"

namespace schakel::rpc {

// The program has the system's; the broker of a test has a clock and a disk that the test steers.
struct Surroundings {
  const Clock* clock = nullptr;                          // null: the system's
  std::function<Result<uint64_t>()> free_bytes;          // empty: asks the system
  std::shared_ptr<store::FileSystemHandle> file_system;  // null: the system's
};

}  // namespace schakel::rpc
