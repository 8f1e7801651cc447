// MemoryState: a store in memory, for unit tests and the simulation. "Durable" is what was
// committed.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>

#include "broker/store/state_store.h"

namespace schakel::store::testing {

using MemoryFamily = std::map<Bytes, Bytes, std::less<>>;
using MemoryFamilies = std::array<MemoryFamily, kFamilies.size()>;

// Copyable: a copy is what a restart from this state would find (without the failure). Thread-safe,
// but a scan beside a commit may see some of its keys and not others; a snapshot never does.
class MemoryState final : public StateStore, public StateReader {
 public:
  MemoryState() = default;
  MemoryState(const MemoryState& other);
  MemoryState& operator=(const MemoryState&) = delete;

  // StateReader
  Result<std::optional<Bytes>> Get(Family family, BytesView key) const override;
  Status Scan(Family family, BytesView begin, BytesView end, const Visitor& fn) const override;
  Status ScanReverse(Family family, BytesView begin, BytesView end,
                     const Visitor& fn) const override;

  // StateStore
  Status Commit(const Batch& batch, uint64_t position) override;
  Status CommitLocal(const Batch& batch) override;
  const StateReader& durable() const override { return *this; }
  std::unique_ptr<Snapshot> TakeSnapshot() const override;
  uint64_t position() const override;
  std::optional<Error> failure() const override;

  // The next commit fails, and all after it. With `kept` the failed one is there after a restart
  // (copy).
  void FailNextCommit(bool kept);

  // All keys and values of a family, to compare states with.
  MemoryFamily Contents(Family family) const;
  // INVARIANT I6: true when all families of the state and the position are equal; `local` may
  // differ.
  bool SameState(const MemoryState& other) const;

 private:
  struct Kept {
    Batch batch;
    uint64_t position = 0;
  };
  Status Walk(Family family, BytesView begin, BytesView end, const Visitor& fn, bool reverse) const;

  mutable std::shared_mutex mutex_;
  MemoryFamilies families_;
  uint64_t position_ = 0;
  std::optional<Error> failure_;
  bool fail_next_ = false;
  bool fail_kept_ = false;
  std::optional<Kept> kept_;                              // there after a restart, not before
  mutable std::shared_ptr<const MemoryFamilies> frozen_;  // what snapshots share until a commit
};

}  // namespace schakel::store::testing
