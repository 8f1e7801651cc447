// `schakel-broker backup`: the running broker copies its store, commits go on meanwhile.
//
//   DIR/data        what becomes the data folder at a restore; without a high-water file, so that a
//   broker that starts
//                   from it is in mode RESTORED whatever became of the head file (INVARIANT I8)
//   DIR/checkpoint  the last checkpoint that was signed before the copy: to check the copy with,
//   never to be put anywhere DIR/README      what it is; written last: a backup without it is not
//   whole
//
// Where DIR lies on the file system of the data folder, files are shared by hard links, which takes
// next to no room and no time; such a backup has to be copied away before it protects against a
// broken disk.
#pragma once

#include <filesystem>
#include <string>

#include "broker/base/clock.h"
#include "broker/base/result.h"
#include "broker/sequencer/checkpointer.h"
#include "broker/store/store.h"

namespace schakel::rpc {

struct BackupParts {
  const store::Store* store = nullptr;
  sequencer::Checkpointer* checkpointer = nullptr;  // null in mode RESTORED
  const Clock* clock = nullptr;
  std::filesystem::path data_folder;
  uint64_t reserve_bytes = 0;  // what has to stay free on the data folder's disk
};

// Whether a backup may be written to `to`: BACKUP_DESTINATION says what is in the way.
Status CheckBackupDestination(const std::filesystem::path& to,
                              const std::filesystem::path& data_folder);
// Whether there is room for it in `folder`, whose files are `linked` with the store's or copied.
// STORAGE_LOW.
Status CheckBackupRoom(const store::Store& store, const std::filesystem::path& folder, bool linked,
                       uint64_t reserve_bytes);

struct BackupMade {
  std::string checkpoint;  // the note
  uint64_t position = 0;   // the copy holds this command at least
  bool linked = false;     // files are shared with the data folder
};

// `to` must be an absolute path, not exist or be an empty folder, its parent must exist, and it may
// neither lie in the data folder nor hold it. Errors: BACKUP_DESTINATION; STORAGE_LOW, before
// anything is written, when there is no room; RESTORED; whatever the copying fails with. After an
// error nothing of it is left in `to`.
Result<BackupMade> MakeBackup(const BackupParts& parts, const std::filesystem::path& to);

}  // namespace schakel::rpc
