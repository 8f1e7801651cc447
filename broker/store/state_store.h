// StateStore: what a committer and its readers need of a store. Two stores exist: Store (disk) and
// testing::MemoryState.
#pragma once

#include <memory>

#include "broker/store/state_reader.h"
#include "broker/store/write_batch.h"

namespace schakel::store {

// A state that no longer changes. Thread-safe.
class Snapshot : public StateReader {
 public:
  // Position of the last command that it holds, 0 when there is none.
  virtual uint64_t position() const = 0;
};

// Thread-safe, except that only one thread at a time commits.
class StateStore {
 public:
  virtual ~StateStore() = default;

  // INVARIANT I1: writes `batch` and `position` in one piece: after any crash all of it is there or
  // nothing. INVARIANT I2: durable when it returns OK. `position` is the one of the last command in
  // the batch; the first command of a log has position 1. An Error means: not acknowledged, though
  // it may be there after a restart. From then on every commit returns reason STORE_FAILED until
  // the store is opened anew. REQUIRES: position > position().
  virtual Status Commit(const Batch& batch, uint64_t position) = 0;

  // Writes to family `local` only, without waiting for the disk: may be lost by a crash, as a
  // whole, never partly, and never while something later is kept. REQUIRES: batch.OnlyLocal().
  virtual Status CommitLocal(const Batch& batch) = 0;

  // The newest durable state; each call on it sees what is durable at that moment. Lives as long as
  // the store. Thread-safe.
  virtual const StateReader& durable() const = 0;

  // The durable state of now, kept until the snapshot is destroyed. Destroy it soon: it holds back
  // the destruction of what was deleted meanwhile.
  virtual std::unique_ptr<Snapshot> TakeSnapshot() const = 0;

  // Position of the last durable command, 0 in an empty store.
  virtual uint64_t position() const = 0;

  // Why the store stopped accepting writes, nullopt while it does. Never heals by itself.
  virtual std::optional<Error> failure() const = 0;
};

}  // namespace schakel::store
