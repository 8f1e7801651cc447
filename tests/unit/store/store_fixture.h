// A store in a folder of its own, opened as a test wants it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "broker/store/store.h"
#include "tests/unit/store/temp_folder.h"

namespace schakel::store {

using Pairs = std::vector<std::pair<Bytes, Bytes>>;

inline StoreOptions SmallOptions(const std::filesystem::path& folder) {
  StoreOptions options;
  options.folder = folder;
  options.create = true;
  options.cache_bytes = size_t{8} << 20;
  return options;
}

inline std::unique_ptr<Store> MustOpen(StoreOptions options) {
  auto opened = Store::Open(std::move(options));
  EXPECT_TRUE(opened.ok()) << opened.error().reason << ": " << opened.error().message;
  return opened.ok() ? std::move(opened).value() : nullptr;
}

// One key in each family of the state, named after the position.
inline Batch BatchAt(uint64_t position, size_t value_bytes = 40) {
  Batch batch;
  const Bytes key = ByteWriter().U64(position).Take();
  for (const Family family : kFamilies) {
    if (!IsState(family)) continue;
    batch.Put(family, key, Bytes(value_bytes, static_cast<char>('a' + position % 26)));
  }
  return batch;
}

inline Pairs ScanAll(const StateReader& reader, Family family, BytesView begin = "",
                     BytesView end = "", bool reverse = false) {
  Pairs seen;
  const auto collect = [&](BytesView key, BytesView value) {
    seen.emplace_back(key, value);
    return true;
  };
  const Status status = reverse ? reader.ScanReverse(family, begin, end, collect)
                                : reader.Scan(family, begin, end, collect);
  EXPECT_TRUE(status.ok());
  return seen;
}

// How many of the batches made by BatchAt(1..) are there, from the first on. Fails the test when
// one is there in part, or with another value, or after one that is missing.
inline uint64_t WholeBatches(const StateReader& reader) {
  std::array<Pairs, kFamilies.size()> all;
  for (const Family family : kFamilies) all[FamilyIndex(family)] = ScanAll(reader, family);
  const size_t count = all[0].size();
  for (const Family family : kFamilies) {
    if (!IsState(family)) continue;
    const Pairs& pairs = all[FamilyIndex(family)];
    EXPECT_EQ(pairs.size(), count) << "a commit is there in part: " << FamilyName(family);
    for (size_t i = 0; i < pairs.size(); ++i) {
      EXPECT_EQ(pairs[i].first, ByteWriter().U64(i + 1).Take());
      EXPECT_EQ(pairs[i].second,
                Bytes(pairs[i].second.size(), static_cast<char>('a' + (i + 1) % 26)));
    }
  }
  return count;
}

}  // namespace schakel::store
