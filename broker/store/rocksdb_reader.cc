#include "broker/store/rocksdb_reader.h"

#include <rocksdb/iterator.h>

namespace schakel::store {
namespace {

rocksdb::Slice ToSlice(BytesView view) { return {view.data(), view.size()}; }
BytesView ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

rocksdb::ReadOptions Options(const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.verify_checksums = true;  // a flipped bit is an error and never a value
  return options;
}

}  // namespace

Result<std::optional<Bytes>> DatabaseReader::Get(Family family, BytesView key) const {
  Bytes value;
  const rocksdb::Status status =
      database_.db().Get(Options(snapshot_), database_.handle(family), ToSlice(key), &value);
  if (status.IsNotFound()) return std::optional<Bytes>();
  if (!status.ok()) return FromRocksDb(status, "reading a key");
  return std::optional<Bytes>(std::move(value));
}

Result<std::vector<std::optional<Bytes>>> DatabaseReader::MultiGet(
    Family family, std::span<const BytesView> keys) const {
  std::vector<rocksdb::Slice> slices(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) slices[i] = ToSlice(keys[i]);
  std::vector<rocksdb::PinnableSlice> pinned(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  database_.db().MultiGet(Options(snapshot_), database_.handle(family), keys.size(), slices.data(),
                          pinned.data(), statuses.data());
  std::vector<std::optional<Bytes>> values(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return FromRocksDb(statuses[i], "reading keys");
    values[i] = Bytes(ToView(pinned[i]));
  }
  return values;
}

Status DatabaseReader::Scan(Family family, BytesView begin, BytesView end,
                            const Visitor& fn) const {
  return Walk(family, begin, end, fn, /*reverse=*/false);
}

Status DatabaseReader::ScanReverse(Family family, BytesView begin, BytesView end,
                                   const Visitor& fn) const {
  return Walk(family, begin, end, fn, /*reverse=*/true);
}

Status DatabaseReader::Walk(Family family, BytesView begin, BytesView end, const Visitor& fn,
                            bool reverse) const {
  if (!end.empty() && begin >= end) return {};
  rocksdb::ReadOptions options = Options(snapshot_);
  const rocksdb::Slice lower = ToSlice(begin);
  const rocksdb::Slice upper = ToSlice(end);
  if (!begin.empty()) options.iterate_lower_bound = &lower;
  if (!end.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(
      database_.db().NewIterator(options, database_.handle(family)));
  if (reverse) {
    it->SeekToLast();
  } else {
    it->SeekToFirst();
  }
  while (it->Valid()) {
    if (!fn(ToView(it->key()), ToView(it->value()))) return {};
    if (reverse) {
      it->Prev();
    } else {
      it->Next();
    }
  }
  if (!it->status().ok()) return FromRocksDb(it->status(), "reading a range");
  return {};
}

DatabaseSnapshot::DatabaseSnapshot(std::shared_ptr<Database> database)
    : database_(std::move(database)),
      snapshot_(database_->db().GetSnapshot()),
      reader_(*database_, snapshot_) {
  database_->Pinned();
  const Result<uint64_t> position = database_->ReadPosition(snapshot_);
  // Too low a position only makes somebody wait; the store that cannot read its own key has failed.
  if (position.ok()) {
    position_ = *position;
  } else {
    database_->failure().Fail(position.error());
  }
}

DatabaseSnapshot::~DatabaseSnapshot() {
  database_->db().ReleaseSnapshot(snapshot_);
  database_->Unpinned();
}

}  // namespace schakel::store
