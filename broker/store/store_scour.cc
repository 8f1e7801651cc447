// Store::Scour: what was destroyed leaves the disk.
#include <algorithm>
#include <chrono>
#include <set>
#include <system_error>
#include <thread>

#include "broker/store/database.h"
#include "broker/store/store.h"

namespace schakel::store {
namespace {

namespace fs = std::filesystem;

// LIMIT: what RocksDB writes beside the files that it rewrites before it deletes those.
constexpr uint64_t kBesideBytes = uint64_t{64} << 20;
// LIMIT: a compaction of sorted files goes piece by piece, each deleted when it was rewritten.
constexpr uint64_t kPieceBytes = uint64_t{1} << 30;

Status Cancelled() {
  return MakeError(ErrorCode::kUnavailable, "STORE_CANCELLED", "the scouring was cancelled");
}

Status ToStatus(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return {};
  if (status.IsIncomplete()) return Cancelled();  // a compaction that was cancelled, or paused
  return FromRocksDb(status, doing);
}

// A snapshot of before `sequence` keeps what was destroyed between them.
bool OldSnapshot(const Database& database, uint64_t sequence) {
  uint64_t oldest = 0;
  database.db().GetIntProperty("rocksdb.oldest-snapshot-sequence", &oldest);
  return oldest != 0 && oldest < sequence;
}

// What has to be free: blob files go only when all that they hold was rewritten.
uint64_t RoomFor(const Store& store, const std::vector<Store::Range>& ranges) {
  std::set<Family> families;
  for (const auto& range : ranges) families.insert(range.family);
  const StoreStats stats = store.Stats();
  uint64_t bytes = kBesideBytes;
  uint64_t piece = 0;
  for (const Family family : kFamilies) {
    const FamilyStats& of = stats.families[FamilyIndex(family)];
    bytes += of.memory_bytes;
    if (!families.contains(family)) continue;
    bytes += of.blob_bytes;
    piece = std::max(piece, std::min(of.file_bytes, kPieceBytes));
  }
  return bytes + piece;
}

// Names of the sorted and blob files of a family.
std::set<std::string> FilesOf(const Database& database, Family family) {
  rocksdb::ColumnFamilyMetaData meta;
  database.db().GetColumnFamilyMetaData(database.handle(family), &meta);
  std::set<std::string> names;
  for (const auto& level : meta.levels) {
    for (const auto& file : level.files) names.insert(file.name);
  }
  for (const auto& file : meta.blob_files) names.insert(file.blob_file_name);
  return names;
}

// Rewrites a range. Of a whole family every file of before must have been replaced: a blob file
// whose values have all gone may outlive the compaction that found that out.
Status Rewrite(Database& database, const Store::Range& range, std::atomic<bool>* cancelled) {
  constexpr int kTries = 4;
  const bool whole = range.begin.empty() && range.end.empty();
  const std::set<std::string> before =
      whole ? FilesOf(database, range.family) : std::set<std::string>();
  for (int i = 0; i < kTries; ++i) {
    if (*cancelled) return Cancelled();
    SCHAKEL_TRY(ToStatus(database.CompactRange(range.family, range.begin, range.end, cancelled),
                         "compacting"));
    const auto now = FilesOf(database, range.family);
    if (std::none_of(before.begin(), before.end(),
                     [&](const std::string& name) { return now.contains(name); })) {
      return {};
    }
  }
  return MakeError(ErrorCode::kAborted, "STORE_FILES_LEFT",
                   "files of family " + std::string(FamilyName(range.family)) +
                       " were not replaced by rewriting them");
}

// Every file that can hold data is one that the database needs now.
Status CheckFiles(const Database& database, const fs::path& folder) {
  std::vector<rocksdb::LiveFileStorageInfo> live;
  rocksdb::LiveFilesStorageInfoOptions options;
  options.wal_size_for_flush = UINT64_MAX;  // as it is
  const rocksdb::Status status = database.db().GetLiveFilesStorageInfo(options, &live);
  if (!status.ok()) return FromRocksDb(status, "listing the files");
  std::set<std::string> needed;
  for (const auto& file : live) needed.insert(file.relative_filename);
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const std::string kind = it->path().extension().string();
    const bool holds =
        kind == ".sst" || kind == ".blob" || kind == ".log" || name.starts_with("MANIFEST-");
    if (!holds || needed.contains(name)) continue;
    // One that has gone meanwhile, or a new log that nothing was written to yet.
    std::error_code gone;
    if (fs::file_size(it->path(), gone) == 0 || gone) continue;
    return MakeError(ErrorCode::kAborted, "STORE_FILES_LEFT",
                     "a file that is needed no more is still there: " + name);
  }
  if (error) return IoError("cannot look through", folder, error.value());
  return {};
}

// The thread that rewrote files deletes the old ones just after it has said that it is done.
Status AwaitFilesGone(const Database& database, const fs::path& folder) {
  constexpr int kTries = 50;
  constexpr auto kBetween = std::chrono::milliseconds(100);
  Status gone = CheckFiles(database, folder);
  for (int i = 0; i < kTries && !gone.ok() && gone.error().reason == "STORE_FILES_LEFT"; ++i) {
    std::this_thread::sleep_for(kBetween);
    gone = CheckFiles(database, folder);
  }
  return gone;
}

}  // namespace

void Store::CancelScour() { cancelled_ = true; }

Status Store::Scour(const std::vector<Range>& ranges, uint64_t reserve_bytes) {
  if (options_.read_only) {
    return MakeError(ErrorCode::kFailedPrecondition, "STORE_READ_ONLY",
                     "the store was opened for reading only");
  }
  const std::lock_guard lock(copy_mutex_);
  if (auto failed = failure()) return *failed;
  if (cancelled_) return Cancelled();
  // Kept from call to call: a reader that came later does not hold it up.
  if (scour_before_ == 0) scour_before_ = database_->db().GetLatestSequenceNumber();
  if (OldSnapshot(*database_, scour_before_)) {
    return MakeError(ErrorCode::kAborted, "STORE_IN_USE",
                     "a reader still holds what was there before");
  }
  const uint64_t need = RoomFor(*this, ranges) + reserve_bytes;
  SCHAKEL_ASSIGN(const uint64_t free, FreeBytes());
  if (free < need) {
    return MakeError(ErrorCode::kResourceExhausted, "STORAGE_LOW",
                     "rewriting what was destroyed takes " + std::to_string(need) +
                         " free bytes, with the reserve; " + std::to_string(free) + " are");
  }
  SCHAKEL_TRY(ToStatus(database_->Flush(), "flushing"));
  for (const Range& range : ranges) SCHAKEL_TRY(Rewrite(*database_, range, &cancelled_));
  SCHAKEL_TRY(ToStatus(database_->RenewManifest(), "renewing the list of files"));
  std::error_code error;
  fs::remove(options_.folder / "torn-manifest", error);
  if (error) return IoError("cannot delete", options_.folder / "torn-manifest", error.value());
  SCHAKEL_TRY(AwaitFilesGone(*database_, options_.folder / "db"));
  scour_before_ = 0;
  return {};
}

}  // namespace schakel::store
