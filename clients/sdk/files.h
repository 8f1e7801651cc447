// Small files of the SDK: written so that a kill at any moment leaves the old or the new content.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "broker/base/bytes.h"
#include "broker/base/clock.h"
#include "broker/base/result.h"

namespace schakel::sdk {

// Milliseconds since the epoch, by the system's clock.
Millis Now();

// Makes the folder and its parents where they are missing; the folder itself gets mode 0700.
// FAILED_PRECONDITION FOLDER_OPEN when it exists and others may enter it.
Status EnsurePrivateFolder(const std::filesystem::path& folder);

// NOT_FOUND FILE_MISSING when there is none; TOO_LARGE above `bytes_max`.
Result<Bytes> ReadFile(const std::filesystem::path& path, size_t bytes_max = 64 << 20);
// nullopt when there is none.
Result<std::optional<Bytes>> ReadFileIfThere(const std::filesystem::path& path,
                                             size_t bytes_max = 64 << 20);

// Temporary file with mode 0600 in the same folder, fsync, rename, fsync of the folder. On return
// the content is durable.
Status WriteFileDurably(const std::filesystem::path& path, BytesView content);
// Removes it and syncs the folder; no error when there is none.
Status RemoveFileDurably(const std::filesystem::path& path);

// An exclusive lock between processes (flock) on a file that is made when missing; held as long as
// the object lives.
class FileLock {
 public:
  static Result<FileLock> Acquire(const std::filesystem::path& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace schakel::sdk
