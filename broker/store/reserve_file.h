// Disk shortage is decided before the write (INVARIANT I1), since a write that fails stops the
// broker.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>

#include "broker/base/limits.h"
#include "broker/base/result.h"

namespace schakel::store {

// A file that holds disk space, to be given up when the disk is nearly full, so that withdrawals
// and the end of running work still fit. For one thread at a time.
class ReserveFile {
 public:
  explicit ReserveFile(std::filesystem::path path, uint64_t bytes = limits::kReserveFileBytes);

  // Takes the space if it isn't held. STORAGE_LOW when the disk has not got it (nothing is left
  // behind).
  Status Take();
  // Gives the space back. No effect when it isn't held.
  Status GiveUp();
  // True while the space is held, also by a file of an earlier run.
  bool held() const;
  uint64_t bytes() const { return bytes_; }

 private:
  std::filesystem::path path_;
  uint64_t bytes_;
};

enum class StorageLevel {
  kPlenty,    // everything is accepted
  kLow,       // only lane 1: what ends, withdraws or settles
  kCritical,  // not even that fits: accept nothing
};

// Knows the free bytes of the disk and reckons what was written since it last looked. Thread-safe.
class StorageGuard {
 public:
  using FreeBytes = std::function<Result<uint64_t>()>;

  // LIMIT: a batch is reckoned as so many times its bytes: once in the log, once in a sorted file,
  // and a compaction holds old and new for a while.
  static constexpr uint64_t kDiskBytesPerByte = 3;
  // LIMIT: below this the reserve file is given up: room for two of the largest batches as
  // reckoned.
  static constexpr uint64_t kNearZeroBytes = 2 * kDiskBytesPerByte * limits::kBatchWriteBytesMax;

  // `reserve` may be null (no file is held); it must outlive the guard and is used under its lock.
  // Knows nothing until the first Refresh: until then the level is kCritical (INVARIANT I3).
  StorageGuard(FreeBytes free_bytes, uint64_t reserve_bytes, ReserveFile* reserve)
      : free_bytes_(std::move(free_bytes)), reserve_bytes_(reserve_bytes), reserve_(reserve) {}

  // Looks at the disk; call it each second. Gives the reserve file up near zero, and takes it again
  // when there is room for it above `reserve_bytes`. When the disk can't be asked, the level is
  // kCritical.
  Status Refresh();

  // The level that holds for a batch of so many bytes (Batch::bytes), were it written now.
  StorageLevel LevelFor(uint64_t batch_bytes) const;
  // Reckons a batch that was written.
  void Wrote(uint64_t batch_bytes);

  // As last seen, less what was written since.
  uint64_t free_bytes() const;

 private:
  uint64_t FreeLocked() const;

  const FreeBytes free_bytes_;
  const uint64_t reserve_bytes_;
  ReserveFile* const reserve_;
  mutable std::mutex mutex_;
  uint64_t seen_free_ = 0;
  uint64_t written_since_ = 0;
};

}  // namespace schakel::store
