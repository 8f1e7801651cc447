#include "broker/store/high_water.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "broker/store/crc32c.h"
#include "broker/store/file_io.h"

namespace schakel::store {
namespace {

constexpr BytesView kMark = "SHW1";
constexpr size_t kBytes = 16;

}  // namespace

Bytes EncodeHighWater(uint64_t position) {
  ByteWriter out(kBytes);
  out.U64(position).Raw(kMark);
  const uint32_t check = Crc32c(out.bytes());
  out.U32(check);
  return out.Take();
}

HighWaterReading DecodeHighWater(BytesView content) {
  ByteReader in(content);
  const auto position = in.U64();
  const auto mark = in.Raw(kMark.size());
  const auto check = in.U32();
  if (!in.Done() || *mark != kMark || *check != Crc32c(content.substr(0, kBytes - 4))) {
    return {HighWaterReading::State::kDamaged, 0};
  }
  return {HighWaterReading::State::kRead, *position};
}

Result<HighWaterReading> ReadHighWater(const std::filesystem::path& path) {
  SCHAKEL_ASSIGN(const std::optional<Bytes> content, ReadSmallFile(path, 4096));
  if (!content) return HighWaterReading{};
  return DecodeHighWater(*content);
}

Result<HighWaterFile> HighWaterFile::Open(const std::filesystem::path& path) {
  SCHAKEL_ASSIGN(const std::optional<Bytes> content, ReadSmallFile(path, 4096));
  SCHAKEL_ASSIGN(UniqueFd fd, OpenFile(path, O_WRONLY | O_CREAT));
  if (!content) {
    SCHAKEL_TRY(WriteAll(fd, EncodeHighWater(0), path));
    SCHAKEL_TRY(SyncFile(fd, path));
    SCHAKEL_TRY(SyncFolder(FolderOf(path)));
  }
  return HighWaterFile(std::move(fd), path);
}

Status HighWaterFile::Write(uint64_t position) {
  const Bytes content = EncodeHighWater(position);
  if (!trimmed_) {
    // What a damaged file has behind its 16 bytes would keep it damaged.
    if (::ftruncate(fd_.get(), static_cast<off_t>(content.size())) != 0) {
      return IoError("cannot cut to length", path_, errno);
    }
    trimmed_ = true;
  }
  ssize_t n;
  do {
    n = ::pwrite(fd_.get(), content.data(), content.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n != static_cast<ssize_t>(content.size())) {
    return IoError("cannot write", path_, n < 0 ? errno : EIO);
  }
  return {};
}

}  // namespace schakel::store
