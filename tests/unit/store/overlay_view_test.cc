#include "broker/store/overlay_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "broker/store/testing/memory_state.h"

namespace schakel::store {
namespace {

using Pairs = std::vector<std::pair<Bytes, Bytes>>;

Pairs ScanAll(const StateReader& reader, BytesView begin, BytesView end, bool reverse,
              size_t stop_after = SIZE_MAX) {
  Pairs seen;
  const auto collect = [&](BytesView key, BytesView value) {
    seen.emplace_back(key, value);
    return seen.size() < stop_after;
  };
  const Status status = reverse ? reader.ScanReverse(Family::kHot, begin, end, collect)
                                : reader.Scan(Family::kHot, begin, end, collect);
  EXPECT_TRUE(status.ok());
  return seen;
}

TEST(OverlayView, ReadsOwnBatchThenOlderBatchesThenBase) {
  testing::MemoryState base;
  Batch durable;
  for (const char* key : {"a", "b", "c", "d"}) durable.Put(Family::kHot, key, "base");
  ASSERT_TRUE(base.Commit(durable, 1).ok());
  Batch older;
  older.Put(Family::kHot, "b", "older");
  older.Put(Family::kHot, "c", "older");
  Batch own;
  own.Put(Family::kHot, "c", "own");
  own.Delete(Family::kHot, "d");
  const OverlayView view(base, {&own, &older});
  const std::vector<BytesView> keys = {"a", "b", "c", "d", "e"};
  const auto values = view.MultiGet(Family::kHot, keys);
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(*values, (std::vector<std::optional<Bytes>>{"base", "older", "own", std::nullopt,
                                                        std::nullopt}));
  EXPECT_EQ(ScanAll(view, "", "", false), (Pairs{{"a", "base"}, {"b", "older"}, {"c", "own"}}));
  EXPECT_EQ(ScanAll(view, "", "", true), (Pairs{{"c", "own"}, {"b", "older"}, {"a", "base"}}));
}

TEST(OverlayView, SeesWhatIsWrittenToABatchBetweenCalls) {
  const testing::MemoryState base;
  Batch own;
  const OverlayView view(base, {&own});
  EXPECT_EQ(*view.Get(Family::kHot, "a"), std::nullopt);
  own.Put(Family::kHot, "a", "1");
  EXPECT_EQ(*view.Get(Family::kHot, "a"), "1");
}

TEST(OverlayView, RangeOfANewerBatchHidesPointsOfAnOlderOneAndOfTheBase) {
  testing::MemoryState base;
  Batch durable;
  durable.Put(Family::kHot, "a", "base");
  durable.Put(Family::kHot, "c", "base");
  ASSERT_TRUE(base.Commit(durable, 1).ok());
  Batch older;
  older.Put(Family::kHot, "b", "older");
  Batch own;
  own.DeleteRange(Family::kHot, "a", "c");
  const OverlayView view(base, {&own, &older});
  EXPECT_EQ(*view.Get(Family::kHot, "b"), std::nullopt);
  EXPECT_EQ(ScanAll(view, "", "", false), (Pairs{{"c", "base"}}));
}

TEST(OverlayView, PassesAnErrorOfTheBaseOn) {
  class Broken final : public StateReader {
    Result<std::optional<Bytes>> Get(Family, BytesView) const override { return Internal("x"); }
    Status Scan(Family, BytesView, BytesView, const Visitor&) const override {
      return Internal("x");
    }
    Status ScanReverse(Family, BytesView, BytesView, const Visitor&) const override {
      return Internal("x");
    }
  };
  const Broken base;
  Batch own;
  own.Put(Family::kHot, "b", "1");
  const OverlayView view(base, {&own});
  const auto ignore = [](BytesView, BytesView) { return true; };
  EXPECT_FALSE(view.Get(Family::kHot, "a").ok());
  EXPECT_TRUE(view.Get(Family::kHot, "b").ok());
  EXPECT_FALSE(view.Scan(Family::kHot, "", "", ignore).ok());
  EXPECT_FALSE(view.ScanReverse(Family::kHot, "", "", ignore).ok());
}

TEST(PrefixEnd, IsTheFirstKeyBehindAllWithThePrefix) {
  EXPECT_EQ(PrefixEnd("ab"), "ac");
  EXPECT_EQ(PrefixEnd("a\xff"), "b");
  EXPECT_EQ(PrefixEnd("\xff\xff"), "");
  EXPECT_EQ(PrefixEnd(""), "");
  EXPECT_EQ(PrefixEnd(BytesView("\x7f", 1)), "\x80");
}

// The slow textbook: a map to which everything is done at once.
class Model {
 public:
  void Apply(const Batch& batch) {
    for (const auto& [begin, end] : batch.ranges(Family::kHot)) {
      map_.erase(map_.lower_bound(begin), map_.lower_bound(end));
    }
    for (const auto& [key, value] : batch.points(Family::kHot)) {
      if (value) {
        map_[key] = *value;
      } else {
        map_.erase(key);
      }
    }
  }
  Pairs Range(const Bytes& begin, const Bytes& end, bool reverse, size_t most) const {
    Pairs all;
    for (const auto& [key, value] : map_) {
      if (key >= begin && (end.empty() || key < end)) all.emplace_back(key, value);
    }
    if (reverse) std::reverse(all.begin(), all.end());
    if (all.size() > most) all.resize(most);
    return all;
  }
  std::optional<Bytes> Get(const Bytes& key) const {
    const auto it = map_.find(key);
    return it == map_.end() ? std::nullopt : std::optional<Bytes>(it->second);
  }

