#include "broker/audit/log_tree.h"

#include "broker/audit/keys.h"
#include "schakel/state/v1/state.pb.h"

namespace schakel::audit {
namespace {

using store::Family;

Error Damaged(const std::string& what) {
  return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "the log's " + what);
}

}  // namespace

Result<Digest> ReadEntry(const store::StateReader& state, uint64_t index) {
  SCHAKEL_ASSIGN(auto raw, state.Get(Family::kRecords, keys::Record(index)));
  if (!raw) return MakeError(ErrorCode::kNotFound, "NOT_FOUND", "no record of that index");
  state::v1::StoredRecord stored;
  if (!stored.ParseFromString(*raw)) return Damaged("record is no StoredRecord");
  auto entry = Digest::From(stored.entry());
  if (!entry) return Damaged("record has no entry");
  return *entry;
}

Result<Bytes> ReadTile(const store::StateReader& state, const merkle::TileId& tile) {
  if (tile.full()) {
    SCHAKEL_ASSIGN(auto raw, state.Get(Family::kTiles, keys::Tile(tile.level, tile.index)));
    if (!raw) return MakeError(ErrorCode::kNotFound, "NOT_FOUND", "no tile of that place");
    return *std::move(raw);
  }
  std::vector<Digest> hashes;
  hashes.reserve(tile.width);
  for (uint64_t i = 0; i < tile.width; ++i) {
    uint64_t place = tile.index * merkle::kTileWidth + i;
    if (tile.level == 0) {
      SCHAKEL_ASSIGN(auto entry, ReadEntry(state, place));
      hashes.push_back(merkle::LeafHash(entry));
    } else {
      SCHAKEL_ASSIGN(auto below,
                     ReadTile(state, merkle::TileId{tile.level - 1, place, merkle::kTileWidth}));
      SCHAKEL_ASSIGN(auto nodes, merkle::ParseTile(below, merkle::kTileWidth));
      hashes.push_back(merkle::PerfectRoot(nodes));
    }
  }
  return merkle::EncodeTile(hashes);
}

Result<LogTree> LogTree::Load(const store::StateReader& state, uint64_t size) {
  LogTree tree;
  if (size == 0) return tree;
  SCHAKEL_ASSIGN(auto raw, state.Get(Family::kTiles, keys::Frontier()));
  if (!raw) return Damaged("frontier is missing");
  SCHAKEL_ASSIGN(tree.frontier_, merkle::Frontier::Parse(*raw));
  if (tree.frontier_.size() != size) return Damaged("frontier has another size than the state");
  SCHAKEL_ASSIGN(tree.tiles_, merkle::TileBuilder::Restore(size, [&](const merkle::TileId& tile) {
                   return ReadTile(state, tile);
                 }));
  if (tree.tiles_.Root() != tree.frontier_.Root()) return Damaged("tiles and frontier differ");
  return tree;
}

void LogTree::Append(const Digest& entry, store::Batch* out) {
  Digest leaf = merkle::LeafHash(entry);
  frontier_.AppendLeaf(leaf);
  tiles_.AppendLeaf(leaf, [out](const merkle::TileId& tile, std::span<const Digest> hashes) {
    out->Put(Family::kTiles, keys::Tile(tile.level, tile.index), merkle::EncodeTile(hashes));
  });
}

void LogTree::WriteFrontier(store::Batch* out) const {
  out->Put(Family::kTiles, keys::Frontier(), frontier_.Serialise());
}

}  // namespace schakel::audit
