#include "broker/audit/log_reader.h"

#include <vector>

#include "broker/audit/keys.h"
#include "broker/audit/log_tree.h"
#include "broker/merkle/note.h"
#include "broker/merkle/proof.h"
#include "broker/merkle/tile.h"

namespace schakel::audit {

namespace {

Error Damaged(const std::string& what) {
  return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", what);
}

Error OutOfTree(const char* field, uint64_t size) {
  return InvalidArgument(
      "FIELD_INVALID", field,
      "lies outside the tree of the last checkpoint, which has size " + std::to_string(size));
}

merkle::NodeReader Nodes(const store::StateReader& state, uint64_t size) {
  return merkle::NodesFromTiles(
      size, [&state](const merkle::TileId& tile) { return ReadTile(state, tile); });
}

template <typename Response>
void FillPath(const merkle::Path& path, Response* out) {
  for (const auto& hash : path) out->add_path(hash.str());
}

}  // namespace

Result<std::optional<state::v1::Meta>> ReadMeta(const store::StateReader& state) {
  SCHAKEL_ASSIGN(auto raw, state.Get(store::Family::kHot, keys::Meta()));
  if (!raw) return std::optional<state::v1::Meta>();
  state::v1::Meta meta;
  if (!meta.ParseFromString(*raw)) return Damaged("the log's place is no Meta");
  return std::optional(std::move(meta));
}

Result<state::v1::Meta> MetaOf(const store::StateReader& state) {
  SCHAKEL_ASSIGN(auto meta, ReadMeta(state));
  if (!meta) {
    return MakeError(ErrorCode::kUnavailable, "NOT_SERVING", "the log has not begun yet");
  }
  return *std::move(meta);
}

Result<SignedHead> LastCheckpoint(const store::StateReader& state) {
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  SCHAKEL_ASSIGN(auto note, state.Get(store::Family::kLocal, keys::Checkpoint()));
  if (!note) {
    Error early = MakeError(ErrorCode::kUnavailable, "NOT_SERVING",
                            "no checkpoint was signed yet; it follows within a second");
    early.retry_after_ms = 1000;
    return early;
  }
  SCHAKEL_ASSIGN(auto parsed, merkle::ParseNote(*note));
  SCHAKEL_ASSIGN(auto checkpoint, merkle::ParseCheckpointBody(parsed.text));
  if (checkpoint.head.size > meta.tree_size()) {
    return Damaged("the last checkpoint is larger than the log");
  }
  return SignedHead{*std::move(note), std::move(checkpoint)};
}

Result<v1::GetCheckpointResponse> GetCheckpoint(const store::StateReader& state) {
  SCHAKEL_ASSIGN(auto last, LastCheckpoint(state));
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  v1::GetCheckpointResponse response;
  response.set_checkpoint(std::move(last.note));
  response.set_log_key(meta.log_key());
  return response;
}

Result<v1::GetInclusionProofResponse> GetInclusionProof(
    const store::StateReader& state, const v1::GetInclusionProofRequest& request) {
  SCHAKEL_ASSIGN(auto last, LastCheckpoint(state));
  const uint64_t covered = last.checkpoint.head.size;
  const uint64_t size = request.tree_size() == 0 ? covered : request.tree_size();
  if (size > covered) return OutOfTree("tree_size", covered);
  if (request.index() >= size) return OutOfTree("index", size);
  SCHAKEL_ASSIGN(auto entry, ReadEntry(state, request.index()));
  SCHAKEL_ASSIGN(auto path, merkle::InclusionProof(request.index(), size, Nodes(state, size)));
  v1::GetInclusionProofResponse response;
  response.set_entry(entry.str());
  FillPath(path, &response);
  response.set_tree_size(size);
  if (size == covered) response.set_checkpoint(std::move(last.note));
  return response;
}

Result<v1::GetConsistencyProofResponse> GetConsistencyProof(
    const store::StateReader& state, const v1::GetConsistencyProofRequest& request) {
  SCHAKEL_ASSIGN(auto last, LastCheckpoint(state));
  const uint64_t covered = last.checkpoint.head.size;
  const uint64_t size = request.second_size() == 0 ? covered : request.second_size();
  if (size > covered) return OutOfTree("second_size", covered);
  if (request.first_size() == 0 || request.first_size() > size) {
    return InvalidArgument("FIELD_INVALID", "first_size",
                           "from 1 to the size of the second tree expected");
  }
  SCHAKEL_ASSIGN(auto path,
                 merkle::ConsistencyProof(request.first_size(), size, Nodes(state, size)));
  v1::GetConsistencyProofResponse response;
  FillPath(path, &response);
  response.set_second_size(size);
  if (size == covered) response.set_checkpoint(std::move(last.note));
  return response;
}

Result<v1::GetTileResponse> GetTile(const store::StateReader& state,
                                    const v1::GetTileRequest& request) {
  if (request.level() > merkle::kTileLevelMax || (request.entries() && request.level() != 0)) {
    return InvalidArgument("FIELD_INVALID", "level",
                           request.entries() ? "0 expected with entries" : "0 to 7 expected");
  }
  if (request.width() >= merkle::kTileWidth) {
    return InvalidArgument("FIELD_INVALID", "width", "1 to 255, or 0 for a full tile, expected");
  }
  SCHAKEL_ASSIGN(auto last, LastCheckpoint(state));
  const merkle::TileId tile{request.level(), request.index(),
                            request.width() == 0 ? merkle::kTileWidth : request.width()};
  // A partial tile of the tree, or of any smaller one, which it may have had a checkpoint of.
  const uint64_t full = merkle::FullTiles(tile.level, last.checkpoint.head.size);
  const uint32_t partial = merkle::PartialWidth(tile.level, last.checkpoint.head.size);
  if (tile.index > full || (tile.index == full && tile.width > partial)) {
    return MakeError(ErrorCode::kNotFound, "NOT_FOUND",
                     "the tree of the last checkpoint has no such tile", "index");
  }
  v1::GetTileResponse response;
  if (!request.entries()) {
    SCHAKEL_ASSIGN(*response.mutable_tile(), ReadTile(state, tile));
    return response;
  }
  std::vector<Digest> entries;
  for (uint64_t i = 0; i < tile.width; ++i) {
    SCHAKEL_ASSIGN(auto entry, ReadEntry(state, tile.index * merkle::kTileWidth + i));
    entries.push_back(entry);
  }
  response.set_tile(merkle::EncodeEntryBundle(entries));
  return response;
}

}  // namespace schakel::audit
