#include "broker/sequencer/registry_cache.h"

#include <gtest/gtest.h>

#include "broker/store/testing/memory_state.h"

namespace schakel::sequencer {
namespace {

using store::Family;
using store::testing::MemoryState;

// Counts what reaches the store.
class CountingReader final : public store::StateReader {
 public:
  explicit CountingReader(const MemoryState& state) : state_(state) {}
  Result<std::optional<Bytes>> Get(Family family, BytesView key) const override {
    ++reads;
    return state_.Get(family, key);
  }
  Status Scan(Family family, BytesView begin, BytesView end,
              const store::Visitor& fn) const override {
    return state_.Scan(family, begin, end, fn);
  }
  Status ScanReverse(Family family, BytesView begin, BytesView end,
                     const store::Visitor& fn) const override {
    return state_.ScanReverse(family, begin, end, fn);
  }
  mutable int reads = 0;

 private:
  const MemoryState& state_;
};

struct Cached {
  MemoryState state;
  CountingReader reader{state};
  RegistryCache cache{reader};
  uint64_t position = 0;

  void Commit(const store::Batch& batch) {
    ASSERT_TRUE(state.Commit(batch, ++position).ok());
    cache.Committed(batch);
  }
  std::optional<Bytes> Get(BytesView key, Family family = Family::kRegistry) {
    return cache.Get(family, key).value();
  }
};

store::Batch Put(const char* key, const char* value) {
  store::Batch batch;
  batch.Put(Family::kRegistry, key, value);
  return batch;
}

TEST(RegistryCache, ReadsAnOrganisationAndAKeySetOnce) {
  Cached c;
  c.Commit(Put("O1", "one"));
  c.Commit(Put("k1", "keys"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(c.Get("O1"), "one");
    EXPECT_EQ(c.Get("k1"), "keys");
    EXPECT_EQ(c.Get("O2"), std::nullopt);
  }
  EXPECT_EQ(c.reader.reads, 3);
}

TEST(RegistryCache, SeesWhatABatchChangedAddedOrDeleted) {
  Cached c;
  c.Commit(Put("O1", "one"));
  EXPECT_EQ(c.Get("O1"), "one");
  EXPECT_EQ(c.Get("O2"), std::nullopt);
  c.Commit(Put("O1", "changed"));
  c.Commit(Put("O2", "two"));
  EXPECT_EQ(c.Get("O1"), "changed");
  EXPECT_EQ(c.Get("O2"), "two");
  store::Batch gone;
  gone.Delete(Family::kRegistry, "O1");
  c.Commit(gone);
  EXPECT_EQ(c.Get("O1"), std::nullopt);
}

TEST(RegistryCache, LeavesEverythingElseToTheStore) {
  Cached c;
  store::Batch batch;
  batch.Put(Family::kHot, "O1", "hot");
  batch.Put(Family::kRegistry, "s1", "statement");
  c.Commit(batch);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(c.Get("O1", Family::kHot), "hot");
    EXPECT_EQ(c.Get("s1"), "statement");
  }
  EXPECT_EQ(c.reader.reads, 4);
}

}  // namespace
}  // namespace schakel::sequencer
