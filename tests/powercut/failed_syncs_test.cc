// Fails every sync of a store's life once, one life each: opening, commits, flushes, compaction.
// The oracle is what Commit said.
#include <gtest/gtest.h>

#include "broker/store/testing/fault_file_system.h"
#include "tests/unit/store/store_fixture.h"

namespace schakel::store {
namespace {

constexpr uint64_t kCommits = 8;

struct Life {
  uint64_t acknowledged = 0;
  bool refused = false;  // a commit was refused, or the store did not open
};

// The same every time, up to the first refusal and three attempts after it.
Life Live(const StoreOptions& options) {
  Life life;
  const auto opened = Store::Open(options);
  if (!opened.ok()) return {0, true};
  const auto& store = *opened;
  int attempts = 0;
  for (uint64_t p = 1; p <= kCommits && attempts < 3; ++p) {
    if (p % 4 == 0) static_cast<void>(store->Flush());
    if (p % 6 == 0) static_cast<void>(store->CompactRange(Family::kContent, "", ""));
    if (store->Commit(BatchAt(p, 2000), p).ok()) {
      EXPECT_FALSE(life.refused) << "a commit went through after one that was refused";
      life.acknowledged = p;
      continue;
    }
    life.refused = true;
    EXPECT_TRUE(store->failure().has_value());
    ++attempts;
    --p;
  }
  return life;
}

class FailedSyncs {
 public:
  // What a life with a failure at the `n`-th sync leaves; 0: with none. False when its syncs were
  // fewer.
  bool Run(uint64_t n) {
    const TempFolder folder;
    testing::FaultFileSystem faults(folder / "shadow");
    StoreOptions options = SmallOptions(folder / "data");
    options.background_bytes_per_second = 0;
    options.file_system = faults.handle();
    if (n > 0) faults.FailSync(n);
    const Life life = Live(options);
    if (faults.syncs() < n) return false;
    refused_ += life.refused ? 1 : 0;
    // A crash besides: what the failed sync left behind may be lost.
    faults.Cut();
    faults.PowerOn(n);
    const auto again = Store::Open(options);
    EXPECT_TRUE(again.ok()) << again.error().message;
    if (!again.ok()) return true;
    EXPECT_GE(WholeBatches((*again)->durable()), life.acknowledged)
        << "an acknowledged commit is lost";
    EXPECT_EQ((*again)->position(), WholeBatches((*again)->durable()));
    const uint64_t next = (*again)->position() + 1;
    EXPECT_TRUE((*again)->Commit(BatchAt(next), next).ok());
    return true;
  }
  uint64_t refused() const { return refused_; }

 private:
  uint64_t refused_ = 0;
};

// In parts, so that they run beside each other: RocksDB waits a second after each failure in its
// background.
constexpr uint64_t kFailureParts = 8;

class StoreFailedSyncs : public ::testing::TestWithParam<uint64_t> {};

TEST_P(StoreFailedSyncs, EachStopsTheStoreAndLosesNothingAcknowledged) {
  FailedSyncs lives;
  ASSERT_TRUE(lives.Run(0));
  ASSERT_EQ(lives.refused(), 0u) << "without a failure nothing is refused";
  uint64_t done = 0;
  for (uint64_t n = 1 + GetParam(); !HasFailure(); n += kFailureParts) {
    SCOPED_TRACE("sync " + std::to_string(n));
    if (!lives.Run(n)) break;
    ++done;
  }
  RecordProperty("syncs", std::to_string(done));
  // A sync in the background may fail after the last commit; one of a commit refuses it.
  EXPECT_GE(lives.refused(), kCommits / kFailureParts);
  EXPECT_GE(done, lives.refused());
}

INSTANTIATE_TEST_SUITE_P(Parts, StoreFailedSyncs, ::testing::Range(uint64_t{0}, kFailureParts));

}  // namespace
}  // namespace schakel::store