 private:
  std::map<Bytes, Bytes> map_;
};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  uint64_t Below(uint64_t n) { return engine_() % n; }
  // Few distinct keys, of different lengths, with the bytes at both ends of the order.
  Bytes Key() {
    constexpr char kLetters[] = {'\0', 'a', 'b', '\x7f', '\xff'};
    Bytes key;
    for (uint64_t n = 1 + Below(3); n > 0; --n) key.push_back(kLetters[Below(5)]);
    return key;
  }
  Batch SomeBatch() {
    Batch batch;
    for (uint64_t n = Below(12); n > 0; --n) {
      Bytes key = Key();
      switch (Below(5)) {
        case 0:
        case 1:
        case 2:
          batch.Put(Family::kHot, std::move(key), std::to_string(engine_()));
          break;
        case 3:
          batch.Delete(Family::kHot, std::move(key));
          break;
        default:
          if (Bytes other = Key(); key < other) {
            batch.DeleteRange(Family::kHot, std::move(key), std::move(other));
          }
      }
    }
    return batch;
  }

 private:
  std::mt19937_64 engine_;
};

TEST(OverlayView, EqualsAMapThatTookAllBatches) {
  const uint64_t first_seed = std::random_device{}();
  for (uint64_t seed = first_seed; seed < first_seed + 3000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    testing::MemoryState base;
    Model model;
    std::vector<Batch> layers;  // oldest first
    for (uint64_t n = 1 + random.Below(3); n > 0; --n) layers.push_back(random.SomeBatch());
    ASSERT_TRUE(base.Commit(layers[0], 1).ok());
    for (const Batch& layer : layers) model.Apply(layer);
    std::vector<const Batch*> stack;
    // The oldest layer is in the base and, sometimes, still in the stack.
    for (size_t i = layers.size(); i-- > random.Below(2);) stack.push_back(&layers[i]);
    const OverlayView view(base, stack);
    for (int look = 0; look < 12; ++look) {
      const Bytes key = random.Key();
      ASSERT_EQ(*view.Get(Family::kHot, key), model.Get(key));
      const Bytes begin = random.Below(4) == 0 ? Bytes() : random.Key();
      const Bytes end = random.Below(4) == 0 ? Bytes() : random.Key();
      const size_t most = random.Below(3) == 0 ? 1 + random.Below(4) : SIZE_MAX;
      for (const bool reverse : {false, true}) {
        ASSERT_EQ(ScanAll(view, begin, end, reverse, most), model.Range(begin, end, reverse, most));
        // The store in memory is a reader of its own, also of more than one piece.
        testing::MemoryState all;
        Batch once;
        for (const Batch& layer : layers) once.Append(layer);
        ASSERT_TRUE(all.Commit(once, 1).ok());
        ASSERT_EQ(ScanAll(all, begin, end, reverse, most), model.Range(begin, end, reverse, most));
      }
    }
  }
}

TEST(MemoryState, ScansManyKeysInBothDirections) {
  testing::MemoryState state;
  Batch batch;
  Pairs expected;
  for (int i = 0; i < 1000; ++i) {
    const Bytes key = ByteWriter().U32(static_cast<uint32_t>(i)).Take();
    batch.Put(Family::kHot, key, "v");
    expected.emplace_back(key, "v");
  }
  ASSERT_TRUE(state.Commit(batch, 1).ok());
  EXPECT_EQ(ScanAll(state, "", "", false), expected);
  std::reverse(expected.begin(), expected.end());
  EXPECT_EQ(ScanAll(state, "", "", true), expected);
}

TEST(MemoryState, FailedCommitShowsAfterARestartOnlyWhenKept) {
  for (const bool kept : {false, true}) {
    testing::MemoryState state;
    Batch batch;
    batch.Put(Family::kHot, "a", "1");
    state.FailNextCommit(kept);
    EXPECT_EQ(state.Commit(batch, 1).error().reason, "STORE_FAILED");
    EXPECT_EQ(state.Commit(batch, 2).error().reason, "STORE_FAILED");
    EXPECT_EQ(*state.Get(Family::kHot, "a"), std::nullopt);
    testing::MemoryState restarted(state);
    EXPECT_EQ(restarted.position(), kept ? 1u : 0u);
    EXPECT_EQ(restarted.Get(Family::kHot, "a")->has_value(), kept);
    EXPECT_TRUE(restarted.Commit(batch, 2).ok());
  }
}

TEST(MemoryState, SnapshotDoesNotChangeAndLocalIsNoPartOfTheState) {
  testing::MemoryState state;
  const auto snapshot = state.TakeSnapshot();
  Batch batch;
  batch.Put(Family::kHot, "a", "1");
  ASSERT_TRUE(state.Commit(batch, 7).ok());
  EXPECT_EQ(*snapshot->Get(Family::kHot, "a"), std::nullopt);
  EXPECT_EQ(snapshot->position(), 0u);
  EXPECT_EQ(state.TakeSnapshot()->position(), 7u);
  testing::MemoryState other(state);
  Batch local;
  local.Put(Family::kLocal, "x", "1");
  ASSERT_TRUE(other.CommitLocal(local).ok());
  EXPECT_TRUE(state.SameState(other));
  ASSERT_TRUE(other.Commit(Batch(), 8).ok());
  EXPECT_FALSE(state.SameState(other));
}

}  // namespace
}  // namespace schakel::store
