// HeadStore: the memory of how far the log has been shown, kept apart from the log.
// INVARIANT I8: the log only grows. A head is written before a checkpoint over it is signed; a
// store that does not hold the head at its start was put back to an older state.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "broker/base/bytes.h"
#include "broker/base/result.h"

namespace schakel::store {

struct Head {
  std::string origin;     // name of the log, first line of its checkpoints
  uint64_t size = 0;      // entries in the tree
  Digest root;            // of the tree of that size
  uint64_t position = 0;  // of the last command whose records are in that tree

  bool operator==(const Head&) const = default;
};

// Thread-safe.
class HeadStore {
 public:
  virtual ~HeadStore() = default;
  // nullopt: there is none. HEAD_DAMAGED: there is one, but it does not match its check sum.
  virtual Result<std::optional<Head>> Read() const = 0;
  // Replaces `expected` (nullopt: none there) by `next`; durable when it returns OK. Anything else
  // there: HEAD_MISMATCH, and nothing is changed. A failed write is HEAD_IO: the old head or the
  // new is there.
  virtual Status CompareAndSwap(const std::optional<Head>& expected, const Head& next) = 0;
};

// A file outside the data folder: temp file, fsync, rename, fsync of the folder. Format: FORMAT.md.
// Other processes are kept out during a swap by a lock on "<path>.lock".
class FileHeadStore final : public HeadStore {
 public:
  explicit FileHeadStore(std::filesystem::path path) : path_(std::move(path)) {}
  Result<std::optional<Head>> Read() const override;
  Status CompareAndSwap(const std::optional<Head>& expected, const Head& next) override;

 private:
  std::filesystem::path path_;
  mutable std::mutex mutex_;
};

Bytes EncodeHead(const Head& head);
Result<Head> DecodeHead(BytesView content);  // HEAD_DAMAGED

struct HeadPlacement {
  // A lost or restored file system takes head and data together, and nobody notices. Worth a
  // warning.
  bool same_file_system = false;
};

// Where a head file may be: in an existing folder that is neither the data folder nor inside it,
// whatever symbolic links lead there, and itself no symbolic link (a swap would replace the link).
// Otherwise HEAD_PLACEMENT. `data_folder` need not exist yet.
Result<HeadPlacement> CheckPlacement(const std::filesystem::path& head_path,
                                     const std::filesystem::path& data_folder);

// The log as the store has it.
struct StoredLog {
  std::string origin;     // empty when the store is empty
  uint64_t size = 0;      // entries in the tree
  uint64_t position = 0;  // last durable command
  // Root of the tree's first `size` entries, 0 < size <= the size above.
  std::function<Result<Digest>(uint64_t size)> root_at;
};

struct HeadState {
  enum class Verdict {
    kFresh,     // neither head nor log
    kOk,        // the log holds the head
    kRestored,  // it doesn't: only reading of checkpoints, tiles and proofs may go on
  };
  Verdict verdict = Verdict::kRestored;
  std::string why;  // with kRestored, in English for the operator
};

// Fails only when root_at fails.
Result<HeadState> CompareHead(const std::optional<Head>& head, const StoredLog& log);

}  // namespace schakel::store
