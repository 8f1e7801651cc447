// Which keys of a family come in ascending order, as RocksDB wants to know it: a key is put into the
// memtable beside the one before it of its kind, instead of being searched a place from the top.
#pragma once

#include <rocksdb/slice_transform.h>

#include <memory>

#include "broker/store/family.h"

namespace schakel::store {

// Null for families without such keys. Nothing on disk depends on it.
std::shared_ptr<const rocksdb::SliceTransform> InsertHintOf(Family family);

}  // namespace schakel::store
