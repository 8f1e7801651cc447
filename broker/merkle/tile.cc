#include "broker/merkle/tile.h"

#include <algorithm>
#include <array>
#include <bit>

#include "broker/merkle/text.h"

namespace schakel::merkle {
namespace {

// The index as path elements of three digits, all but the last with an x: x001/x234/067.
std::string IndexPath(uint64_t index) {
  std::string path;
  bool last = true;
  do {
    std::string element = last ? "" : "x";
    for (uint64_t unit : {100u, 10u, 1u}) element += static_cast<char>('0' + index / unit % 10);
    path = last ? element : element + "/" + path;
    last = false;
    index /= 1000;
  } while (index != 0);
  return path;
}

std::string WithWidth(std::string path, uint32_t width) {
  SCHAKEL_CHECK(width >= 1 && width <= kTileWidth, "a tile has 1 to 256 hashes");
  if (width != kTileWidth) path += ".p/" + std::to_string(width);
  return path;
}

Error Malformed(std::string message) {
  return InvalidArgument("TILE_MALFORMED", "tile", std::move(message));
}

// nullopt on a number above 2^64 - 1. What else is wrong shows when the path is written again.
std::optional<uint64_t> ParseIndexPath(std::string_view path) {
  std::string digits;
  for (char c : path) {
    if (c != 'x' && c != '/') digits += c;
  }
  const size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  return digits.empty() ? std::nullopt : ParseDecimal(std::string_view(digits).substr(first));
}

}  // namespace

std::string TilePath(const TileId& tile) {
  SCHAKEL_CHECK(tile.level <= kTileLevelMax, "no tree reaches this tile level");
  return WithWidth("tile/" + std::to_string(tile.level) + "/" + IndexPath(tile.index), tile.width);
}

std::string EntryBundlePath(uint64_t index, uint32_t width) {
  return WithWidth("tile/entries/" + IndexPath(index), width);
}

std::optional<TilePathParts> ParseTilePath(std::string_view path) {
  constexpr std::string_view kPrefix = "tile/";
  constexpr size_t kLongest = 64;  // longer than any path of a u64 index
  if (path.size() > kLongest || !path.starts_with(kPrefix)) return std::nullopt;
  std::string_view rest = path.substr(kPrefix.size());
  const size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  TilePathParts parts;
  const std::string_view level = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  if (level == "entries") {
    parts.entries = true;
  } else {
    auto number = ParseDecimal(level);
    if (!number || *number > kTileLevelMax) return std::nullopt;
    parts.tile.level = static_cast<uint32_t>(*number);
  }
  if (const size_t dot = rest.find(".p/"); dot != std::string_view::npos) {
    auto width = ParseDecimal(rest.substr(dot + 3));
    if (!width || *width == 0 || *width >= kTileWidth) return std::nullopt;
    parts.tile.width = static_cast<uint32_t>(*width);
    rest = rest.substr(0, dot);
  }
  auto index = ParseIndexPath(rest);
  if (!index) return std::nullopt;
  parts.tile.index = *index;
  const std::string canonical =
      parts.entries ? EntryBundlePath(parts.tile.index, parts.tile.width) : TilePath(parts.tile);
  if (canonical != path) return std::nullopt;
  return parts;
}

uint64_t FullTiles(uint32_t level, uint64_t size) {
  return level >= kTileLevelMax ? 0 : size >> (kTileHeight * (level + 1));
}

uint32_t PartialWidth(uint32_t level, uint64_t size) {
  if (level > kTileLevelMax) return 0;
  return static_cast<uint32_t>(size >> (kTileHeight * level)) % kTileWidth;
}

std::vector<TileId> TilesOf(uint64_t size) {
  std::vector<TileId> tiles;
  for (uint32_t level = 0; level <= kTileLevelMax; ++level) {
    const uint64_t full = FullTiles(level, size);
    for (uint64_t index = 0; index < full; ++index) tiles.push_back({level, index, kTileWidth});
    const uint32_t width = PartialWidth(level, size);
    if (width != 0) tiles.push_back({level, full, width});
  }
  return tiles;
}

std::vector<TileId> TilesFilled(uint64_t old_size, uint64_t size) {
  SCHAKEL_CHECK(old_size <= size, "a tree does not shrink");
  std::vector<TileId> tiles;
  for (uint64_t index = FullTiles(0, old_size); index < FullTiles(0, size); ++index) {
    uint64_t above = index;
    tiles.push_back({0, above, kTileWidth});
    // The last tile of 256 fills the one above it.
    for (uint32_t level = 1; above % kTileWidth == kTileWidth - 1; ++level) {
      above /= kTileWidth;
      tiles.push_back({level, above, kTileWidth});
    }
  }
  return tiles;
}

Bytes EncodeTile(std::span<const Digest> hashes) {
  SCHAKEL_CHECK(!hashes.empty() && hashes.size() <= kTileWidth, "a tile has 1 to 256 hashes");
  Bytes out;
  out.reserve(hashes.size() * 32);
  for (const Digest& hash : hashes) out.append(hash.view());
  return out;
}

Result<std::vector<Digest>> ParseTile(BytesView raw, uint32_t width) {
  if (width == 0 || width > kTileWidth) return Malformed("a tile has 1 to 256 hashes");
  if (raw.size() != size_t{width} * 32) return Malformed("a tile is width times 32 bytes");
  std::vector<Digest> hashes(width);
  for (uint32_t i = 0; i < width; ++i) hashes[i] = *Digest::From(raw.substr(size_t{i} * 32, 32));
  return hashes;
}

Digest PerfectRoot(std::span<const Digest> hashes) {
  SCHAKEL_CHECK(std::has_single_bit(hashes.size()) && hashes.size() <= kTileWidth,
                "a perfect subtree in a tile has 1, 2, 4, ... 256 hashes");
  std::array<Digest, kTileWidth> row;
  std::copy(hashes.begin(), hashes.end(), row.begin());
  for (size_t n = hashes.size(); n > 1; n /= 2) {
    for (size_t i = 0; i < n / 2; ++i) row[i] = NodeHash(row[2 * i], row[2 * i + 1]);
  }
  return row[0];
}

Bytes EncodeEntryBundle(std::span<const Digest> entries) {
  SCHAKEL_CHECK(!entries.empty() && entries.size() <= kTileWidth, "a bundle has 1 to 256 entries");
  ByteWriter out(entries.size() * 34);
  for (const Digest& entry : entries) out.U16(32).Raw(entry.view());
  return out.Take();
}

Result<std::vector<BytesView>> ParseEntryBundle(BytesView raw, uint32_t width) {
  if (width == 0 || width > kTileWidth) return Malformed("a bundle has 1 to 256 entries");
  ByteReader in(raw);
  std::vector<BytesView> entries;
  entries.reserve(width);
  for (uint32_t i = 0; i < width; ++i) {
    auto length = in.U16();
    auto entry = length ? in.Raw(*length) : std::nullopt;
    if (!entry) return Malformed("the bundle is too short for its width");
    entries.push_back(*entry);
  }
  if (!in.Done()) return Malformed("the bundle is too long for its width");
  return entries;
}

NodeReader NodesFromTiles(uint64_t size, TileReader tiles) {
  struct Last {
    TileId id{UINT32_MAX, 0, 0};
    std::vector<Digest> hashes;
  };
  return [size, tiles = std::move(tiles), last = Last()](NodeId node) mutable -> Result<Digest> {
    if (node.level >= 64 || node.index >= size >> node.level) {
      return InvalidArgument("OUT_OF_TREE", "node", "the node does not lie in the tree");
    }
    const uint32_t level = node.level / kTileHeight;
    const uint32_t height = node.level % kTileHeight;
    const uint64_t first = node.index << height;  // among the nodes of the tile level
    const uint64_t index = first / kTileWidth;
    const bool full = index < FullTiles(level, size);
    const TileId id{level, index, full ? kTileWidth : PartialWidth(level, size)};
    if (last.id != id) {
      SCHAKEL_ASSIGN(Bytes raw, tiles(id));
      SCHAKEL_ASSIGN(last.hashes, ParseTile(raw, id.width));
      last.id = id;
    }
    return PerfectRoot(std::span(last.hashes).subspan(first % kTileWidth, size_t{1} << height));
  };
}

}  // namespace schakel::merkle
