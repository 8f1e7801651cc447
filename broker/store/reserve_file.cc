#include "broker/store/reserve_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "broker/store/file_io.h"

namespace schakel::store {
namespace {

constexpr uint64_t kBytesPerBlock = 512;  // unit of st_blocks, stat(2)

}  // namespace

ReserveFile::ReserveFile(std::filesystem::path path, uint64_t bytes)
    : path_(std::move(path)), bytes_(bytes) {}

Status ReserveFile::Take() {
  if (held()) return {};
  int error_number = 0;
  {
    SCHAKEL_ASSIGN(const UniqueFd fd, OpenFile(path_, O_WRONLY | O_CREAT | O_TRUNC));
    // Unlike fallocate(2) it writes the blocks where the file system cannot allocate them.
    error_number = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(bytes_));
  }
  if (error_number == 0) return {};
  ::unlink(path_.c_str());
  if (error_number == ENOSPC || error_number == EFBIG || error_number == EDQUOT) {
    return MakeError(ErrorCode::kResourceExhausted, "STORAGE_LOW",
                     "no room for the reserve file " + path_.string() + " of " +
                         std::to_string(bytes_) + " bytes");
  }
  return IoError("cannot allocate", path_, error_number);
}

Status ReserveFile::GiveUp() {
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT)
    return IoError("cannot delete", path_, errno);
  return {};
}

bool ReserveFile::held() const {
  struct stat info {};
  return ::stat(path_.c_str(), &info) == 0 && static_cast<uint64_t>(info.st_size) == bytes_ &&
         static_cast<uint64_t>(info.st_blocks) * kBytesPerBlock >= bytes_;
}

Status StorageGuard::Refresh() {
  const std::lock_guard lock(mutex_);
  const auto look = [this]() -> Status {
    written_since_ = 0;
    seen_free_ = 0;
    SCHAKEL_ASSIGN(seen_free_, free_bytes_());
    return {};
  };
  SCHAKEL_TRY(look());
  if (reserve_ == nullptr) return {};
  if (reserve_->held()) {
    if (seen_free_ >= kNearZeroBytes) return {};
    SCHAKEL_TRY(reserve_->GiveUp());
    return look();
  }
  if (seen_free_ < reserve_bytes_ + reserve_->bytes() + kNearZeroBytes) return {};
  SCHAKEL_TRY(reserve_->Take());
  return look();
}

StorageLevel StorageGuard::LevelFor(uint64_t batch_bytes) const {
  const std::lock_guard lock(mutex_);
  const uint64_t free = FreeLocked();
  const uint64_t need = batch_bytes * kDiskBytesPerByte;
  // Half of what "near zero" means stays untouched, so that files can still be finished.
  if (free < need + kNearZeroBytes / 2) return StorageLevel::kCritical;
  return free < need + reserve_bytes_ ? StorageLevel::kLow : StorageLevel::kPlenty;
}

void StorageGuard::Wrote(uint64_t batch_bytes) {
  const std::lock_guard lock(mutex_);
  written_since_ += batch_bytes * kDiskBytesPerByte;
}

uint64_t StorageGuard::free_bytes() const {
  const std::lock_guard lock(mutex_);
  return FreeLocked();
}

uint64_t StorageGuard::FreeLocked() const {
  return seen_free_ - std::min(seen_free_, written_since_);
}

}  // namespace schakel::store
