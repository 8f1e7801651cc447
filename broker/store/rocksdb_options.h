// Every setting of RocksDB, each with its reason. Includes RocksDB: for broker/store only.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <memory>
#include <string>
#include <vector>

#include "broker/store/store.h"

namespace schakel::store {

// The family that RocksDB always has. It holds the store's own two keys: format and position.
inline constexpr std::string_view kOwnFamily = "default";

// How long RocksDB's list of files gets before it begins another one.
inline constexpr size_t kManifestBytesMax = size_t{4} << 20;

struct DatabaseOptions {
  std::unique_ptr<rocksdb::Env> env;  // null: the operating system's; outlives the database
  rocksdb::DBOptions database;
  std::vector<rocksdb::ColumnFamilyDescriptor> families;  // kOwnFamily, then kFamilies in order
};

// `listener` hears of failures in the background; it may be null.
DatabaseOptions MakeDatabaseOptions(const StoreOptions& options,
                                    std::shared_ptr<rocksdb::EventListener> listener);

}  // namespace schakel::store
