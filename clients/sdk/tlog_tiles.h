// The folder of C2SP tlog-tiles: checkpoint, tile/L/N[.p/W], tile/entries/N[.p/W], as anybody's
// tools read it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "broker/base/result.h"
#include "broker/merkle/checkpoint.h"
#include "broker/merkle/tile_builder.h"

namespace schakel::sdk {

// Fed with entries from index 0, writes each tile as it fills. `checkpoint` is written last, after
// the root was compared: a folder with a checkpoint is whole. Not thread-safe.
class TilesFolder {
 public:
  // The folder is made when missing; files of earlier exports are overwritten.
  static Result<TilesFolder> Open(std::filesystem::path folder);

  Status Add(const Digest& entry);
  // Writes the partial tiles and the checkpoint. Errors: TREE_MISMATCH when entries and checkpoint
  // do not belong together, and those of merkle::OpenCheckpoint.
  Result<merkle::Checkpoint> Finish(const std::string& note, const merkle::VerifierKey& key);

  uint64_t entries() const { return builder_.size(); }

 private:
  explicit TilesFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Status WriteTile(const std::string& path, BytesView content);

  std::filesystem::path folder_;
  merkle::TileBuilder builder_;
  std::vector<Digest> bundle_;  // entries since the last full bundle
};

// The folder from a file that AuditClient::Export wrote. Its records are not looked at.
Result<merkle::Checkpoint> TilesFromExport(const std::filesystem::path& export_file,
                                           const std::filesystem::path& folder,
                                           const merkle::VerifierKey& key);

}  // namespace schakel::sdk
