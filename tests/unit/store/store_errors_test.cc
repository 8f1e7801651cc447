// What goes wrong, and what the store makes of it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "broker/store/store.h"
#include "broker/store/testing/fault_file_system.h"
#include "broker/store/testing/raw_database.h"
#include "tests/unit/store/store_fixture.h"

namespace schakel::store {
namespace {

namespace fs = std::filesystem;
using State = HighWaterReading::State;

class StoreErrorsTest : public ::testing::Test {
 protected:
  fs::path data() const { return folder_ / "data"; }
  StoreOptions Options() const { return SmallOptions(data()); }
  StoreOptions FaultOptions() const {
    StoreOptions options = Options();
    options.file_system = faults_.handle();
    return options;
  }
  void Fill(uint64_t count) {
    const auto store = MustOpen(Options());
    for (uint64_t p = store->position() + 1; p <= count; ++p) {
      ASSERT_TRUE(store->Commit(BatchAt(p), p).ok());
    }
  }
  // The newest file of RocksDB's write-ahead log.
  fs::path LastLog() const {
    fs::path last;
    for (const auto& entry : fs::directory_iterator(data() / "db")) {
      if (entry.path().extension() == ".log" && entry.path() > last) last = entry.path();
    }
    return last;
  }
  const std::string self_ = fs::read_symlink("/proc/self/exe").string();
  TempFolder folder_;
  testing::FaultFileSystem faults_{folder_ / "shadow"};
};

// ---- Opening ----

TEST_F(StoreErrorsTest, RefusesAFolderWithoutAStoreUnlessAskedToMakeOne) {
  StoreOptions options = Options();
  options.create = false;
  EXPECT_EQ(Store::Open(options).error().reason, "STORE_MISSING");
  EXPECT_FALSE(fs::exists(data()));
  fs::create_directories(data() / "db");
  EXPECT_EQ(Store::Open(options).error().reason, "STORE_MISSING");
}

TEST_F(StoreErrorsTest, RefusesASecondOpener) {
  const auto store = MustOpen(Options());
  const auto second = Store::Open(Options());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().reason, "STORE_LOCKED");
  EXPECT_NE(second.error().message.find(data().string()), std::string::npos);
  StoreOptions read_only = Options();
  read_only.read_only = true;
  EXPECT_EQ(Store::Open(read_only).error().reason, "STORE_LOCKED");
  ASSERT_TRUE(store->Commit(BatchAt(1), 1).ok());
}

TEST_F(StoreErrorsTest, HoldsItsLockAgainstOtherProcesses) {
  const auto store = MustOpen(Options());
  const std::string lock = (data() / "lock").string();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {  // nothing but system calls: the other threads did not come along
    const int fd = ::open(lock.c_str(), O_RDWR);
    ::_exit(fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK ? 42 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42) << status;
}

TEST_F(StoreErrorsTest, RefusesAnUnknownFormatVersion) {
  Fill(1);
  for (uint32_t version : {0, 1, 4}) {
    ASSERT_TRUE(testing::WriteOwnKey(data(), "format", ByteWriter().U32(version).Take()).ok());
    EXPECT_EQ(Store::Open(Options()).error().reason, "STORE_FORMAT_UNKNOWN") << version;
  }
  ASSERT_TRUE(testing::WriteOwnKey(data(), "format", "").ok());
  EXPECT_EQ(Store::Open(Options()).error().reason, "STORE_FORMAT_UNKNOWN");
}

TEST_F(StoreErrorsTest, TurnsAStoreOfFormat2IntoThePresentOneUnlessItOnlyReads) {
  Fill(1);
  const Bytes older = ByteWriter().U32(2).Take();
  ASSERT_TRUE(testing::WriteOwnKey(data(), "format", older).ok());
  auto reading = Options();
  reading.read_only = true;
  EXPECT_TRUE(Store::Open(reading).ok());
  EXPECT_EQ(testing::ReadOwnKey(data(), "format").value(), older);
  EXPECT_TRUE(Store::Open(Options()).ok());
  EXPECT_EQ(testing::ReadOwnKey(data(), "format").value(), ByteWriter().U32(3).Take());
}

TEST_F(StoreErrorsTest, RefusesAnUnknownFamily) {
  Fill(1);
  ASSERT_TRUE(testing::AddFamily(data(), "later").ok());
  EXPECT_EQ(Store::Open(Options()).error().reason, "STORE_FORMAT_UNKNOWN");
}

TEST_F(StoreErrorsTest, RefusesAPositionThatIsNone) {
  Fill(1);
  ASSERT_TRUE(testing::WriteOwnKey(data(), "position", "short").ok());
  EXPECT_EQ(Store::Open(Options()).error().reason, "STORE_CORRUPT");
}

TEST_F(StoreErrorsTest, DoesNotTakeAStoreThatLostItsCurrentFileForANewOne) {
  Fill(3);
  fs::remove(data() / "db" / "CURRENT");
  EXPECT_EQ(Store::Open(Options()).error().reason, "STORE_CORRUPT");
  EXPECT_TRUE(fs::exists(LastLog()));
}

TEST_F(StoreErrorsTest, KeepsItsHandsOffWithoutWriteRights) {
  WriteAllTo(folder_ / "data", "a file, no folder");
  EXPECT_EQ(Store::Open(Options()).error().reason, "STORE_IO");
}

// ---- The high-water file and the log ----

TEST_F(StoreErrorsTest, KilledProcessLosesNothingItWasTold) {
  // This test starts itself as the process to be killed.
  constexpr char kFolderVariable[] = "SCHAKEL_TEST_KILLED_IN";
  if (const char* const folder = std::getenv(kFolderVariable); folder != nullptr) {
    const auto store = MustOpen(SmallOptions(folder));
    for (uint64_t p = 1; p <= 30; ++p) {
      if (!store->Commit(BatchAt(p), p).ok()) std::_Exit(1);
    }
    ::kill(::getpid(), SIGKILL);
  }
  const std::string variable = std::string(kFolderVariable) + "=" + data().string();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::execl("/usr/bin/env", "env", variable.c_str(), self_.c_str(),
            "--gtest_filter=StoreErrorsTest.KilledProcessLosesNothingItWasTold", nullptr);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  const auto store = MustOpen(Options());
  EXPECT_EQ(store->facts().position, 30u);
  EXPECT_EQ(store->facts().high_water, (HighWaterReading{State::kRead, 30}));
  EXPECT_EQ(WholeBatches(store->durable()), 30u);
}

TEST_F(StoreErrorsTest, StoreBelowItsHighWaterIsDoubtful) {
  Fill(5);
  fs::copy(data(), folder_ / "backup", fs::copy_options::recursive);
  Fill(9);
  fs::copy_file(data() / "high-water", folder_ / "backup" / "high-water",
                fs::copy_options::overwrite_existing);
  const auto store = MustOpen(SmallOptions(folder_ / "backup"));
  std::string why;
  EXPECT_TRUE(store->facts().Doubtful(&why));
  EXPECT_EQ(why, "the store ends at position 5, the high-water file says 9");
}

TEST_F(StoreErrorsTest, MissingOrDamagedHighWaterIsDoubtfulUntilTheNextCommit) {
  for (const bool missing : {true, false}) {
    Fill(5);
    if (missing) {
      fs::remove(data() / "high-water");
    } else {
      WriteAllTo(data() / "high-water", "0123456789abcdef");
    }
    for (int start = 0; start < 2; ++start) {  // a mere start heals nothing
      const auto store = MustOpen(Options());
      EXPECT_EQ(store->facts().high_water.state, missing ? State::kMissing : State::kDamaged);
      EXPECT_TRUE(store->facts().Doubtful(nullptr));
    }
    {
      const auto store = MustOpen(Options());
      const uint64_t next = store->position() + 1;
      ASSERT_TRUE(store->Commit(BatchAt(next), next).ok());
    }
    EXPECT_FALSE(MustOpen(Options())->facts().Doubtful(nullptr));
  }
}

TEST_F(StoreErrorsTest, LogCutInItsLastCommitGivesTheCommitsBeforeAndIsDoubtful) {
  Fill(10);
  const fs::path log = LastLog();
  fs::resize_file(log, fs::file_size(log) - 7);
  const auto store = MustOpen(Options());
  EXPECT_EQ(WholeBatches(store->durable()), 9u);
  EXPECT_EQ(store->facts().position, 9u);
  EXPECT_TRUE(store->facts().Doubtful(nullptr));
}

TEST_F(StoreErrorsTest, GarbageBehindTheLogIsDroppedAndNothingElse) {
  Fill(10);
  const fs::path log = LastLog();
  std::string content = ReadAll(log);
  for (int i = 0; i < 400; ++i) content.push_back(static_cast<char>(i * 7 + 13));
  WriteAllTo(log, content);
  {
    const auto store = MustOpen(Options());
    EXPECT_EQ(WholeBatches(store->durable()), 10u);
    EXPECT_FALSE(store->facts().Doubtful(nullptr));
    ASSERT_TRUE(store->Commit(BatchAt(11), 11).ok());
  }
  const auto store = MustOpen(Options());
  EXPECT_FALSE(store->facts().log_tail_dropped);
  EXPECT_EQ(WholeBatches(store->durable()), 11u);
}

TEST_F(StoreErrorsTest, FlippedBitInTheMiddleOfTheLogNeverGivesAWrongValue) {
  Fill(10);
  const fs::path log = LastLog();
  const std::string good = ReadAll(log);
  fs::copy(data(), folder_ / "good", fs::copy_options::recursive);
  for (size_t at = 0; at < good.size(); at += 97) {
    fs::remove_all(data());
    fs::copy(folder_ / "good", data(), fs::copy_options::recursive);
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    WriteAllTo(log, bad);
    const auto opened = Store::Open(Options());
    if (!opened.ok()) {
      EXPECT_EQ(opened.error().reason, "STORE_CORRUPT");
      continue;
    }
    const uint64_t whole = WholeBatches((*opened)->durable());
    EXPECT_EQ((*opened)->position(), whole);
    EXPECT_EQ((*opened)->facts().Doubtful(nullptr), whole < 10) << "byte " << at;
  }
}

// ---- Writes that fail ----

TEST_F(StoreErrorsTest, FailedSyncRefusesAllLaterCommitsAndReopeningHasEverythingAcknowledged) {
  uint64_t acknowledged = 0;
  {
    const auto store = MustOpen(FaultOptions());
    for (uint64_t p = 1; p <= 5; ++p) {
      ASSERT_TRUE(store->Commit(BatchAt(p), p).ok());
      acknowledged = p;
    }
    EXPECT_EQ(store->failure(), std::nullopt);
    faults_.FailSync(1);
    const Status failed = store->Commit(BatchAt(6), 6);
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().reason, "STORE_FAILED");
    EXPECT_EQ(store->failure()->reason, "STORE_FAILED");
    EXPECT_EQ(store->position(), 5u);
    for (int again = 0; again < 3; ++again) {  // the disk is well again, the store isn't
      EXPECT_EQ(store->Commit(BatchAt(6), 6).error().reason, "STORE_FAILED");
    }
    Batch local;
    local.Put(Family::kLocal, "k", "v");
    EXPECT_EQ(store->CommitLocal(local).error().reason, "STORE_FAILED");
    EXPECT_EQ(WholeBatches(store->durable()), 5u);
  }
  const auto store = MustOpen(FaultOptions());
  EXPECT_GE(WholeBatches(store->durable()), acknowledged);
  EXPECT_EQ(WholeBatches(store->durable()), store->position());
  EXPECT_FALSE(store->facts().Doubtful(nullptr));
  const uint64_t next = store->position() + 1;
  EXPECT_TRUE(store->Commit(BatchAt(next), next).ok());
}

TEST_F(StoreErrorsTest, FullDiskRefusesAllLaterCommits) {
  {
    const auto store = MustOpen(FaultOptions());
    ASSERT_TRUE(store->Commit(BatchAt(1), 1).ok());
    faults_.FailWrite(1);
    EXPECT_EQ(store->Commit(BatchAt(2), 2).error().reason, "STORE_FAILED");
    EXPECT_EQ(store->Commit(BatchAt(2), 2).error().reason, "STORE_FAILED");
  }
  const auto store = MustOpen(FaultOptions());
  EXPECT_EQ(WholeBatches(store->durable()), 1u);
}

TEST_F(StoreErrorsTest, FailureInTheBackgroundStopsCommitsToo) {
  const auto store = MustOpen(FaultOptions());
  ASSERT_TRUE(store->Commit(BatchAt(1), 1).ok());
  faults_.FailWrite(1);
  EXPECT_FALSE(store->Flush().ok());
  ASSERT_TRUE(store->failure().has_value());
  EXPECT_EQ(store->Commit(BatchAt(2), 2).error().reason, "STORE_FAILED");
}

TEST_F(StoreErrorsTest, PositionThatDoesNotRiseIsABrokenInvariant) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const auto store = MustOpen(Options());
  ASSERT_TRUE(store->Commit(BatchAt(1), 5).ok());
  ASSERT_DEATH(static_cast<void>(store->Commit(BatchAt(2), 5)), "I1");
  ASSERT_DEATH(static_cast<void>(store->CommitLocal(BatchAt(2))), "I1");
}

}  // namespace
}  // namespace schakel::store
