// Tiles: the tree cut into files of 256 hashes, so that anybody can mirror and check it.
//
// Tile (level l, index n) holds the nodes (8 * l, n * 256 + i), i in [0, width); it is full at
// width 256 and partial below. A full tile never changes.
// SOURCE: C2SP tlog-tiles
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/merkle/proof.h"
#include "broker/merkle/tree.h"

namespace schakel::merkle {

inline constexpr uint32_t kTileHeight = 8;
inline constexpr uint32_t kTileWidth = 1u << kTileHeight;
inline constexpr uint32_t kTileBytes = kTileWidth * 32;
// LIMIT: 256^8 leaves are more than a u64 counts, so level 7 is the last that a tree can reach.
inline constexpr uint32_t kTileLevelMax = 7;

struct TileId {
  uint32_t level = 0;           // 0..kTileLevelMax
  uint64_t index = 0;           // within the level
  uint32_t width = kTileWidth;  // 1..256

  bool full() const { return width == kTileWidth; }
  bool operator==(const TileId&) const = default;
};

// "tile/L/N[.p/W]", N as x001/x234/067.
std::string TilePath(const TileId& tile);
// "tile/entries/N[.p/W]"; the level is not looked at.
std::string EntryBundlePath(uint64_t index, uint32_t width);

struct TilePathParts {
  bool entries = false;  // an entry bundle; then tile.level is 0
  TileId tile;
  bool operator==(const TilePathParts&) const = default;
};
// Reads both forms; nullopt for everything that the two functions above would not write.
std::optional<TilePathParts> ParseTilePath(std::string_view path);

// How many full tiles level `level` of a tree of `size` leaves has: their indexes are [0, result).
uint64_t FullTiles(uint32_t level, uint64_t size);
// The width of the partial tile that follows them; 0 when there is none.
uint32_t PartialWidth(uint32_t level, uint64_t size);
// Every tile of a tree of `size` leaves: level by level, full ones first. Linear in size / 256.
std::vector<TileId> TilesOf(uint64_t size);
// The tiles that are full at `size` and were not at `old_size`, in the order in which they fill.
// REQUIRES: old_size <= size
std::vector<TileId> TilesFilled(uint64_t old_size, uint64_t size);

// The bytes of a tile: its hashes one after another. REQUIRES: 1..256 hashes
Bytes EncodeTile(std::span<const Digest> hashes);
// TILE_MALFORMED unless `raw` is exactly `width` hashes.
Result<std::vector<Digest>> ParseTile(BytesView raw, uint32_t width);
// The root over 1, 2, 4, ... 256 hashes; of a full tile it is the hash one tile level above.
// REQUIRES: the count is a power of two, at most 256
Digest PerfectRoot(std::span<const Digest> hashes);

// The bytes of an entry bundle: u16 length || entry, for each.
// REQUIRES: 1..256 entries, each shorter than 2^16 bytes
Bytes EncodeEntryBundle(std::span<const Digest> entries);
// TILE_MALFORMED unless `raw` is exactly `width` entries. The views point into `raw`.
Result<std::vector<BytesView>> ParseEntryBundle(BytesView raw, uint32_t width);

// Gives the bytes of one tile; asked only for tiles that a tree of the reader's size has.
using TileReader = std::function<Result<Bytes>(const TileId&)>;

// Nodes of the tree of `size` leaves, from its tiles. Remembers the tile it read last, since the
// nodes of a proof lie close together. The result is not thread-safe, copies of it share nothing.
NodeReader NodesFromTiles(uint64_t size, TileReader tiles);

}  // namespace schakel::merkle
