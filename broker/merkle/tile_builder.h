// Grows a tree and hands out its tiles as they fill: what a store writes, and what an exporter of a
// tlog-tiles folder writes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/merkle/tile.h"
#include "broker/merkle/tree.h"

namespace schakel::merkle {

// Holds the rightmost tile of each level, at most 255 hashes each (8 levels: 64 KiB).
// Not thread-safe.
class TileBuilder {
 public:
  // Called with a tile that has just become full; `hashes` are its 256, valid during the call.
  using OnFull = std::function<void(const TileId&, std::span<const Digest> hashes)>;

  TileBuilder() = default;

  uint64_t size() const { return size_; }
  // May call `on_full` once per level, lowest first.
  void AppendLeaf(const Digest& leaf_hash, const OnFull& on_full);
  void Append(const Digest& entry, const OnFull& on_full) { AppendLeaf(LeafHash(entry), on_full); }

  // The partial tiles now, lowest level first; empty ones are left out.
  std::vector<TileId> PartialTiles() const;
  // The hashes of the partial tile of `level`, empty when there is none.
  std::span<const Digest> Partial(uint32_t level) const;
  Digest Root() const;

  // A builder at `size`, from the partial tiles of that size. Every error of the reader is passed
  // on. The caller compares Root() with a head that it trusts.
  static Result<TileBuilder> Restore(uint64_t size, const TileReader& tiles);

 private:
  uint64_t size_ = 0;
  std::vector<Digest> partial_[kTileLevelMax + 1];
};

}  // namespace schakel::merkle
