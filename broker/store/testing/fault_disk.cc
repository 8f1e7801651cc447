#include "broker/store/testing/fault_disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "broker/base/check.h"

namespace schakel::store::testing {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSectorBytes = 512;

uint64_t SizeOf(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

}  // namespace

FaultDisk::FaultDisk(fs::path shadow) : shadow_(std::move(shadow)) {
  fs::create_directories(shadow_);
}

FaultDisk::Gate FaultDisk::Enter(Operation operation) {
  if (cut_) return Gate::kCut;
  ++operations_;
  if (operations_ == cut_at_) {
    cut_ = true;
    return Gate::kCut;
  }
  if (operation == Operation::kSync) {
    if (++syncs_ == fail_sync_at_ || (fails_sync_ && fails_sync_())) return Gate::kFail;
  }
  if (operation == Operation::kWrite && ++writes_ == fail_write_at_) return Gate::kFail;
  return Gate::kPass;
}

FaultDisk::FilePtr FaultDisk::Known(const std::string& path) {
  FilePtr& file = files_[path];
  if (!file) {
    // It was there before the first look: durable.
    const uint64_t size = SizeOf(path);
    file = std::make_shared<File>(File{size, size});
  }
  return file;
}

FaultDisk::FilePtr FaultDisk::Created(const std::string& path) {
  entries_.push_back({Entry::Kind::kCreate, path, {}, {}, {}});
  auto file = std::make_shared<File>();
  files_[path] = file;
  return file;
}

FaultDisk::FilePtr FaultDisk::OpenedForAppend(const std::string& path) { return Known(path); }

void FaultDisk::Truncated(const std::string& path, uint64_t size) {
  const FilePtr file = Known(path);
  file->written = size;
  file->synced = std::min(file->synced, size);
}

bool FaultDisk::Save(const std::string& path, Entry& entry) {
  if (!fs::exists(path)) return true;
  entry.saved = shadow_ / std::to_string(++saved_count_);
  entry.saved_file = Known(path);
  return std::rename(path.c_str(), entry.saved->c_str()) == 0;
}

bool FaultDisk::Rename(const std::string& from, const std::string& to) {
  if (!fs::exists(from)) {
    errno = ENOENT;
    return false;
  }
  Entry entry{Entry::Kind::kRename, to, from, {}, {}};
  const FilePtr moved = Known(from);
  if (!Save(to, entry) || std::rename(from.c_str(), to.c_str()) != 0) return false;
  files_.erase(from);
  files_[to] = moved;
  entries_.push_back(std::move(entry));
  return true;
}

bool FaultDisk::Delete(const std::string& path) {
  if (!fs::exists(path)) {
    errno = ENOENT;
    return false;
  }
  Entry entry{Entry::Kind::kDelete, path, {}, {}, {}};
  if (!Save(path, entry)) return false;
  files_.erase(path);
  entries_.push_back(std::move(entry));
  return true;
}

void FaultDisk::SyncedFolder(const fs::path& folder) {
  const fs::path wanted = folder.lexically_normal();
  std::erase_if(entries_, [&](const Entry& entry) {
    const bool durable = fs::path(entry.path).parent_path().lexically_normal() == wanted;
    if (durable && entry.saved) fs::remove(*entry.saved);
    return durable;
  });
}

void FaultDisk::Cut() {
  const std::lock_guard lock(mutex_);
  cut_ = true;
}

void FaultDisk::CutAfter(uint64_t n) {
  const std::lock_guard lock(mutex_);
  cut_at_ = operations_ + n;
}

bool FaultDisk::is_cut() {
  const std::lock_guard lock(mutex_);
  return cut_;
}

void FaultDisk::FailSync(uint64_t n) {
  const std::lock_guard lock(mutex_);
  fail_sync_at_ = syncs_ + n;
}

void FaultDisk::FailSyncsWhen(std::function<bool()> fails) {
  const std::lock_guard lock(mutex_);
  fails_sync_ = std::move(fails);
}

void FaultDisk::FailWrite(uint64_t n) {
  const std::lock_guard lock(mutex_);
  fail_write_at_ = writes_ + n;
}

uint64_t FaultDisk::syncs() {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

uint64_t FaultDisk::operations() {
  const std::lock_guard lock(mutex_);
  return operations_;
}

void FaultDisk::Undo(const Entry& entry) {
  switch (entry.kind) {
    case Entry::Kind::kCreate:
      fs::remove(entry.path);
      files_.erase(entry.path);
      return;
    case Entry::Kind::kRename:
      fs::rename(entry.path, entry.old_path);
      files_[entry.old_path] = files_[entry.path];
      files_.erase(entry.path);
      break;
    case Entry::Kind::kDelete:
      break;
  }
  if (entry.saved) {
    fs::rename(*entry.saved, entry.path);
    files_[entry.path] = entry.saved_file;
  }
}

void FaultDisk::LoseUnsynced(const std::string& path, File& file, std::mt19937_64& random) {
  // Often the whole length: then the tear is in the last record, and not behind a cut one. Beyond
  // `written` there may be preallocated bytes: they go as well.
  const uint64_t unsynced = file.written - file.synced;
  const uint64_t kept = file.synced + (random() % 4 == 0 ? unsynced : random() % (unsynced + 1));
  fs::resize_file(path, kept);
  const uint64_t sector = kept == 0 ? 0 : (kept - 1) / kSectorBytes * kSectorBytes;
  const uint64_t torn_from = std::max(file.synced, sector);
  const uint64_t how = random() % 3;  // 0: the sector was written well
  if (how != 0 && torn_from < kept) {
    std::string torn(kept - torn_from, '\0');
    if (how == 2) {
      for (char& c : torn) c = static_cast<char>(random());
    }
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    SCHAKEL_CHECK(fd >= 0, "a file of the simulated disk can be opened");
    const ssize_t n = ::pwrite(fd, torn.data(), torn.size(), static_cast<off_t>(torn_from));
    ::close(fd);
    SCHAKEL_CHECK(n == static_cast<ssize_t>(torn.size()), "a sector of the disk can be torn");
  }
  file.written = kept;
  file.synced = kept;
}

void FaultDisk::PowerOn(uint64_t seed) {
  const std::lock_guard lock(mutex_);
  SCHAKEL_CHECK(cut_, "the power comes back only after a cut");
  std::mt19937_64 random(seed);
  // Folders are journaled: what is lost is the end of the sequence, not something in its middle.
  const size_t survivors = random() % (entries_.size() + 1);
  while (entries_.size() > survivors) {
    Undo(entries_.back());
    entries_.pop_back();
  }
  for (const Entry& entry : entries_) {
    if (entry.saved) fs::remove(*entry.saved);
  }
  entries_.clear();
  for (const auto& [path, file] : files_) {
    if (fs::exists(path)) LoseUnsynced(path, *file, random);
  }
  files_.clear();
  cut_ = false;
  cut_at_ = 0;
  fail_sync_at_ = 0;
  fail_write_at_ = 0;
}

}  // namespace schakel::store::testing
