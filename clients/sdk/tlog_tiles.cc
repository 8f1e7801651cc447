#include "clients/sdk/tlog_tiles.h"

#include <fstream>

#include "broker/merkle/export_format.h"
#include "broker/merkle/tile.h"
#include "clients/sdk/files.h"

namespace schakel::sdk {

namespace fs = std::filesystem;

Result<TilesFolder> TilesFolder::Open(fs::path folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) {
    return MakeError(ErrorCode::kFailedPrecondition, "FILE_FAILED",
                     "can't make " + folder.string() + ": " + code.message(), folder.string());
  }
  // A checkpoint of an earlier export would speak for a folder that is being changed.
  SCHAKEL_TRY(RemoveFileDurably(folder / "checkpoint"));
  return TilesFolder(std::move(folder));
}

Status TilesFolder::WriteTile(const std::string& path, BytesView content) {
  const fs::path file = folder_ / path;
  std::error_code code;
  fs::create_directories(file.parent_path(), code);
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (out.fail()) {
    return MakeError(ErrorCode::kFailedPrecondition, "FILE_FAILED", "can't write " + file.string(),
                     file.string());
  }
  return {};
}

Status TilesFolder::Add(const Digest& entry) {
  Status done;
  builder_.Append(entry, [&](const merkle::TileId& tile, std::span<const Digest> hashes) {
    if (done.ok()) done = WriteTile(merkle::TilePath(tile), merkle::EncodeTile(hashes));
  });
  if (!done.ok()) return done;
  bundle_.push_back(entry);
  if (bundle_.size() < merkle::kTileWidth) return {};
  const uint64_t index = builder_.size() / merkle::kTileWidth - 1;
  done = WriteTile(merkle::EntryBundlePath(index, merkle::kTileWidth),
                   merkle::EncodeEntryBundle(bundle_));
  bundle_.clear();
  return done;
}

Result<merkle::Checkpoint> TilesFolder::Finish(const std::string& note,
                                               const merkle::VerifierKey& key) {
  SCHAKEL_ASSIGN(auto checkpoint, merkle::OpenCheckpoint(note, key));
  if (checkpoint.head.size != builder_.size() || checkpoint.head.root != builder_.Root()) {
    return MakeError(ErrorCode::kDataLoss, "TREE_MISMATCH",
                     "the entries do not make the tree that the checkpoint signs");
  }
  for (const auto& tile : builder_.PartialTiles()) {
    SCHAKEL_TRY(
        WriteTile(merkle::TilePath(tile), merkle::EncodeTile(builder_.Partial(tile.level))));
  }
  if (!bundle_.empty()) {
    SCHAKEL_TRY(WriteTile(merkle::EntryBundlePath(builder_.size() / merkle::kTileWidth,
                                                  static_cast<uint32_t>(bundle_.size())),
                          merkle::EncodeEntryBundle(bundle_)));
  }
  SCHAKEL_TRY(WriteTile("checkpoint", note));
  return checkpoint;
}

Result<merkle::Checkpoint> TilesFromExport(const fs::path& export_file, const fs::path& folder,
                                           const merkle::VerifierKey& key) {
  std::ifstream in(export_file, std::ios::binary);
  if (!in) {
    return MakeError(ErrorCode::kNotFound, "FILE_MISSING", "can't open " + export_file.string(),
                     export_file.string());
  }
  SCHAKEL_ASSIGN(auto tiles, TilesFolder::Open(folder));
  merkle::ExportReader reader;
  Bytes chunk(1 << 20, '\0');
  while (in) {
    in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    reader.Append(BytesView(chunk).substr(0, static_cast<size_t>(in.gcount())));
    while (true) {
      SCHAKEL_ASSIGN(const auto frame, reader.Next());
      if (!frame) break;
      SCHAKEL_TRY(tiles.Add(frame->entry));
    }
  }
  SCHAKEL_ASSIGN(const BytesView note, reader.Finish());
  return tiles.Finish(std::string(note), key);
}

}  // namespace schakel::sdk
