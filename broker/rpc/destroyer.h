// Destruction as time goes by: orders the sweeps, and sees to it that what commands destroyed
// leaves the disk too. INVARIANT: within a day, or the operator hears of it: what is owed stands in
// the state (Meta.destroyed_position), so that no restart forgets it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "broker/base/clock.h"
#include "broker/rpc/instruments.h"
#include "broker/sequencer/sequencer.h"
#include "broker/store/store.h"
#include "broker/transport/log.h"
#include "schakel/state/v1/state.pb.h"

namespace schakel::rpc {

// All set, and longer alive.
struct DestroyerParts {
  store::Store* store = nullptr;
  sequencer::Sequencer* sequencer = nullptr;
  const Clock* clock = nullptr;
  Instruments* instruments = nullptr;
  transport::Logger* log = nullptr;
  uint64_t reserve_bytes = 0;  // what stays free of the disk
};

// What has to be rewritten for what was destroyed between two states: `then` as it was noted when
// the disk was last clean.
std::vector<store::Store::Range> OwedRanges(const state::v1::Scoured& then,
                                            const state::v1::Meta& meta,
                                            const state::v1::SweepState& now);

// A thread of its own.
class Destroyer {
 public:
  static Result<std::unique_ptr<Destroyer>> Start(const DestroyerParts& parts);
  // Ends a rewriting that runs; it is owed then.
  ~Destroyer();
  Destroyer(const Destroyer&) = delete;
  Destroyer& operator=(const Destroyer&) = delete;

 private:
  // A rewriting that was begun and has not succeeded: what it settles when it does.
  struct Attempt {
    state::v1::Scoured settles;
    std::vector<store::Store::Range> ranges;
  };

  Destroyer(const DestroyerParts& parts, state::v1::Scoured scoured);
  void Loop();
  // False when it stops.
  bool Pause(Millis time);
  void SweepAll();
  Status LookAtDisk();
  Result<Attempt> Begin(uint64_t now_us);
  Status Save();
  void Failed(const Error& error);

  const DestroyerParts parts_;
  // Of the thread alone.
  state::v1::Scoured scoured_;
  uint64_t clean_us_ = 0;  // the last moment at which nothing older was owed
  std::optional<Attempt> attempt_;
  Micros sweep_at_;
  Micros disk_at_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace schakel::rpc
