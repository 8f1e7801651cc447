#include "broker/store/file_io.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace schakel::store {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

Error IoError(std::string_view what, const std::filesystem::path& path, int error_number) {
  return MakeError(ErrorCode::kUnavailable, "STORE_IO",
                   std::string(what) + " " + path.string() + ": " +
                       std::generic_category().message(error_number));
}

Result<UniqueFd> OpenFile(const std::filesystem::path& path, int flags) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  if (!fd.valid()) return IoError("cannot open", path, errno);
  return fd;
}

Result<std::optional<Bytes>> ReadSmallFile(const std::filesystem::path& path, size_t bytes_max) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<Bytes>();
    return IoError("cannot open", path, errno);
  }
  Bytes content(bytes_max + 1, '\0');
  size_t length = 0;
  while (length < content.size()) {
    const ssize_t n = ::read(fd.get(), content.data() + length, content.size() - length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return IoError("cannot read", path, errno);
    if (n == 0) break;
    length += static_cast<size_t>(n);
  }
  if (length > bytes_max) return IoError("longer than expected:", path, EFBIG);
  content.resize(length);
  return std::optional<Bytes>(std::move(content));
}

Status WriteAll(const UniqueFd& fd, BytesView content, const std::filesystem::path& path) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return IoError("cannot write", path, errno);
    content.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Status SyncFile(const UniqueFd& fd, const std::filesystem::path& path) {
  if (::fsync(fd.get()) != 0) return IoError("cannot sync", path, errno);
  return {};
}

Status SyncFolder(const std::filesystem::path& folder) {
  SCHAKEL_ASSIGN(const UniqueFd fd, OpenFile(folder, O_RDONLY | O_DIRECTORY));
  return SyncFile(fd, folder);
}

std::filesystem::path FolderOf(const std::filesystem::path& path) {
  const auto folder = path.parent_path();
  return folder.empty() ? std::filesystem::path(".") : folder;
}

Result<std::optional<UniqueFd>> LockFile(const std::filesystem::path& path, LockKind kind,
                                         bool wait) {
  const bool exclusive = kind == LockKind::kExclusive;
  SCHAKEL_ASSIGN(UniqueFd fd, OpenFile(path, exclusive ? O_RDWR | O_CREAT : O_RDONLY));
  const int operation = (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB);
  while (::flock(fd.get(), operation) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return std::optional<UniqueFd>();
    return IoError("cannot lock", path, errno);
  }
  return std::optional<UniqueFd>(std::move(fd));
}

}  // namespace schakel::store
