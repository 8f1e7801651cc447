// The tree of a log as it grows: frontier and tiles, kept in memory and written
// with each batch. What is in memory can always be rebuilt from the state.
#pragma once

#include "broker/merkle/tile_builder.h"
#include "broker/merkle/tree.h"
#include "broker/store/state_reader.h"
#include "broker/store/write_batch.h"

namespace schakel::audit {

// For the thread that applies.
class LogTree {
 public:
  // An empty tree.
  LogTree() = default;
  // The tree of `size` entries as the state has it. DATA_LOSS when tiles, records and frontier do
  // not agree.
  static Result<LogTree> Load(const store::StateReader& state, uint64_t size);

  // Appends an entry; full tiles go into `out`.
  void Append(const Digest& entry, store::Batch* out);
  // Writes the frontier: once a batch.
  void WriteFrontier(store::Batch* out) const;

  uint64_t size() const { return frontier_.size(); }
  merkle::TreeHead Head() const { return frontier_.Head(); }

 private:
  merkle::Frontier frontier_;
  merkle::TileBuilder tiles_;
};

// Bytes of a tile, full or partial, of the tree that `state` holds: from full tiles and records.
Result<Bytes> ReadTile(const store::StateReader& state, const merkle::TileId& tile);
// The entry at an index: 32 bytes. NOT_FOUND beyond the tree.
Result<Digest> ReadEntry(const store::StateReader& state, uint64_t index);

}  // namespace schakel::audit
