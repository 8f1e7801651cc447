#include "broker/store/store.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <utility>

#include "broker/base/check.h"
#include "broker/store/database.h"
#include "broker/store/rocksdb_reader.h"

namespace schakel::store {
namespace {

uint64_t Property(const Database& database, Family family, const std::string& name) {
  uint64_t value = 0;
  database.db().GetIntProperty(database.handle(family), name, &value);
  return value;
}

Status ToStatus(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return {};
  return FromRocksDb(status, doing);
}

Error ReadOnly() {
  return MakeError(ErrorCode::kFailedPrecondition, "STORE_READ_ONLY",
                   "the store was opened for reading only");
}

}  // namespace

bool OpenFacts::Doubtful(std::string* why) const {
  const auto doubt = [why](std::string reason) {
    if (why != nullptr) *why = std::move(reason);
    return true;
  };
  switch (high_water.state) {
    case HighWaterReading::State::kMissing:
      return position != 0 && doubt("the high-water file beside the store is missing");
    case HighWaterReading::State::kDamaged:
      return doubt("the high-water file beside the store is damaged");
    case HighWaterReading::State::kRead:
      return position < high_water.position &&
             doubt("the store ends at position " + std::to_string(position) +
                   ", the high-water file says " + std::to_string(high_water.position));
  }
  return doubt("the high-water file is in an unknown state");
}

Result<std::unique_ptr<Store>> Store::Open(StoreOptions options) {
  SCHAKEL_ASSIGN(const Database::Opened opened, Database::Open(options));
  const std::filesystem::path path = options.folder / "high-water";
  OpenFacts facts;
  facts.created = opened.created;
  facts.log_tail_dropped = opened.log_tail_dropped;
  facts.manifest_tail_dropped = opened.manifest_tail_dropped;
  facts.position = opened.database->position();
  SCHAKEL_ASSIGN(facts.high_water, ReadHighWater(path));
  std::optional<HighWaterFile> high_water;
  // Beside a store that holds something, a missing file stays missing until the next commit: the
  // doubt must not be gone when the process is started twice.
  const bool may_make =
      facts.high_water.state != HighWaterReading::State::kMissing || facts.position == 0;
  if (!options.read_only && may_make) {
    SCHAKEL_ASSIGN(high_water, HighWaterFile::Open(path));
  }
  return std::unique_ptr<Store>(
      new Store(std::move(options), opened.database, facts, std::move(high_water)));
}

Store::Store(StoreOptions options, std::shared_ptr<Database> database, OpenFacts facts,
             std::optional<HighWaterFile> high_water)
    : options_(std::move(options)),
      facts_(facts),
      database_(std::move(database)),
      durable_(std::make_unique<DatabaseReader>(*database_, nullptr)),
      high_water_(std::move(high_water)) {}

Store::~Store() {
  // A failure to sync local data has no one to hear of it here, and loses nothing of the state.
  if (database_) static_cast<void>(Close());
}

Status Store::Commit(const Batch& batch, uint64_t position) { return Write(batch, position); }

Status Store::CommitLocal(const Batch& batch) {
  SCHAKEL_CHECK(batch.OnlyLocal(), "I1: the state changes only by commits with a position");
  return Write(batch, std::nullopt);
}

Status Store::Write(const Batch& batch, std::optional<uint64_t> position) {
  if (options_.read_only) return ReadOnly();
  const std::lock_guard lock(commit_mutex_);
  FailureState& failure = database_->failure();
  if (auto failed = failure.failure()) return *failed;
  SCHAKEL_CHECK(!position || *position > database_->position(),
                "I1: each commit has a higher position than the one before");
  const rocksdb::Status written = database_->Write(batch, position, /*sync=*/position.has_value());
  if (!written.ok()) {
    failure.Fail(FromRocksDb(written, "writing a commit"));
    return *failure.failure();
  }
  if (!position) return {};
  database_->set_position(*position);
  // The commit is durable, whatever becomes of the note about it; but a disk that can't take 16
  // bytes ends the writing.
  if (auto noted = NoteHighWater(*position); !noted.ok()) failure.Fail(noted.error());
  return {};
}

Status Store::NoteHighWater(uint64_t position) {
  if (!high_water_) {
    SCHAKEL_ASSIGN(high_water_, HighWaterFile::Open(options_.folder / "high-water"));
  }
  return high_water_->Write(position);
}

const StateReader& Store::durable() const { return *durable_; }

std::unique_ptr<Snapshot> Store::TakeSnapshot() const {
  return std::make_unique<DatabaseSnapshot>(database_);
}

uint64_t Store::position() const { return database_->position(); }

std::optional<Error> Store::failure() const { return database_->failure().failure(); }

void Store::Prefetch(Family family, std::span<const BytesView> keys) const {
  // Only the cache matters; whoever needs the value reads it again and sees the error.
  static_cast<void>(durable_->MultiGet(family, keys));
}

Status Store::CompactRange(Family family, BytesView begin, BytesView end) {
  if (options_.read_only) return ReadOnly();
  return ToStatus(database_->CompactRange(family, begin, end, &cancelled_), "compacting");
}

Status Store::Flush() {
  if (options_.read_only) return ReadOnly();
  return ToStatus(database_->Flush(), "flushing");
}

Status Store::VerifyFiles() const {
  return ToStatus(database_->db().VerifyFileChecksums(rocksdb::ReadOptions()),
                  "verifying the files");
}

Result<uint64_t> Store::FreeBytes() const {
  if (options_.free_bytes) return options_.free_bytes();
  struct statvfs info {};
  if (::statvfs(options_.folder.c_str(), &info) != 0) {
    return IoError("cannot look at the disk of", options_.folder, errno);
  }
  return uint64_t{info.f_bavail} * info.f_frsize;
}

StoreStats Store::Stats() const {
  StoreStats stats;
  for (const Family family : kFamilies) {
    FamilyStats& of = stats.families[FamilyIndex(family)];
    of.keys = Property(*database_, family, rocksdb::DB::Properties::kEstimateNumKeys);
    of.file_bytes = Property(*database_, family, rocksdb::DB::Properties::kTotalSstFilesSize);
    of.blob_bytes = Property(*database_, family, rocksdb::DB::Properties::kTotalBlobFileSize);
    of.memory_bytes = Property(*database_, family, rocksdb::DB::Properties::kCurSizeAllMemTables);
    stats.compaction_bytes_pending +=
        Property(*database_, family, rocksdb::DB::Properties::kEstimatePendingCompactionBytes);
  }
  stats.cache_bytes_used =
      Property(*database_, Family::kHot, rocksdb::DB::Properties::kBlockCacheUsage);
  stats.writes_stopped =
      Property(*database_, Family::kHot, rocksdb::DB::Properties::kIsWriteStopped) != 0;
  return stats;
}

Status Store::Close() {
  if (database_->pinned()) {
    return MakeError(ErrorCode::kFailedPrecondition, "STORE_IN_USE",
                     "the store cannot be closed while snapshots of it are held");
  }
  Status synced;
  if (!options_.read_only && !failure()) {
    synced = ToStatus(database_->db().SyncWAL(), "syncing");
  }
  high_water_.reset();
  durable_.reset();
  database_.reset();
  return synced;
}

}  // namespace schakel::store
