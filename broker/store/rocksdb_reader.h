// Reads of the database, now or as of a snapshot. Includes RocksDB: for broker/store only.
#pragma once

#include "broker/store/database.h"
#include "broker/store/state_store.h"

namespace schakel::store {

// Thread-safe. `database` must outlive it; a null `snapshot` means: what is durable at each call.
class DatabaseReader : public StateReader {
 public:
  DatabaseReader(const Database& database, const rocksdb::Snapshot* snapshot)
      : database_(database), snapshot_(snapshot) {}
  Result<std::optional<Bytes>> Get(Family family, BytesView key) const override;
  Result<std::vector<std::optional<Bytes>>> MultiGet(
      Family family, std::span<const BytesView> keys) const override;
  Status Scan(Family family, BytesView begin, BytesView end, const Visitor& fn) const override;
  Status ScanReverse(Family family, BytesView begin, BytesView end,
                     const Visitor& fn) const override;

 private:
  Status Walk(Family family, BytesView begin, BytesView end, const Visitor& fn, bool reverse) const;

  const Database& database_;
  const rocksdb::Snapshot* const snapshot_;
};

// Keeps the database open and the snapshot pinned.
class DatabaseSnapshot final : public Snapshot {
 public:
  explicit DatabaseSnapshot(std::shared_ptr<Database> database);
  ~DatabaseSnapshot() override;
  uint64_t position() const override { return position_; }
  Result<std::optional<Bytes>> Get(Family family, BytesView key) const override {
    return reader_.Get(family, key);
  }
  Result<std::vector<std::optional<Bytes>>> MultiGet(
      Family family, std::span<const BytesView> keys) const override {
    return reader_.MultiGet(family, keys);
  }
  Status Scan(Family family, BytesView begin, BytesView end, const Visitor& fn) const override {
    return reader_.Scan(family, begin, end, fn);
  }
  Status ScanReverse(Family family, BytesView begin, BytesView end,
                     const Visitor& fn) const override {
    return reader_.ScanReverse(family, begin, end, fn);
  }

 private:
  const std::shared_ptr<Database> database_;
  const rocksdb::Snapshot* const snapshot_;
  const DatabaseReader reader_;
  uint64_t position_ = 0;
};

}  // namespace schakel::store
