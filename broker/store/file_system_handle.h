// The RocksDB side of StoreOptions::file_system. Includes RocksDB: for broker/store only.
#pragma once

#include <rocksdb/file_system.h>

#include <memory>

namespace schakel::store {

class FileSystemHandle {
 public:
  explicit FileSystemHandle(std::shared_ptr<rocksdb::FileSystem> file_system)
      : file_system_(std::move(file_system)) {}
  const std::shared_ptr<rocksdb::FileSystem>& file_system() const { return file_system_; }

 private:
  std::shared_ptr<rocksdb::FileSystem> file_system_;
};

}  // namespace schakel::store
