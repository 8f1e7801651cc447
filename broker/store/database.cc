#include "broker/store/database.h"

#include <rocksdb/listener.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <system_error>

#include "broker/store/manifest_tail.h"

namespace schakel::store {
namespace {

namespace fs = std::filesystem;

// The store's own keys (FORMAT.md, "The store's own keys").
constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kPositionKey = "position";
constexpr uint32_t kFormatVersion = 3;
// The oldest that can be read. Opening turns the store into the present format, which is written
// beside what stands.
constexpr uint32_t kFormatVersionOldest = 2;

constexpr size_t kProtectionBytesPerKey = 8;  // finds memory errors between batch and memtable

Error Locked(const fs::path& folder) {
  return MakeError(ErrorCode::kFailedPrecondition, "STORE_LOCKED",
                   "the data folder " + folder.string() + " is in use by another process");
}

Error Missing(const fs::path& folder) {
  return MakeError(ErrorCode::kNotFound, "STORE_MISSING",
                   "there is no store in the folder " + folder.string());
}

Error UnknownFormat(std::string_view what) {
  return MakeError(
      ErrorCode::kFailedPrecondition, "STORE_FORMAT_UNKNOWN",
      "the store was written by another version of this program: " + std::string(what));
}

class FailureListener final : public rocksdb::EventListener {
 public:
  explicit FailureListener(std::shared_ptr<FailureState> state) : state_(std::move(state)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    state_->Fail(FromRocksDb(*status, "writing in the background"));
  }

 private:
  std::shared_ptr<FailureState> state_;
};

Status MakeFolders(const fs::path& folder) {
  std::error_code error;
  const bool existed = fs::exists(folder, error);
  fs::create_directories(folder / "db", error);
  if (error) return IoError("cannot create", folder / "db", error.value());
  SCHAKEL_TRY(SyncFolder(folder));
  return existed ? Status() : SyncFolder(FolderOf(fs::absolute(folder)));
}

// A store that lost its CURRENT file must not be taken for a new one: RocksDB would delete its
// files.
Status CheckNothingLeft(const fs::path& db_folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(db_folder, error)) {
    const std::string kind = entry.path().extension().string();
    if (kind == ".sst" || kind == ".blob" || kind == ".log") {
      return MakeError(
          ErrorCode::kDataLoss, "STORE_CORRUPT",
          "the store in " + db_folder.string() + " has data but lost its file CURRENT");
    }
  }
  return {};
}

Status CheckFamilies(const DatabaseOptions& settings, const std::string& path) {
  std::vector<std::string> names;
  const rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(settings.database, path, &names);
  if (!listed.ok()) return FromRocksDb(listed, "listing the families");
  for (const std::string& name : names) {
    if (std::none_of(settings.families.begin(), settings.families.end(),
                     [&](const auto& known) { return known.name == name; })) {
      return UnknownFormat("it has a family " + name);
    }
  }
  return {};
}

}  // namespace

Error FromRocksDb(const rocksdb::Status& status, std::string_view doing) {
  const bool corrupt = status.IsCorruption();
  return MakeError(corrupt ? ErrorCode::kDataLoss : ErrorCode::kUnavailable,
                   corrupt ? "STORE_CORRUPT" : "STORE_IO",
                   std::string(doing) + " failed: " + status.ToString());
}

void FailureState::Fail(const Error& cause) {
  const std::lock_guard lock(mutex_);
  if (failure_) return;
  failure_ = MakeError(ErrorCode::kUnavailable, "STORE_FAILED",
                       "the store accepts no writes until it is opened anew: " + cause.message);
}

std::optional<Error> FailureState::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

Result<Database::Opened> Database::Open(const StoreOptions& options) {
  const fs::path db_folder = options.folder / "db";
  const bool may_create = options.create && !options.read_only;
  std::error_code ignored;
  const bool exists = fs::exists(db_folder / "CURRENT", ignored);
  if (!exists && !may_create) return Missing(options.folder);
  if (!exists) {
    SCHAKEL_TRY(CheckNothingLeft(db_folder));
    SCHAKEL_TRY(MakeFolders(options.folder));
  }

  Opened opened;
  opened.database = std::shared_ptr<Database>(new Database());
  Database& self = *opened.database;
  const LockKind kind = options.read_only ? LockKind::kShared : LockKind::kExclusive;
  SCHAKEL_ASSIGN(self.lock_, LockFile(options.folder / "lock", kind, /*wait=*/false));
  if (!self.lock_) return Locked(options.folder);

  self.settings_ = MakeDatabaseOptions(options, std::make_shared<FailureListener>(self.failure_));
  SCHAKEL_TRY(self.OpenMended(options, exists, opened));
  SCHAKEL_ASSIGN(opened.created, self.CheckFormat(options));
  SCHAKEL_ASSIGN(self.position_, self.ReadPosition(nullptr));
  return opened;
}

// Opens, and mends what a power cut may leave and RocksDB does not accept. What was synced is kept;
// whether more is missing shows against the high-water file and the head. Any other damage fails
// again.
Status Database::OpenMended(const StoreOptions& options, bool exists, Opened& opened) {
  const fs::path db_folder = options.folder / "db";
  const std::string path = db_folder.string();
  if (exists) {
    Status families = CheckFamilies(settings_, path);
    if (!families.ok() && families.error().reason == "STORE_CORRUPT" && !options.read_only) {
      SCHAKEL_ASSIGN(opened.manifest_tail_dropped,
                     CutTornManifest(db_folder, options.folder / "torn-manifest"));
      if (opened.manifest_tail_dropped) families = CheckFamilies(settings_, path);
    }
    if (!families.ok()) return families;
  }
  const rocksdb::Status status = OpenDb(options, path);
  if (status.ok()) return {};
  if (status.IsCorruption()) {
    settings_.database.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    opened.log_tail_dropped = OpenDb(options, path).ok();
    if (opened.log_tail_dropped) return {};
  }
  return FromRocksDb(status, "opening the store");
}

