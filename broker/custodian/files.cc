#include "broker/custodian/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace schakel::custodian {
namespace {

Error FileError(const std::filesystem::path& path, std::string message) {
  return InvalidArgument("FIELD_INVALID", path.string(), std::move(message));
}

Error FromErrno(const std::filesystem::path& path, std::string_view what, int number) {
  return FileError(path, std::string(what) + ": " + std::strerror(number));
}

class OpenedFile {
 public:
  explicit OpenedFile(int fd) : fd_(fd) {}
  ~OpenedFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenedFile(const OpenedFile&) = delete;
  OpenedFile& operator=(const OpenedFile&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// Fills `out`, which has the size that the file was said to have.
Status ReadExactly(int fd, const std::filesystem::path& path, std::span<uint8_t> out) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = ::read(fd, out.data() + done, out.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FromErrno(path, "it can't be read", errno);
    if (count == 0) return FileError(path, "it became shorter while it was read");
    done += static_cast<size_t>(count);
  }
  return {};
}

Status WriteExactly(int fd, const std::filesystem::path& path, BytesView content, unsigned mode) {
  // open() leaves out the bits of the umask; the mode must not depend on who runs this.
  if (::fchmod(fd, mode) != 0) return FromErrno(path, "its mode can't be set", errno);
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t count = ::write(fd, content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FromErrno(path, "it can't be written", errno);
    done += static_cast<size_t>(count);
  }
  if (::fsync(fd) != 0) return FromErrno(path, "it can't be synced", errno);
  return {};
}

Result<size_t> RegularFileSize(int fd, const std::filesystem::path& path, size_t bytes_max,
                               bool secret) {
  struct stat facts {};
  if (::fstat(fd, &facts) != 0) return FromErrno(path, "it can't be looked at", errno);
  if (!S_ISREG(facts.st_mode)) return FileError(path, "expected a regular file");
  if (secret && (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return FileError(path,
                     "group or others may use this secret file; run: chmod 600 " + path.string());
  }
  const auto size = static_cast<size_t>(facts.st_size);
  if (size > bytes_max) {
    return FileError(path, "expected at most " + std::to_string(bytes_max) + " bytes, it has " +
                               std::to_string(size));
  }
  return size;
}

}  // namespace

Result<Bytes> ReadFile(const std::filesystem::path& path, size_t bytes_max) {
  const OpenedFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd() < 0) return FromErrno(path, "it can't be opened", errno);
  SCHAKEL_ASSIGN(const size_t size, RegularFileSize(file.fd(), path, bytes_max, false));
  Bytes content(size, '\0');
  SCHAKEL_TRY(
      ReadExactly(file.fd(), path, {reinterpret_cast<uint8_t*>(content.data()), content.size()}));
  return content;
}

Result<crypto::SecretBytes> ReadSecretFile(const std::filesystem::path& path, size_t bytes_max) {
  const OpenedFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.fd() < 0) return FromErrno(path, "it can't be opened", errno);
  SCHAKEL_ASSIGN(const size_t size, RegularFileSize(file.fd(), path, bytes_max, true));
  crypto::SecretBytes content(size);
  SCHAKEL_TRY(ReadExactly(file.fd(), path, content.ExposeSecretForWrite()));
  return content;
}

Status WriteNewFile(const std::filesystem::path& path, BytesView content, unsigned mode) {
  const OpenedFile file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (file.fd() < 0) {
    if (errno == EEXIST) return FileError(path, "it is there already and is never overwritten");
    return FromErrno(path, "it can't be created", errno);
  }
  Status written = WriteExactly(file.fd(), path, content, mode);
  if (!written.ok()) ::unlink(path.c_str());
  return written;
}

}  // namespace schakel::custodian
