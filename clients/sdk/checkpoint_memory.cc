#include "clients/sdk/checkpoint_memory.h"

#include "broker/crypto/hash.h"
#include "clients/sdk/files.h"

namespace schakel::sdk {
namespace {

Error Inconsistent(const merkle::TreeHead& seen, const merkle::TreeHead& shown,
                   const std::string& why) {
  return MakeError(ErrorCode::kDataLoss, "CHECKPOINT_INCONSISTENT",
                   "the log does not continue what was seen before (size " +
                       std::to_string(seen.size) + " then, " + std::to_string(shown.size) +
                       " now): " + why + "; keep both checkpoints and tell the other partners");
}

}  // namespace

CheckpointMemory::CheckpointMemory(std::filesystem::path folder, merkle::VerifierKey key)
    // An origin may hold what a file name may not; its digest may not.
    : file_(folder /
            ("checkpoint-" + HexEncode(crypto::Sha256(key.Encode()).view().substr(0, 16)))),
      key_(std::move(key)) {}

Result<FileLock> CheckpointMemory::Lock() const {
  std::filesystem::path lock_file = file_;
  lock_file += ".lock";
  return FileLock::Acquire(lock_file);
}

Status CheckpointMemory::Adopt(const std::string& note) {
  SCHAKEL_ASSIGN(const auto shown, merkle::OpenCheckpoint(note, key_));
  SCHAKEL_ASSIGN(const auto lock, Lock());
  SCHAKEL_ASSIGN(const auto remembered, Remembered());
  if (remembered && remembered->head.size >= shown.head.size) return {};
  return WriteFileDurably(file_, note);
}

Result<std::optional<merkle::Checkpoint>> CheckpointMemory::Remembered() const {
  SCHAKEL_ASSIGN(const auto note, ReadFileIfThere(file_, 1 << 20));
  if (!note) return std::optional<merkle::Checkpoint>();
  auto checkpoint = merkle::OpenCheckpoint(*note, key_);
  if (!checkpoint.ok()) {
    return MakeError(ErrorCode::kDataLoss, "CHECKPOINT_MEMORY_DAMAGED",
                     file_.string() + " is damaged; restore it, or remove it to start anew",
                     file_.string());
  }
  return std::optional<merkle::Checkpoint>(std::move(checkpoint).value());
}

Result<CheckpointLook> CheckpointMemory::Look(const std::string& note, const FetchProof& fetch) {
  SCHAKEL_ASSIGN(const auto shown, merkle::OpenCheckpoint(note, key_));
  SCHAKEL_ASSIGN(const auto lock, Lock());
  SCHAKEL_ASSIGN(const auto remembered, Remembered());
  CheckpointLook look{shown, note, std::nullopt};
  if (remembered) {
    const merkle::TreeHead& seen = remembered->head;
    look.remembered = seen;
    if (shown.head.size < seen.size) {
      return Inconsistent(seen, shown.head, "it became shorter");
    }
    if (shown.head.size == seen.size) {
      if (shown.head.root != seen.root) {
        return Inconsistent(seen, shown.head, "another tree of the same size is signed");
      }
      return look;
    }
    if (seen.size > 0) {  // from an empty tree nothing follows
      SCHAKEL_ASSIGN(const auto path, fetch(seen.size, shown.head.size));
      const auto proved = merkle::VerifyConsistency(seen, shown.head, path);
      if (!proved.ok()) return Inconsistent(seen, shown.head, "its proof does not hold");
    }
  }
  SCHAKEL_TRY(WriteFileDurably(file_, note));
  return look;
}

}  // namespace schakel::sdk
