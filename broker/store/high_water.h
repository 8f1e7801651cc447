// The high-water file: a cheap second memory of the last durable position, beside the database.
// It is written after every commit and never synced, so after a power cut it may be old, but it is
// never ahead of what was durable. A store below it has lost acknowledged commands. Format:
// FORMAT.md.
#pragma once

#include <cstdint>
#include <filesystem>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/store/file_io.h"

namespace schakel::store {

// What was found at start.
struct HighWaterReading {
  enum class State {
    kMissing,  // no file
    kDamaged,  // wrong length, mark or check sum
    kRead,
  };
  State state = State::kMissing;
  uint64_t position = 0;  // only with kRead

  bool operator==(const HighWaterReading&) const = default;
};

Bytes EncodeHighWater(uint64_t position);             // 16 bytes
HighWaterReading DecodeHighWater(BytesView content);  // never kMissing

// Error (STORE_IO) only when a file that is there can't be read.
Result<HighWaterReading> ReadHighWater(const std::filesystem::path& path);

// The open file. For one thread at a time.
class HighWaterFile {
 public:
  // Opens it for writing. A missing one is created with position 0 and synced together with its
  // folder, so that later writes overwrite one sector in place. An existing one is left as it is
  // until the first Write.
  static Result<HighWaterFile> Open(const std::filesystem::path& path);

  // One pwrite, no sync.
  Status Write(uint64_t position);

 private:
  HighWaterFile(UniqueFd fd, std::filesystem::path path)
      : fd_(std::move(fd)), path_(std::move(path)) {}

  UniqueFd fd_;
  std::filesystem::path path_;
  bool trimmed_ = false;
};

}  // namespace schakel::store
