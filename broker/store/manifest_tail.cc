#include "broker/store/manifest_tail.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "broker/store/crc32c.h"
#include "broker/store/file_io.h"

namespace schakel::store {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlockBytes = 32768;
constexpr size_t kHeaderBytes = 7;  // check sum, length, type; little-endian
constexpr size_t kTailBytesMax = 64 * 1024;
constexpr size_t kManifestBytesMax = size_t{256} << 20;

enum RecordType : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

uint32_t LittleEndian(BytesView bytes) {
  uint32_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

// RocksDB stores check sums masked, so that a check sum over check sums is no fixed point.
uint32_t Masked(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

struct Record {
  uint8_t type = 0;
  size_t bytes = 0;  // with its header
};

// The whole record that begins at `at`, if there is one.
std::optional<Record> WholeRecord(BytesView log, size_t at) {
  const size_t block_left = kBlockBytes - at % kBlockBytes;
  if (block_left < kHeaderBytes || log.size() - at < kHeaderBytes) return std::nullopt;
  const size_t length = LittleEndian(log.substr(at + 4, 2));
  const auto type = static_cast<uint8_t>(log[at + 6]);
  const size_t bytes = kHeaderBytes + length;
  if (type < kFull || type > kLast || bytes > block_left || bytes > log.size() - at) {
    return std::nullopt;
  }
  if (LittleEndian(log.substr(at, 4)) != Masked(Crc32c(log.substr(at + 6, 1 + length)))) {
    return std::nullopt;
  }
  return Record{type, bytes};
}

}  // namespace

std::optional<uint64_t> FindTornTail(BytesView log) {
  size_t at = 0;
  size_t keep = 0;  // end of the last record of which all parts are whole
  while (at < log.size()) {
    if (const size_t block_left = kBlockBytes - at % kBlockBytes; block_left < kHeaderBytes) {
      at += block_left;  // filling
      continue;
    }
    const auto record = WholeRecord(log, at);
    if (!record) break;
    at += record->bytes;
    if (record->type == kFull || record->type == kLast) keep = at;
  }
  if (at >= log.size() || log.size() - at > kTailBytesMax || keep == 0) return std::nullopt;
  for (size_t behind = at + 1; behind + kHeaderBytes <= log.size(); ++behind) {
    if (WholeRecord(log, behind)) return std::nullopt;
  }
  return keep;
}

Result<bool> CutTornManifest(const fs::path& db_folder, const fs::path& copy_to) {
  SCHAKEL_ASSIGN(const std::optional<Bytes> current, ReadSmallFile(db_folder / "CURRENT", 4096));
  if (!current || current->empty() || current->back() != '\n') return false;
  const fs::path manifest = db_folder / current->substr(0, current->size() - 1);
  std::error_code error;
  const uint64_t size = fs::file_size(manifest, error);
  if (error || size > kManifestBytesMax) return false;
  SCHAKEL_ASSIGN(const std::optional<Bytes> log,
                 ReadSmallFile(manifest, static_cast<size_t>(size)));
  const std::optional<uint64_t> keep = log ? FindTornTail(*log) : std::nullopt;
  if (!keep) return false;
  fs::copy_file(manifest, copy_to, fs::copy_options::overwrite_existing, error);
  if (error) return IoError("cannot copy", manifest, error.value());
  SCHAKEL_ASSIGN(const UniqueFd fd, OpenFile(manifest, O_WRONLY));
  if (::ftruncate(fd.get(), static_cast<off_t>(*keep)) != 0) {
    return IoError("cannot cut to length", manifest, errno);
  }
  SCHAKEL_TRY(SyncFile(fd, manifest));
  return true;
}

}  // namespace schakel::store
