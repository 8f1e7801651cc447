#include "broker/store/testing/raw_database.h"

#include <rocksdb/db.h>

#include <functional>
#include <memory>
#include <vector>

#include "broker/store/database.h"

namespace schakel::store::testing {
namespace {

using Action = std::function<rocksdb::Status(rocksdb::DB&, rocksdb::ColumnFamilyHandle* own)>;

Status WithDatabase(const std::filesystem::path& folder, const Action& action) {
  const std::string path = (folder / "db").string();
  std::vector<std::string> names;
  rocksdb::Status status = rocksdb::DB::ListColumnFamilies({}, path, &names);
  if (!status.ok()) return FromRocksDb(status, "listing the families");
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) {
    families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  status = rocksdb::DB::Open({}, path, families, &handles, &raw);
  if (!status.ok()) return FromRocksDb(status, "opening");
  const std::unique_ptr<rocksdb::DB> db(raw);
  status = action(*db, db->DefaultColumnFamily());
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  if (!status.ok()) return FromRocksDb(status, "the change");
  return {};
}

}  // namespace

Result<Bytes> ReadOwnKey(const std::filesystem::path& folder, std::string_view key) {
  Bytes value;
  SCHAKEL_TRY(WithDatabase(folder, [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* own) {
    return db.Get({}, own, rocksdb::Slice(key.data(), key.size()), &value);
  }));
  return value;
}

Status WriteOwnKey(const std::filesystem::path& folder, std::string_view key, BytesView value) {
  return WithDatabase(folder, [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle* own) {
    return db.Put({}, own, rocksdb::Slice(key.data(), key.size()),
                  rocksdb::Slice(value.data(), value.size()));
  });
}

Status AddFamily(const std::filesystem::path& folder, std::string_view name) {
  return WithDatabase(folder, [&](rocksdb::DB& db, rocksdb::ColumnFamilyHandle*) {
    rocksdb::ColumnFamilyHandle* made = nullptr;
    const rocksdb::Status status = db.CreateColumnFamily({}, std::string(name), &made);
    if (status.ok()) db.DestroyColumnFamilyHandle(made).PermitUncheckedError();
    return status;
  });
}

}  // namespace schakel::store::testing
