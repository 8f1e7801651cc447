// The last checkpoint of a log that this client saw. A broker that shows an older or another tree
// later is caught by it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "broker/base/result.h"
#include "broker/merkle/checkpoint.h"
#include "broker/merkle/proof.h"
#include "clients/sdk/files.h"

namespace schakel::sdk {

// A verified checkpoint and what it was compared with.
struct CheckpointLook {
  merkle::Checkpoint checkpoint;
  std::string note;                            // as it came
  std::optional<merkle::TreeHead> remembered;  // unset at the first look
  bool first_look() const { return !remembered.has_value(); }
};

// One file per log: the note as it came. Safe between processes (lock file beside it).
class CheckpointMemory {
 public:
  CheckpointMemory(std::filesystem::path folder, merkle::VerifierKey key);

  // The remembered head; nullopt before the first look. The file is verified again when it is read.
  Result<std::optional<merkle::Checkpoint>> Remembered() const;

  // Asks for the proof that a tree of the first size is the beginning of one of the second.
  using FetchProof = std::function<Result<merkle::Path>(uint64_t first, uint64_t second)>;
  // Verifies a checkpoint's signature, compares it with the remembered one and remembers it when it
  // is newer. Errors: as merkle::OpenCheckpoint; DATA_LOSS CHECKPOINT_INCONSISTENT when it is
  // smaller, has another root at the same size, or its proof does not hold.
  Result<CheckpointLook> Look(const std::string& note, const FetchProof& fetch);

  // Remembers a checkpoint of which the caller proved otherwise (by a whole export) that it
  // continues the remembered one. One that is not newer changes nothing.
  Status Adopt(const std::string& note);

  const merkle::VerifierKey& key() const { return key_; }

 private:
  Result<FileLock> Lock() const;

  std::filesystem::path file_;
  merkle::VerifierKey key_;
};

}  // namespace schakel::sdk
