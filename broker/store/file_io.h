// The few POSIX calls of the store's own small files. All errors have reason STORE_IO unless said.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "broker/base/bytes.h"
#include "broker/base/result.h"

namespace schakel::store {

// An open file descriptor, closed by the destructor (which releases its locks).
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// An Error from errno: "<what> <path>: <text of errno>".
Error IoError(std::string_view what, const std::filesystem::path& path, int error_number);

Result<UniqueFd> OpenFile(const std::filesystem::path& path, int flags);
// nullopt when there is no such file. LIMIT: a file longer than bytes_max is an error.
Result<std::optional<Bytes>> ReadSmallFile(const std::filesystem::path& path, size_t bytes_max);
Status WriteAll(const UniqueFd& fd, BytesView content, const std::filesystem::path& path);
Status SyncFile(const UniqueFd& fd, const std::filesystem::path& path);
// Makes new, renamed and deleted entries of the folder durable.
Status SyncFolder(const std::filesystem::path& folder);
// The folder that holds `path`; "." when the path has no folder.
std::filesystem::path FolderOf(const std::filesystem::path& path);

enum class LockKind { kShared, kExclusive };
// Takes an flock(2) on a file (created when missing, unless shared); released when the result is
// closed. nullopt: somebody else holds it, with `wait` false.
Result<std::optional<UniqueFd>> LockFile(const std::filesystem::path& path, LockKind kind,
                                         bool wait);

}  // namespace schakel::store
