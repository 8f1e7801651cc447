// RocksDB's MANIFEST (its list of files) is a log in RocksDB's log format. A power cut may leave
// garbage where its end was being written, and RocksDB then refuses to open. This finds such an
// end. Losing it is harmless or noticed: what it would have said was not synced yet, or else
// RocksDB misses a file or a log that it still expects, and refuses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "broker/base/bytes.h"
#include "broker/base/result.h"

namespace schakel::store {

// Where the last whole record ends, when what follows is damaged and holds no whole record at all.
// nullopt: nothing is damaged, or the damage lies before whole records, so that it is none of a
// torn end. LIMIT: at most 64 KiB are taken for an end. SOURCE: RocksDB wiki, "Write Ahead Log File
// Format".
std::optional<uint64_t> FindTornTail(BytesView log);

// Cuts a torn end off the MANIFEST that CURRENT names in `db_folder`, after putting a copy of the
// file at `copy_to`. False: there is none to cut.
Result<bool> CutTornManifest(const std::filesystem::path& db_folder,
                             const std::filesystem::path& copy_to);

}  // namespace schakel::store
