#include "broker/store/head_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "broker/store/crc32c.h"
#include "broker/store/file_io.h"

namespace schakel::store {
namespace {

namespace fs = std::filesystem;

constexpr BytesView kMark = "SCHHEAD1";
constexpr size_t kCheckBytes = 4;
// LIMIT: an origin is one line of a checkpoint; everything else has a fixed length.
constexpr size_t kHeadBytesMax = 4096;

Error HeadIo(const Error& cause) {
  return MakeError(ErrorCode::kUnavailable, "HEAD_IO", "the head file: " + cause.message);
}

Error Damaged(std::string_view what) {
  return MakeError(ErrorCode::kDataLoss, "HEAD_DAMAGED",
                   "the head file is damaged: " + std::string(what));
}

Error Misplaced(std::string message) {
  return MakeError(ErrorCode::kInvalidArgument, "HEAD_PLACEMENT", std::move(message));
}

fs::path WithSuffix(const fs::path& path, std::string_view suffix) {
  fs::path result = path;
  result += suffix;
  return result;
}

Result<std::optional<Head>> ReadHead(const fs::path& path) {
  auto content = ReadSmallFile(path, kHeadBytesMax);
  if (!content.ok()) return HeadIo(content.error());
  if (!*content) return std::optional<Head>();
  SCHAKEL_ASSIGN(Head head, DecodeHead(**content));
  return std::optional<Head>(std::move(head));
}

Status WriteDurably(const fs::path& path, BytesView content) {
  const fs::path temporary = WithSuffix(path, ".new");
  {
    SCHAKEL_ASSIGN(const UniqueFd fd, OpenFile(temporary, O_WRONLY | O_CREAT | O_TRUNC));
    SCHAKEL_TRY(WriteAll(fd, content, temporary));
    SCHAKEL_TRY(SyncFile(fd, temporary));
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return IoError("cannot rename to", path, errno);
  }
  return SyncFolder(FolderOf(path));
}

// The nearest ancestor that exists, of a path that need not exist.
Result<fs::path> NearestExisting(const fs::path& path) {
  std::error_code error;
  fs::path current = fs::absolute(path, error);
  while (!error && !fs::exists(current, error) && current != current.root_path()) {
    current = FolderOf(current);
  }
  if (error) return Misplaced("cannot look at " + path.string() + ": " + error.message());
  return current;
}

Result<dev_t> DeviceOf(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return IoError("cannot look at", path, errno);
  return info.st_dev;
}

HeadState Restored(std::string why) { return {HeadState::Verdict::kRestored, std::move(why)}; }

}  // namespace

Bytes EncodeHead(const Head& head) {
  ByteWriter out;
  out.Raw(kMark).Lp(head.origin).U64(head.size).Raw(head.root.view()).U64(head.position);
  const uint32_t check = Crc32c(out.bytes());
  out.U32(check);
  return out.Take();
}

Result<Head> DecodeHead(BytesView content) {
  if (content.size() < kCheckBytes) return Damaged("it is too short");
  const BytesView body = content.substr(0, content.size() - kCheckBytes);
  ByteReader check(content.substr(body.size()));
  if (*check.U32() != Crc32c(body)) return Damaged("its check sum is wrong");
  ByteReader in(body);
  const auto mark = in.Raw(kMark.size());
  const auto origin = in.Lp();
  const auto size = in.U64();
  const auto root = in.Raw(sizeof(Digest));
  const auto position = in.U64();
  if (!in.Done() || *mark != kMark) return Damaged("it has another format");
  return Head{std::string(*origin), *size, *Digest::From(*root), *position};
}

Result<std::optional<Head>> FileHeadStore::Read() const {
  const std::lock_guard lock(mutex_);
  return ReadHead(path_);
}

Status FileHeadStore::CompareAndSwap(const std::optional<Head>& expected, const Head& next) {
  const std::lock_guard lock(mutex_);
  auto process_lock = LockFile(WithSuffix(path_, ".lock"), LockKind::kExclusive, /*wait=*/true);
  if (!process_lock.ok()) return HeadIo(process_lock.error());
  SCHAKEL_ASSIGN(const std::optional<Head> current, ReadHead(path_));
  if (current != expected) {
    return MakeError(ErrorCode::kAborted, "HEAD_MISMATCH",
                     current ? "the head file holds size " + std::to_string(current->size) +
                                   ", expected " +
                                   (expected ? "size " + std::to_string(expected->size) : "none")
                             : "the head file is gone");
  }
  if (auto written = WriteDurably(path_, EncodeHead(next)); !written.ok()) {
    return HeadIo(written.error());
  }
  return {};
}

Result<HeadPlacement> CheckPlacement(const fs::path& head_path, const fs::path& data_folder) {
  std::error_code error;
  if (head_path.filename().empty()) return Misplaced("the head file's path names no file");
  if (fs::is_symlink(fs::symlink_status(head_path, error))) {
    return Misplaced("the head file " + head_path.string() +
                     " is a symbolic link; name the file itself");
  }
  if (fs::is_directory(head_path, error)) {
    return Misplaced("the head file " + head_path.string() + " is a folder");
  }
  const fs::path folder = fs::canonical(FolderOf(head_path), error);
  if (error) {
    return Misplaced("the folder of the head file " + head_path.string() +
                     " must exist: " + error.message());
  }
  // A data folder that does not exist can have nothing inside it yet, but its path can still be the
  // one that the head file's folder has, through links of its own.
  const fs::path data = fs::weakly_canonical(data_folder, error);
  if (error) return Misplaced("cannot resolve " + data_folder.string() + ": " + error.message());
  for (fs::path ancestor = folder;; ancestor = ancestor.parent_path()) {
    // equivalent() compares the folders themselves, so it sees through links and bind mounts.
    if (ancestor == data || (fs::exists(data, error) && fs::equivalent(ancestor, data, error))) {
      return Misplaced("the head file " + head_path.string() + " must not be in the data folder " +
                       data_folder.string() + ": a restored copy would bring its old head with it");
    }
    if (ancestor == ancestor.root_path()) break;
  }
  SCHAKEL_ASSIGN(const fs::path existing, NearestExisting(data));
  SCHAKEL_ASSIGN(const dev_t head_device, DeviceOf(folder));
  SCHAKEL_ASSIGN(const dev_t data_device, DeviceOf(existing));
  return HeadPlacement{head_device == data_device};
}

Result<HeadState> CompareHead(const std::optional<Head>& head, const StoredLog& log) {
  if (!head) {
    if (log.size == 0 && log.position == 0) return HeadState{HeadState::Verdict::kFresh, ""};
    return Restored("there is no head file beside a store with " + std::to_string(log.size) +
                    " records");
  }
  if (log.size == 0 && log.position == 0) {
    return Restored("the store is empty, the head file says " + std::to_string(head->size) +
                    " records");
  }
  if (head->origin != log.origin) {
    return Restored("the head file is of the log " + head->origin + ", the store of " + log.origin);
  }
  if (head->size > log.size) {
    return Restored("the store has " + std::to_string(log.size) + " records, the head file says " +
                    std::to_string(head->size));
  }
  if (head->position > log.position) {
    return Restored("the store is at position " + std::to_string(log.position) +
                    ", the head file says " + std::to_string(head->position));
  }
  if (head->size > 0) {
    SCHAKEL_ASSIGN(const Digest root, log.root_at(head->size));
    if (root != head->root) {
      return Restored("the store has another root at size " + std::to_string(head->size) +
                      " than the head file");
    }
  }
  return HeadState{HeadState::Verdict::kOk, ""};
}

}  // namespace schakel::store
