#include "broker/merkle/tile_builder.h"

#include <bit>
#include <optional>

namespace schakel::merkle {

void TileBuilder::AppendLeaf(const Digest& leaf_hash, const OnFull& on_full) {
  SCHAKEL_CHECK(size_ != UINT64_MAX, "a tree of 2^64 - 1 leaves is full");
  Digest hash = leaf_hash;
  for (uint32_t level = 0;; ++level) {
    auto& row = partial_[level];
    row.push_back(hash);
    if (row.size() < kTileWidth) break;
    on_full({level, size_ >> (kTileHeight * (level + 1)), kTileWidth}, row);
    hash = PerfectRoot(row);
    row.clear();
  }
  ++size_;
}

std::vector<TileId> TileBuilder::PartialTiles() const {
  std::vector<TileId> tiles;
  for (uint32_t level = 0; level <= kTileLevelMax; ++level) {
    const uint32_t width = PartialWidth(level, size_);
    if (width != 0) tiles.push_back({level, FullTiles(level, size_), width});
  }
  return tiles;
}

std::span<const Digest> TileBuilder::Partial(uint32_t level) const {
  SCHAKEL_CHECK(level <= kTileLevelMax, "no tree reaches this tile level");
  return partial_[level];
}

Digest TileBuilder::Root() const {
  std::optional<Digest> root;
  // From right to left: the set bits of each width, lowest first, are the perfect subtrees.
  for (const auto& row : partial_) {
    size_t end = row.size();
    while (end != 0) {
      const size_t count = size_t{1} << std::countr_zero(end);
      const Digest subtree = PerfectRoot(std::span(row).subspan(end - count, count));
      root = root ? NodeHash(subtree, *root) : subtree;
      end -= count;
    }
  }
  return root.value_or(RootOfEmpty());
}

Result<TileBuilder> TileBuilder::Restore(uint64_t size, const TileReader& tiles) {
  TileBuilder builder;
  builder.size_ = size;
  for (const TileId& tile : builder.PartialTiles()) {
    SCHAKEL_ASSIGN(Bytes raw, tiles(tile));
    SCHAKEL_ASSIGN(builder.partial_[tile.level], ParseTile(raw, tile.width));
  }
  return builder;
}

}  // namespace schakel::merkle
