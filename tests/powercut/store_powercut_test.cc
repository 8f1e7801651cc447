// Cuts the power under a store at random moments and looks what is left. The oracle is what Commit
// said: acknowledged is there (I2), and every commit is there as a whole or not at all (I1).
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "broker/store/testing/fault_file_system.h"
#include "tests/unit/store/store_fixture.h"

namespace schakel::store {
namespace {

uint64_t Wanted(const char* variable, uint64_t otherwise) {
  const char* const wanted = std::getenv(variable);
  return wanted == nullptr ? otherwise : std::strtoull(wanted, nullptr, 10);
}
uint64_t Runs() { return Wanted("SCHAKEL_POWERCUT_RUNS", 300); }

// What is durable is simulated, so memory serves as well as a disk, and need not be waited for.
std::filesystem::path Parent() {
  std::error_code ignored;
  const std::filesystem::path memory = "/dev/shm";
  return std::filesystem::is_directory(memory, ignored) ? memory
                                                        : std::filesystem::temp_directory_path();
}

class PowerCut {
 public:
  explicit PowerCut(uint64_t seed) : random_(seed) {}

  // One life of a disk: several times of power, each with commits, each ended by a cut.
  void Run() {
    const uint64_t lives = 1 + random_() % 4;
    for (uint64_t life = 0; life < lives; ++life) {
      faults_.CutAfter(1 + random_() % (random_() % 2 == 0 ? 40 : 400));
      Live();
      faults_.Cut();
      faults_.PowerOn(random_());
      if (::testing::Test::HasFailure()) return;
    }
    const auto store = Open();
    if (store) LookAround(*store);
  }

  uint64_t acknowledged() const { return acknowledged_; }
  uint64_t torn_logs() const { return torn_logs_; }
  uint64_t torn_manifests() const { return torn_manifests_; }

 private:
  std::unique_ptr<Store> Open() {
    StoreOptions options = SmallOptions(folder_ / "data");
    options.background_bytes_per_second = 0;
    options.file_system = faults_.handle();
    auto opened = Store::Open(options);
    if (opened.ok()) {
      if ((*opened)->facts().log_tail_dropped) ++torn_logs_;
      if ((*opened)->facts().manifest_tail_dropped) ++torn_manifests_;
      return std::move(opened).value();
    }
    EXPECT_TRUE(faults_.is_cut()) << opened.error().reason << ": " << opened.error().message;
    return nullptr;
  }

  void LookAround(const Store& store) {
    const uint64_t whole = WholeBatches(store.durable());
    // A cut may come while this looks; then reading goes on from what is in memory.
    EXPECT_EQ(store.position(), whole);
    EXPECT_GE(whole, acknowledged_) << "an acknowledged commit is lost";
    EXPECT_LE(whole, attempted_) << "a commit came out of nowhere";
    EXPECT_FALSE(store.facts().Doubtful(nullptr));
    acknowledged_ = whole;  // whoever saw it counts on it
    attempted_ = whole;
  }

  void Live() {
    const auto store = Open();
    if (!store) return;
    LookAround(*store);
    for (int step = 0; step < 60 && !::testing::Test::HasFailure(); ++step) {
      const uint64_t kind = random_() % 12;
      if (kind == 0) {
        static_cast<void>(store->Flush());  // may fail: the power is gone
      } else if (kind == 1) {
        static_cast<void>(store->CompactRange(Family::kContent, "", ""));
      } else if (kind == 2) {
        Batch local;
        local.Put(Family::kLocal, "k", Bytes(random_() % 2000, 'l'));
        static_cast<void>(store->CommitLocal(local));
      } else {
        const uint64_t position = store->position() + 1;
        attempted_ = position;
        if (!store->Commit(BatchAt(position, random_() % 2000), position).ok()) return;
        acknowledged_ = position;
      }
    }
  }

  TempFolder folder_{Parent()};
  testing::FaultFileSystem faults_{folder_ / "shadow"};
  std::mt19937_64 random_;
  uint64_t acknowledged_ = 0;
  uint64_t attempted_ = 0;
  uint64_t torn_logs_ = 0;
  uint64_t torn_manifests_ = 0;
};

// In parts, so that they run beside each other: RocksDB waits a second after each failure in its
// background.
constexpr uint64_t kParts = 10;

class StorePowerCutRuns : public ::testing::TestWithParam<uint64_t> {};

TEST_P(StorePowerCutRuns, LoseNothingAcknowledgedAndLeaveNothingHalfDone) {
  const uint64_t runs = (Runs() + kParts - 1) / kParts;
  const uint64_t first_seed =
      Wanted("SCHAKEL_POWERCUT_SEED", std::random_device{}()) + GetParam() * runs;
  uint64_t commits = 0;
  uint64_t torn_logs = 0;
  uint64_t torn_manifests = 0;
  for (uint64_t seed = first_seed; seed < first_seed + runs; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    PowerCut cut(seed);
    cut.Run();
    ASSERT_FALSE(::testing::Test::HasFailure());
    commits += cut.acknowledged();
    torn_logs += cut.torn_logs();
    torn_manifests += cut.torn_manifests();
  }
  RecordProperty("acknowledged_commits", std::to_string(commits));
  RecordProperty("torn_logs", std::to_string(torn_logs));
  RecordProperty("torn_manifests", std::to_string(torn_manifests));
  // Of a few that need not be so.
  if (runs >= 20) {
    EXPECT_GT(commits, 3 * runs) << "the cuts come too early to show anything";
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, StorePowerCutRuns, ::testing::Range(uint64_t{0}, kParts));

TEST(StorePowerCut, KeepsACommitThatReturnedAndNeverHalfOfOneThatDidNot) {
  // A cut at each single operation of one commit, one after the other.
  bool finished = false;
  for (uint64_t at = 1; !finished; ++at) {
    for (uint64_t seed = 0; seed < 8; ++seed) {
      SCOPED_TRACE("cut at operation " + std::to_string(at) + ", seed " + std::to_string(seed));
      const TempFolder folder(Parent());
      testing::FaultFileSystem faults(folder / "shadow");
      StoreOptions options = SmallOptions(folder / "data");
      options.file_system = faults.handle();
      bool second = false;
      {
        const auto store = MustOpen(options);
        ASSERT_TRUE(store->Commit(BatchAt(1), 1).ok());
        faults.CutAfter(at);
        second = store->Commit(BatchAt(2, 3000), 2).ok();
        finished = second && !faults.is_cut();
        faults.Cut();
      }
      faults.PowerOn(seed);
      const uint64_t whole = WholeBatches(MustOpen(options)->durable());
      EXPECT_GE(whole, second ? 2u : 1u);
      EXPECT_LE(whole, 2u);
    }
  }
}

TEST(FaultFileSystem, DropsWhatWasNotSynced) {
  // The tool itself: what nobody synced does get lost, or the tests above show nothing.
  int lost = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const TempFolder folder(Parent());
    testing::FaultFileSystem faults(folder / "shadow");
    StoreOptions options = SmallOptions(folder / "data");
    options.file_system = faults.handle();
    Batch local;
    local.Put(Family::kLocal, "k", Bytes(5000, 'l'));
    {
      const auto store = MustOpen(options);
      ASSERT_TRUE(store->CommitLocal(local).ok());
      faults.Cut();
    }
    faults.PowerOn(seed);
    const auto value = MustOpen(options)->durable().Get(Family::kLocal, "k");
    ASSERT_TRUE(value.ok());
    if (!value->has_value()) ++lost;
  }
  EXPECT_GT(lost, 10);
}

}  // namespace
}  // namespace schakel::store
