// Store: the state on disk. One RocksDB database, one synced write a commit. No RocksDB type in
// here.
#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "broker/store/high_water.h"
#include "broker/store/state_store.h"

namespace schakel::store {

// A file system for the database other than the operating system's. Opaque: comes from
// broker/store/testing/fault_file_system.h.
class FileSystemHandle;
class Database;

struct StoreOptions {
  // Holds "db" (the database), "high-water" and "lock". Nobody else writes in it, but for the
  // reserve file and the broker's control socket.
  std::filesystem::path folder;
  // A folder without a store (or a missing one) gets a new store; otherwise it is STORE_MISSING.
  bool create = false;
  // No write at all, not even to the folder: commits are refused as STORE_READ_ONLY.
  bool read_only = false;
  // LIMIT: bound of the block cache, which also accounts for write buffers, indexes and filters.
  size_t cache_bytes = size_t{256} << 20;
  // LIMIT: background writes a second, so that compactions do not hold up the sync of a commit; 0:
  // no bound.
  size_t background_bytes_per_second = size_t{96} << 20;
  // Free bytes of the disk; empty: asks the operating system.
  std::function<Result<uint64_t>()> free_bytes;
  std::shared_ptr<FileSystemHandle> file_system;
};

// What Open found.
struct OpenFacts {
  bool created = false;
  uint64_t position = 0;        // last durable command, 0 in an empty store
  HighWaterReading high_water;  // before this start; kMissing in a new store
  // What a power cut may leave: the write-ahead log, or the database's list of files, ended in
  // damaged bytes, which were left out. The list as it was is kept as "torn-manifest" in the
  // folder.
  bool log_tail_dropped = false;
  bool manifest_tail_dropped = false;

  // True when acknowledged commands are gone, or when nobody can tell: the caller starts in mode
  // RESTORED. `why` (may be null) gets the reason in English.
  bool Doubtful(std::string* why) const;
};

struct FamilyStats {
  uint64_t keys = 0;        // estimate
  uint64_t file_bytes = 0;  // sorted files
  uint64_t blob_bytes = 0;
  uint64_t memory_bytes = 0;  // not yet in files
};

struct StoreStats {
  std::array<FamilyStats, kFamilies.size()> families;
  uint64_t cache_bytes_used = 0;
  uint64_t compaction_bytes_pending = 0;
  bool writes_stopped = false;  // the database holds commits back until compactions caught up
};

class Store final : public StateStore {
 public:
  // Errors: STORE_LOCKED (another process or object has this folder open), STORE_MISSING,
  // STORE_FORMAT_UNKNOWN (written by another version), STORE_CORRUPT, STORE_IO.
  static Result<std::unique_ptr<Store>> Open(StoreOptions options);
  // Closes as Close does. Snapshots may outlive it; the folder stays locked until they are gone.
  ~Store() override;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  Status Commit(const Batch& batch, uint64_t position) override;
  Status CommitLocal(const Batch& batch) override;
  const StateReader& durable() const override;
  std::unique_ptr<Snapshot> TakeSnapshot() const override;
  uint64_t position() const override;
  std::optional<Error> failure() const override;

  const OpenFacts& facts() const { return facts_; }

  // Reads `keys` into the cache, so that a later Get does not wait for the disk. Any thread.
  void Prefetch(Family family, std::span<const BytesView> keys) const;

  // Rewrites the files of [begin, end) so that deleted keys and overwritten values are gone from
  // the disk. In `content` also the blob files that the range refers to are rewritten; a blob file
  // which keys outside the range refer to as well stays, so pass ("", "") to be sure of all. Slow:
  // off the commit path.
  Status CompactRange(Family family, BytesView begin, BytesView end);

  // A range of keys of a family; "" as in CompactRange.
  struct Range {
    Family family = Family::kContent;
    Bytes begin;
    Bytes end;
  };
  // Takes off the disk what was deleted or overwritten in `ranges` before the call, or before the
  // first of the calls since the last success: memory goes to files, so that the write-ahead log of
  // before is deleted; the ranges are rewritten; a new list of files is begun, since the old one
  // names first and last keys of files that are gone; then the folder is looked through: on success
  // no file is left that holds anything of before. Waits for a copy that is being made. Snapshots
  // older than that make it STORE_IN_USE, too little room for what has to be rewritten while
  // `reserve_bytes` stay free makes it STORAGE_LOW, both without effect. STORE_FILES_LEFT: the
  // folder is not clean. STORE_CANCELLED: after CancelScour. It can be called again after any error
  // but STORE_FAILED. Slow: off the commit path.
  Status Scour(const std::vector<Range>& ranges, uint64_t reserve_bytes);
  // Ends a Scour that runs, and refuses others. Any thread.
  void CancelScour();

  // Writes everything in memory to files and syncs them: the next start has no log to replay.
  Status Flush();

  // Reads every file and compares it with the check sum that was noted when it was written. Slow.
  Status VerifyFiles() const;

  // Copies the durable state into `folder`, as the folder of a store of its own. `folder` must not
  // exist, its parent must. Files are shared by hard links on the same file system, copied
  // otherwise; commits go on meanwhile, and one of them may be in the copy before it is durable
  // here. What is in memory is written to files first: be sure of room for it on the own disk,
  // since a flush that fails ends the writing. The copy has no high-water file: whoever starts from
  // it is in doubt (OpenFacts) until a commit. Synced on return; after an error nothing is left.
  // Slow: off the commit path.
  Status BackUp(const std::filesystem::path& folder) const;

  // Free bytes of the disk of the folder.
  Result<uint64_t> FreeBytes() const;
  StoreStats Stats() const;

  // Syncs what CommitLocal wrote and releases the folder. After it only the destructor may be
  // called. STORE_IN_USE, without effect, when a snapshot is still held.
  Status Close();

 private:
  Store(StoreOptions options, std::shared_ptr<Database> database, OpenFacts facts,
        std::optional<HighWaterFile> high_water);
  Status Write(const Batch& batch, std::optional<uint64_t> position);
  Status NoteHighWater(uint64_t position);

  StoreOptions options_;
  OpenFacts facts_;
  std::shared_ptr<Database> database_;
  std::unique_ptr<StateReader> durable_;
  std::mutex commit_mutex_;
  std::optional<HighWaterFile> high_water_;  // none: read-only, or missing until a commit
  mutable std::mutex copy_mutex_;            // a copy and a scouring exclude each other
  uint64_t scour_before_ = 0;  // RocksDB's number of the first call since the last success
  std::atomic<bool> cancelled_{false};
};

}  // namespace schakel::store
