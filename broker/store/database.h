// Database: the open RocksDB database with its lock and its failure state. Includes RocksDB: for
// broker/store only.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "broker/store/file_io.h"
#include "broker/store/rocksdb_options.h"

namespace schakel::store {

// An Error from RocksDB's: STORE_CORRUPT or STORE_IO.
Error FromRocksDb(const rocksdb::Status& status, std::string_view doing);

// Remembers the first failure. Thread-safe.
class FailureState {
 public:
  void Fail(const Error& cause);
  std::optional<Error> failure() const;

 private:
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
};

// Shared by the store and its snapshots; the last one closes it. Thread-safe.
class Database {
 public:
  struct Opened {
    std::shared_ptr<Database> database;
    bool created = false;
    bool log_tail_dropped = false;
    bool manifest_tail_dropped = false;
  };
  static Result<Opened> Open(const StoreOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB& db() const { return *db_; }
  rocksdb::ColumnFamilyHandle* handle(Family family) const {
    return handles_[FamilyIndex(family) + 1];
  }
  FailureState& failure() const { return *failure_; }

  // Writes `batch`, and with a position also that, in one piece; waits for the disk when `sync`.
  rocksdb::Status Write(const Batch& batch, std::optional<uint64_t> position, bool sync);

  // Writes all that is in memory, of every family, to files.
  rocksdb::Status Flush();
  // Rewrites the files of a range down to the last level, with all their blob files.
  rocksdb::Status CompactRange(Family family, BytesView begin, BytesView end,
                               std::atomic<bool>* cancelled);
  // Makes RocksDB begin a new list of files. It has no call for that: a key that is longer than the
  // list may grow is written to the own family and taken back.
  rocksdb::Status RenewManifest();

  // The position that `snapshot` (null: now) holds, 0 when there is none.
  Result<uint64_t> ReadPosition(const rocksdb::Snapshot* snapshot) const;

  // Of the last durable commit.
  uint64_t position() const { return position_; }
  void set_position(uint64_t position) { position_ = position; }

  void Pinned() { ++snapshots_; }
  void Unpinned() { --snapshots_; }
  bool pinned() const { return snapshots_ != 0; }

 private:
  Database() = default;
  rocksdb::Status OpenDb(const StoreOptions& options, const std::string& path);
  Status OpenMended(const StoreOptions& options, bool exists, Opened& opened);
  Result<bool> CheckFormat(const StoreOptions& options);
  Status WriteFormat();
  void CloseDb();

  std::atomic<uint64_t> position_{0};
  std::atomic<size_t> snapshots_{0};
  std::optional<UniqueFd> lock_;
  std::shared_ptr<FailureState> failure_ = std::make_shared<FailureState>();
  DatabaseOptions settings_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace schakel::store
