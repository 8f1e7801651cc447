// FaultDisk: the bookkeeping of FaultFileSystem. Knows what of each file and folder is durable, and
// makes the disk look after a power cut as it would. POSIX files only, no RocksDB.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace schakel::store::testing {

class FaultDisk {
 public:
  // Lengths in bytes. Files grow at their end only.
  struct File {
    uint64_t synced = 0;
    uint64_t written = 0;
  };
  using FilePtr = std::shared_ptr<File>;

  enum class Gate { kPass, kCut, kFail };

  explicit FaultDisk(std::filesystem::path shadow);

  // Every operation that changes the disk runs under this lock from its gate to its note.
  std::mutex& mutex() { return mutex_; }

  // May an operation take effect? kFail: it fails this once, with no effect.
  enum class Operation { kWrite, kSync, kOther };
  Gate Enter(Operation operation);

  // Notes of what took effect.
  FilePtr Created(const std::string& path);  // an empty file that replaces any old one
  FilePtr OpenedForAppend(const std::string& path);
  void SyncedFolder(const std::filesystem::path& folder);
  void Truncated(const std::string& path, uint64_t size);
  // Do the renaming or deletion themselves, keeping what is lost by it. False: errno says why.
  bool Rename(const std::string& from, const std::string& to);
  bool Delete(const std::string& path);

  void Cut();
  void CutAfter(uint64_t n);
  bool is_cut();
  void PowerOn(uint64_t seed);
  void FailSync(uint64_t n);
  void FailSyncsWhen(std::function<bool()> fails);
  void FailWrite(uint64_t n);
  uint64_t syncs();
  uint64_t operations();

 private:
  // A change of a folder that is not durable yet, with what undoes it.
  struct Entry {
    enum class Kind { kCreate, kRename, kDelete } kind;
    std::string path;                            // after the change (kDelete: before)
    std::string old_path;                        // kRename
    std::optional<std::filesystem::path> saved;  // the file that was replaced or deleted
    FilePtr saved_file;
  };

  // Moves the file aside, if there is one.
  bool Save(const std::string& path, Entry& entry);
  void Undo(const Entry& entry);
  void LoseUnsynced(const std::string& path, File& file, std::mt19937_64& random);
  FilePtr Known(const std::string& path);

  const std::filesystem::path shadow_;
  std::mutex mutex_;
  std::map<std::string, FilePtr> files_;
  std::vector<Entry> entries_;  // oldest first
  uint64_t saved_count_ = 0;
  uint64_t operations_ = 0;
  uint64_t syncs_ = 0;
  uint64_t writes_ = 0;
  uint64_t cut_at_ = 0;  // 0: never
  uint64_t fail_sync_at_ = 0;
  std::function<bool()> fails_sync_;  // may be empty
  uint64_t fail_write_at_ = 0;
  bool cut_ = false;
};

}  // namespace schakel::store::testing
