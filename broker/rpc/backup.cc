#include "broker/rpc/backup.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "broker/store/file_io.h"

namespace schakel::rpc {
namespace {

namespace fs = std::filesystem;

// LIMIT: what a copy takes beside the files that are counted: the end of the log, the list of
// files, folders.
constexpr uint64_t kBesideBytes = uint64_t{64} << 20;

Error Destination(const fs::path& to, std::string message) {
  return MakeError(ErrorCode::kInvalidArgument, "BACKUP_DESTINATION", std::move(message),
                   to.string());
}

bool IsWithin(const fs::path& inner, const fs::path& outer) {
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

Result<uint64_t> FreeBytesOf(const fs::path& folder) {
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0) {
    return store::IoError("cannot look at the disk of", folder, errno);
  }
  return uint64_t{info.f_bavail} * info.f_frsize;
}

// Whether files of the data folder can be linked into `folder`. Tried, since one file system may be
// mounted in two places, as systemd does with the folders of a unit, and then no link goes from one
// to the other.
bool CanLink(const fs::path& data_folder, const fs::path& folder) {
  const fs::path probe = folder / ".link-probe";
  const bool linked = ::link((data_folder / "lock").c_str(), probe.c_str()) == 0;
  if (linked) ::unlink(probe.c_str());
  return linked;
}

Status WriteFile(const fs::path& path, const std::string& text) {
  SCHAKEL_ASSIGN(const auto fd, store::OpenFile(path, O_CREAT | O_EXCL | O_WRONLY));
  SCHAKEL_TRY(store::WriteAll(fd, text, path));
  return store::SyncFile(fd, path);
}

std::string TimeText(const Clock& clock) {
  const std::time_t at = std::chrono::duration_cast<std::chrono::seconds>(clock.Wall()).count();
  std::tm utc{};
  ::gmtime_r(&at, &utc);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string About(const BackupParts& parts, bool linked) {
  std::string text =
      "A backup of a Schakel broker's store, made on " + TimeText(*parts.clock) +
      " by the broker while it ran.\n\n"
      "data        the copy; becomes the data folder at a restore\n"
      "checkpoint  the last signed checkpoint before it: to check the copy with, with\n"
      "            schakel-broker inspect --data data --checkpoint checkpoint\n\n"
      "How to restore: RUNBOOK.md, \"Restore a backup\". The head file is no part of a\n"
      "backup and is never put back: it tells what the copy lacks.\n";
  if (linked) {
    text += "\nIts files are shared with the data folder by hard links: copy it to another disk.\n";
  }
  return text;
}

Status Fill(const BackupParts& parts, const fs::path& to, BackupMade* made) {
  made->linked = CanLink(parts.data_folder, to);
  SCHAKEL_TRY(CheckBackupRoom(*parts.store, to, made->linked, parts.reserve_bytes));
  // Signed before the copy, so that the copy holds it.
  SCHAKEL_TRY(parts.checkpointer->SignNow());
  made->checkpoint = parts.checkpointer->last();
  made->position = parts.store->position();
  SCHAKEL_TRY(parts.store->BackUp(to / "data"));
  SCHAKEL_TRY(WriteFile(to / "checkpoint", made->checkpoint));
  SCHAKEL_TRY(WriteFile(to / "README", About(parts, made->linked)));
  return store::SyncFolder(to);
}

}  // namespace

Status CheckBackupDestination(const fs::path& to, const fs::path& data_folder) {
  if (!to.is_absolute()) return Destination(to, "an absolute path expected");
  std::error_code error;
  const fs::path parent = fs::canonical(to.parent_path(), error);
  if (error) {
    return Destination(to, "the folder " + to.parent_path().string() +
                               " is not there, or the broker's user may not enter it");
  }
  const fs::path real = parent / to.filename();
  const fs::path data = fs::canonical(data_folder, error);
  if (IsWithin(real, data) || IsWithin(data, real)) {
    return Destination(to, "a backup lies outside the data folder " + data.string());
  }
  const auto kind = fs::symlink_status(to, error).type();
  if (kind == fs::file_type::not_found) return {};
  if (kind != fs::file_type::directory)
    return Destination(to, "a folder, or nothing, expected there");
  const bool empty = fs::is_empty(to, error);
  if (error) return Destination(to, "the broker's user may not look into it");
  if (!empty) return Destination(to, "it is not empty, and nothing is ever overwritten");
  return {};
}

Status CheckBackupRoom(const store::Store& store, const fs::path& folder, bool linked,
                       uint64_t reserve_bytes) {
  uint64_t memory = 0;
  uint64_t files = 0;
  for (const auto& family : store.Stats().families) {
    memory += family.memory_bytes;
    files += family.file_bytes + family.blob_bytes;
  }
  const auto room = [](uint64_t there, uint64_t need, const std::string& where) -> Status {
    if (there >= need) return {};
    return MakeError(ErrorCode::kResourceExhausted, "STORAGE_LOW",
                     "no room for a backup: " + std::to_string(need) +
                         " bytes have to be free on the disk of " + where + ", " +
                         std::to_string(there) + " are");
  };
  // What is in memory is written to the data folder's disk first; files that are shared take no
  // room, but stay when the store itself needs them no more.
  SCHAKEL_ASSIGN(const uint64_t own, store.FreeBytes());
  SCHAKEL_TRY(room(own, memory + kBesideBytes + (linked ? reserve_bytes : 0), "the data folder"));
  if (linked) return {};
  SCHAKEL_ASSIGN(const uint64_t there, FreeBytesOf(folder));
  return room(there, files + memory + kBesideBytes, folder.string());
}

Result<BackupMade> MakeBackup(const BackupParts& parts, const fs::path& to) {
  if (parts.checkpointer == nullptr) {
    return MakeError(ErrorCode::kFailedPrecondition, "RESTORED",
                     "the store was put back from a copy itself: nothing is copied before recover");
  }
  SCHAKEL_TRY(CheckBackupDestination(to, parts.data_folder));
  std::error_code error;
  const bool created = fs::create_directory(to, error);
  if (error) return Destination(to, "can't be created: " + error.message());
  if (created) fs::permissions(to, fs::perms::owner_all, error);
  BackupMade made;
  Status filled = Fill(parts, to, &made);
  if (filled.ok() && created) filled = store::SyncFolder(to.parent_path());
  if (filled.ok()) return made;
  for (const char* name : {"README", "checkpoint", "data"}) fs::remove_all(to / name, error);
  if (created) fs::remove(to, error);
  return filled.error();
}

}  // namespace schakel::rpc
