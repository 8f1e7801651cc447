// The deterministic core. INVARIANT I6: Apply reads only the state and the command; the same
// commands give the same keys, values and root, whatever the batches and restarts between.
#pragma once

#include <memory>

#include "broker/machine/command.h"
#include "broker/machine/facts.h"
#include "broker/machine/log_tree.h"
#include "broker/machine/outcome.h"
#include "broker/machine/party_index.h"
#include "broker/machine/registry.h"
#include "broker/store/state_reader.h"
#include "broker/store/write_batch.h"

namespace schakel::machine {

// For one thread: the one that applies.
class Machine {
 public:
  // The machine at the state's last command; at position 0 in an empty store.
  // DATA_LOSS when the state does not hold together; FAILED_PRECONDITION for an unknown version.
  static Result<std::unique_ptr<Machine>> Load(const store::StateReader& state);

  // Applies `command` to the state in `view`, writing into `out`, which is on top of that view:
  // what the command before wrote in the same batch is seen. An Error means that the state could
  // not be read or does not hold together: the batch must be discarded and the broker must stop
  // (I1).
  Result<Outcome> Apply(const store::StateReader& view, store::Batch* out, const Command& command);

  // Ends a batch: writes what stands once a batch (frontier, meta and what its records add to the
  // index of parties).
  void FinishBatch(store::Batch* out);

  const state::v1::Meta& meta() const { return meta_; }
  merkle::TreeHead TreeHead() const { return tree_.Head(); }

 private:
  Machine() = default;

  state::v1::Meta meta_;
  LogTree tree_;
  PartyIndex parties_;
  Facts facts_;
  Registry registry_;
  // For what a command builds; emptied before each.
  static constexpr size_t kScratchBytes = 64 * 1024;
  std::unique_ptr<char[]> scratch_block_ = std::make_unique<char[]>(kScratchBytes);
  google::protobuf::Arena scratch_{scratch_block_.get(), kScratchBytes};
};

// The meta of a state; nullopt when it is empty. Shared by everyone who reads a snapshot.
Result<std::optional<state::v1::Meta>> ReadMeta(const store::StateReader& state);

}  // namespace schakel::machine
