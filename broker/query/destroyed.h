// What remains to be said of destroyed records: the record of the sweep that took them.
#pragma once

#include <map>

#include "broker/base/result.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/audit.pb.h"

namespace schakel::query {

// For one thread; the state lives as long as the object.
class Destroyed {
 public:
  explicit Destroyed(const store::StateReader& state) : state_(state) {}

  // When, by which rule of which bundle, and what kind it was. DATA_LOSS when the sweep's record is
  // none.
  Result<v1::DestroyedRecord> By(uint64_t destroyed_us, uint64_t sweep_index);

 private:
  const store::StateReader& state_;
  std::map<uint64_t, v1::DestroyedRecord> known_;  // by index of the sweep, without a time
};

}  // namespace schakel::query