rocksdb::Status Database::OpenDb(const StoreOptions& options, const std::string& path) {
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      options.read_only
          ? rocksdb::DB::OpenForReadOnly(settings_.database, path, settings_.families, &handles_,
                                         &db)
          : rocksdb::DB::Open(settings_.database, path, settings_.families, &handles_, &db);
  if (status.ok()) db_.reset(db);
  return status;
}

// True when the store is new. The format key is the last thing that makes a store one.
Result<bool> Database::CheckFormat(const StoreOptions& options) {
  std::string value;
  const rocksdb::Status read = db_->Get({}, handles_[0], std::string(kFormatKey), &value);
  if (read.ok()) {
    ByteReader in(value);
    const auto version = in.U32();
    if (!in.Done() || *version < kFormatVersionOldest || *version > kFormatVersion) {
      return UnknownFormat("its format is " + HexEncode(value) + ", known are " +
                           std::to_string(kFormatVersionOldest) + " to " +
                           std::to_string(kFormatVersion));
    }
    if (*version < kFormatVersion && !options.read_only) SCHAKEL_TRY(WriteFormat());
    return false;
  }
  if (!read.IsNotFound()) return FromRocksDb(read, "reading the format");
  if (!options.create || options.read_only) return Missing(options.folder);
  SCHAKEL_TRY(WriteFormat());
  return true;
}

Status Database::WriteFormat() {
  rocksdb::WriteOptions write;
  write.sync = true;
  const rocksdb::Status written = db_->Put(write, handles_[0], std::string(kFormatKey),
                                           ByteWriter().U32(kFormatVersion).Take());
  return written.ok() ? Status() : Status(FromRocksDb(written, "writing the format"));
}

Database::~Database() { CloseDb(); }

void Database::CloseDb() {
  if (!db_) return;
  for (rocksdb::ColumnFamilyHandle* handle : handles_) {
    db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  handles_.clear();
  // Nothing can be lost here: commits are synced. On a failed database Close repeats the old error.
  db_->Close().PermitUncheckedError();
  db_.reset();
}

rocksdb::Status Database::Write(const Batch& batch, std::optional<uint64_t> position, bool sync) {
  rocksdb::WriteBatch out(batch.bytes() + 256, 0, kProtectionBytesPerKey, 0);
  rocksdb::Status status;
  const auto keep = [&status](const rocksdb::Status& s) {
    if (status.ok()) status = s;
  };
  for (const Family family : kFamilies) {
    rocksdb::ColumnFamilyHandle* const target = handle(family);
    for (const auto& [begin, end] : batch.ranges(family)) {
      keep(out.DeleteRange(target, begin, end));
    }
    for (const auto& [key, value] : batch.points(family)) {
      keep(value ? out.Put(target, key, *value) : out.Delete(target, key));
    }
  }
  if (position) {
    keep(out.Put(handles_[0], std::string(kPositionKey), ByteWriter().U64(*position).Take()));
  }
  if (!status.ok()) return status;
  // Of this thread: RocksDB counts for its own tuning at every step of a commit.
  rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
  rocksdb::WriteOptions options;
  options.sync = sync;
  return db_->Write(options, &out);
}

rocksdb::Status Database::Flush() { return db_->Flush(rocksdb::FlushOptions(), handles_); }

rocksdb::Status Database::CompactRange(Family family, BytesView begin, BytesView end,
                                       std::atomic<bool>* cancelled) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  options.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
  options.blob_garbage_collection_age_cutoff = 1.0;
  options.canceled = cancelled;
  const rocksdb::Slice first(begin.data(), begin.size());
  const rocksdb::Slice last(end.data(), end.size());
  return db_->CompactRange(options, handle(family), begin.empty() ? nullptr : &first,
                           end.empty() ? nullptr : &last);
}

rocksdb::Status Database::RenewManifest() {
  rocksdb::ColumnFamilyHandle* const own = handles_[0];
  const std::string filler(kManifestBytesMax + 1, '\0');  // before all other keys
  rocksdb::Status status = db_->Put(rocksdb::WriteOptions(), own, filler, "");
  if (status.ok()) status = db_->Flush(rocksdb::FlushOptions(), own);
  if (status.ok()) status = db_->Delete(rocksdb::WriteOptions(), own, filler);
  if (status.ok()) status = db_->Flush(rocksdb::FlushOptions(), own);
  if (!status.ok()) return status;
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  status = db_->CompactRange(options, own, nullptr, nullptr);
  // The log of the filler goes with the next flush of every family.
  return status.ok() ? Flush() : status;
}

Result<uint64_t> Database::ReadPosition(const rocksdb::Snapshot* snapshot) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  std::string value;
  const rocksdb::Status status = db_->Get(options, handles_[0], std::string(kPositionKey), &value);
  if (status.IsNotFound()) return uint64_t{0};
  if (!status.ok()) return FromRocksDb(status, "reading the position");
  ByteReader in(value);
  const auto result = in.U64();
  if (!in.Done()) {
    return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "the stored position is malformed");
  }
  return *result;
}

}  // namespace schakel::store
