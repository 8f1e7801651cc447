// Store::BackUp: a copy of a store that goes on working.
#include <fcntl.h>
#include <rocksdb/utilities/checkpoint.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "broker/store/database.h"
#include "broker/store/store.h"

namespace schakel::store {
namespace {

namespace fs = std::filesystem;

Status Fill(const Database& database, const fs::path& folder) {
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(&database.db(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  // 0: what is in memory goes to files first, so that next to nothing of the log has to be copied.
  if (status.ok()) status = checkpoint->CreateCheckpoint((folder / "db").string(), 0);
  if (!status.ok()) return FromRocksDb(status, "copying the store");
  // Who opens the copy for reading only locks this file; it does not make it.
  SCHAKEL_ASSIGN(const UniqueFd lock, OpenFile(folder / "lock", O_CREAT | O_EXCL | O_RDWR));
  SCHAKEL_TRY(SyncFile(lock, folder / "lock"));
  SCHAKEL_TRY(SyncFolder(folder));
  return SyncFolder(FolderOf(fs::absolute(folder)));
}

}  // namespace

Status Store::BackUp(const fs::path& folder) const {
  const std::lock_guard lock(copy_mutex_);
  if (auto failed = failure()) return *failed;
  std::error_code error;
  if (!fs::create_directory(folder, error)) {
    return IoError("cannot create", folder, error ? error.value() : EEXIST);
  }
  fs::permissions(folder, fs::perms::owner_all, error);
  Status filled = Fill(*database_, folder);
  // Nothing half is left behind; what can't be deleted has no part that a start would take for
  // whole.
  if (!filled.ok()) fs::remove_all(folder, error);
  return filled;
}

}  // namespace schakel::store
