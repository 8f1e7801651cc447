// FaultFileSystem: a disk that fails as disks do, under a real Store. No RocksDB type in here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "broker/store/store.h"

namespace schakel::store::testing {

class FaultDisk;

// Passes everything on to the operating system's file system, and remembers per file which bytes
// were synced and per folder which entries were. Thread-safe. Only files that were opened, made,
// renamed or deleted through it are touched by a cut. One object serves one Store at a time, over
// many reopenings.
class FaultFileSystem {
 public:
  // `shadow` is a folder of its own, on the same file system as the data, where deleted files wait
  // until their deletion is durable.
  explicit FaultFileSystem(std::filesystem::path shadow);
  ~FaultFileSystem();

  // For StoreOptions::file_system.
  std::shared_ptr<FileSystemHandle> handle() const;

  // The power goes: from now on every write, sync, rename and deletion fails without any effect. A
  // cut may come at any time, from any thread. Then destroy the Store, and call PowerOn.
  void Cut();
  // The `n`-th write, sync, rename, creation or deletion from now cuts the power before it takes
  // effect (1: the next one).
  void CutAfter(uint64_t n);
  bool is_cut() const;
  // The disk as it is found after the cut. Bytes that were not synced are gone, up to a random
  // length of each file; the last 512-byte sector of what is left of them is torn (kept, zeroed or
  // garbage). Folder entries (new files, renames, deletions) that were not synced are undone from
  // the last one back to a random one. What was synced is untouched. All by `seed`. REQUIRES:
  // is_cut(), and no file is open.
  void PowerOn(uint64_t seed);

  // The `n`-th sync of a file from now (1: the next one) fails once with an I/O error; its bytes
  // stay unsynced.
  void FailSync(uint64_t n);
  // Asked at each sync whether that one is to fail; must not call this object.
  void FailSyncsWhen(std::function<bool()> fails);
  // The `n`-th write from now fails once with "no space left".
  void FailWrite(uint64_t n);

  // Since it was made.
  uint64_t syncs() const;
  uint64_t operations() const;

 private:
  std::shared_ptr<FaultDisk> disk_;
  std::shared_ptr<FileSystemHandle> handle_;
};

}  // namespace schakel::store::testing
