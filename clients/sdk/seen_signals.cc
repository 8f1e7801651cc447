#include "clients/sdk/seen_signals.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "broker/base/limits.h"
#include "broker/crypto/hash.h"
#include "clients/sdk/files.h"

namespace schakel::sdk {
namespace {

constexpr size_t kBodyBytes = 20 + 16 + 32 + 8;
constexpr size_t kRecordBytes = kBodyBytes + 4;

Bytes RecordOf(const OrganisationId& sender, const SignalId& id, const Digest& digest,
               Millis expires) {
  ByteWriter out(kRecordBytes);
  out.Raw(sender.str()).Raw(id.view()).Raw(digest.view());
  out.U64(static_cast<uint64_t>(expires.count()));
  const Digest check = crypto::Sha256(out.bytes());
  out.Raw(check.view().substr(0, 4));
  return out.Take();
}

}  // namespace

struct SeenSignals::State {
  struct Seen {
    Digest digest;
    Millis expires{0};
  };
  std::filesystem::path file;
  std::mutex mutex;  // guards what follows
  std::map<std::pair<OrganisationId, SignalId>, Seen> seen;
  uint64_t inode = 0;
  uint64_t bytes_read = 0;

  Error Failed(const char* what) const {
    return MakeError(
        ErrorCode::kFailedPrecondition, "FILE_FAILED",
        std::string("can't ") + what + " " + file.string() + ": " + std::strerror(errno),
        file.string());
  }

  std::filesystem::path LockFile() const {
    std::filesystem::path path = file;
    path += ".lock";
    return path;
  }

  // Reads what was added since the last time. REQUIRES: the lock file is held.
  Status Refresh() {
    struct stat facts {};
    if (::stat(file.c_str(), &facts) != 0) {
      if (errno != ENOENT) return Failed("look at");
      seen.clear();
      inode = bytes_read = 0;
      return {};
    }
    if (facts.st_ino != inode || static_cast<uint64_t>(facts.st_size) < bytes_read) {
      seen.clear();
      inode = facts.st_ino;
      bytes_read = 0;
    }
    if (static_cast<uint64_t>(facts.st_size) == bytes_read) return {};
    SCHAKEL_ASSIGN(const Bytes content, ReadFile(file, 1 << 30));
    BytesView rest = BytesView(content).substr(bytes_read);
    while (rest.size() >= kRecordBytes && Take(rest.substr(0, kRecordBytes))) {
      rest.remove_prefix(kRecordBytes);
      bytes_read += kRecordBytes;
    }
    if (rest.empty()) return {};
    // LIMIT: what follows a record that is torn or damaged was written after a crash of the file
    // system; it is cut off, and a signal in it may be opened once more as if it were new.
    if (::truncate(file.c_str(), static_cast<off_t>(bytes_read)) != 0) return Failed("cut");
    return {};
  }

  bool Take(BytesView record) {
    if (crypto::Sha256(record.substr(0, kBodyBytes)).view().substr(0, 4) !=
        record.substr(kBodyBytes)) {
      return false;
    }
    ByteReader in(record);
    const auto sender = OrganisationId::From(*in.Raw(20));
    const auto id = SignalId::From(*in.Raw(16));
    const auto digest = Digest::From(*in.Raw(32));
    if (!sender) return false;
    seen[{*sender, *id}] = {*digest, Millis(static_cast<int64_t>(*in.U64()))};
    return true;
  }

  Status Append(BytesView record) {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return Failed("open");
    Status done;
    if (::write(descriptor, record.data(), record.size()) != static_cast<ssize_t>(record.size())) {
      done = Failed("write");
    } else if (::fsync(descriptor) != 0) {
      done = Failed("sync");
    }
    ::close(descriptor);
    return done;
  }
};

SeenSignals::SeenSignals(std::filesystem::path file) : state_(std::make_unique<State>()) {
  state_->file = std::move(file);
}

SeenSignals::~SeenSignals() = default;

Result<std::optional<Digest>> SeenSignals::Find(const OrganisationId& sender, const SignalId& id) {
  const std::lock_guard guard(state_->mutex);
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(state_->LockFile()));
  SCHAKEL_TRY(state_->Refresh());
  const auto found = state_->seen.find({sender, id});
  if (found == state_->seen.end()) return std::optional<Digest>();
  return std::optional<Digest>(found->second.digest);
}

Status SeenSignals::Remember(const OrganisationId& sender, const SignalId& id, const Digest& digest,
                             Millis expires) {
  const std::lock_guard guard(state_->mutex);
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(state_->LockFile()));
  SCHAKEL_TRY(state_->Refresh());
  const auto found = state_->seen.find({sender, id});
  if (found != state_->seen.end() && found->second.digest == digest) return {};
  return state_->Append(RecordOf(sender, id, digest, expires));
}

Status SeenSignals::Compact(Millis now) {
  const std::lock_guard guard(state_->mutex);
  SCHAKEL_ASSIGN(const auto lock, FileLock::Acquire(state_->LockFile()));
  SCHAKEL_TRY(state_->Refresh());
  Bytes kept;
  for (const auto& [key, seen] : state_->seen) {
    if (seen.expires + Millis(limits::kOnceKeepAfterExpiry) <= now) continue;
    kept += RecordOf(key.first, key.second, seen.digest, seen.expires);
  }
  return WriteFileDurably(state_->file, kept);
}

}  // namespace schakel::sdk
