#include "clients/sdk/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "broker/crypto/random.h"

namespace schakel::sdk {
namespace {

namespace fs = std::filesystem;

Error FileError(const fs::path& path, const char* what, int number) {
  return MakeError(
      number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kFailedPrecondition,
      number == ENOENT ? "FILE_MISSING" : "FILE_FAILED",
      std::string("can't ") + what + " " + path.string() + ": " + std::strerror(number),
      path.string());
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  int Release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

Status SyncFolder(const fs::path& folder) {
  const fs::path where = folder.empty() ? fs::path(".") : folder;
  Descriptor descriptor(::open(where.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0) return FileError(where, "open", errno);
  if (::fsync(descriptor.get()) != 0) return FileError(where, "sync", errno);
  return {};
}

Status WriteAll(int descriptor, BytesView content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return FileError(path, "write", errno);
    }
    content.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

}  // namespace

Millis Now() {
  return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch());
}

Status EnsurePrivateFolder(const fs::path& folder) {
  std::error_code code;
  const bool was_there = fs::exists(folder, code);
  if (!was_there) {
    if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), code);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
      return FileError(folder, "make", errno);
    }
  }
  struct stat facts {};
  if (::stat(folder.c_str(), &facts) != 0) return FileError(folder, "look at", errno);
  if (!S_ISDIR(facts.st_mode)) return FileError(folder, "use as a folder", ENOTDIR);
  if ((facts.st_mode & 077) != 0) {
    return MakeError(ErrorCode::kFailedPrecondition, "FOLDER_OPEN",
                     "others may enter " + folder.string() + "; run: chmod 700 " + folder.string(),
                     folder.string());
  }
  return {};
}

Result<Bytes> ReadFile(const fs::path& path, size_t bytes_max) {
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) return FileError(path, "open", errno);
  struct stat facts {};
  if (::fstat(descriptor.get(), &facts) != 0) return FileError(path, "look at", errno);
  if (S_ISDIR(facts.st_mode)) return FileError(path, "read", EISDIR);
  Bytes content;
  if (facts.st_size > 0) content.reserve(static_cast<size_t>(facts.st_size));
  char chunk[65536];
  while (true) {
    const ssize_t got = ::read(descriptor.get(), chunk, sizeof chunk);
    if (got < 0) {
      if (errno == EINTR) continue;
      return FileError(path, "read", errno);
    }
    if (got == 0) return content;
    content.append(chunk, static_cast<size_t>(got));
    if (content.size() > bytes_max) {
      return MakeError(ErrorCode::kInvalidArgument, "TOO_LARGE",
                       path.string() + " is larger than " + std::to_string(bytes_max) + " bytes",
                       path.string());
    }
  }
}

Result<std::optional<Bytes>> ReadFileIfThere(const fs::path& path, size_t bytes_max) {
  auto content = ReadFile(path, bytes_max);
  if (content.ok()) return std::optional<Bytes>(std::move(content).value());
  if (content.error().reason == "FILE_MISSING") return std::optional<Bytes>();
  return content.error();
}

Status WriteFileDurably(const fs::path& path, BytesView content) {
  fs::path temporary = path;
  temporary += ".tmp-" + HexEncode(crypto::RandomBytes(8));
  Descriptor descriptor(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (descriptor.get() < 0) return FileError(temporary, "make", errno);
  auto done = WriteAll(descriptor.get(), content, temporary);
  if (done.ok() && ::fsync(descriptor.get()) != 0) done = FileError(temporary, "sync", errno);
  if (done.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    done = FileError(path, "replace", errno);
  }
  if (!done.ok()) {
    ::unlink(temporary.c_str());
    return done;
  }
  return SyncFolder(path.parent_path());
}

Status RemoveFileDurably(const fs::path& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return FileError(path, "remove", errno);
  }
  return SyncFolder(path.parent_path());
}

Result<FileLock> FileLock::Acquire(const fs::path& path) {
  Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (descriptor.get() < 0) return FileError(path, "open", errno);
  while (::flock(descriptor.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return FileError(path, "lock", errno);
  }
  return FileLock(descriptor.Release());
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

}  // namespace schakel::sdk
