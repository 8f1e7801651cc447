#include "broker/sequencer/sequencer.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "broker/store/testing/memory_state.h"
#include "tests/support/machine_fixture.h"

namespace schakel::sequencer {
namespace {

using store::testing::MemoryState;
using testing::MachineFixture;

// A clock that goes on from where the fixture's time stands.
class FixtureClock final : public Clock {
 public:
  explicit FixtureClock(Micros start) : start_(start), began_(real_.Steady()) {}
  Micros Wall() const override { return start_ + real_.Steady() - began_; }
  Micros Steady() const override { return real_.Steady(); }

 private:
  SystemClock real_;
  Micros start_;
  Micros began_;
};

class Recorder final : public Listener {
 public:
  void OnDurable(const DurableEffects& effects) override { last = effects.position; }
  void OnFailed(const Error& error) override { failed.set_value(error.reason); }
  std::atomic<uint64_t> last = 0;
  std::promise<std::string> failed;
};

// A store whose next commits wait until the test lets them go.
class GatedStore final : public store::StateStore {
 public:
  explicit GatedStore(MemoryState& state) : state_(state) {}

  Status Commit(const store::Batch& batch, uint64_t position) override {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return arrived_ <= allowed_; });
    lock.unlock();
    return state_.Commit(batch, position);
  }
  Status CommitLocal(const store::Batch& batch) override { return state_.CommitLocal(batch); }
  const store::StateReader& durable() const override { return state_.durable(); }
  std::unique_ptr<store::Snapshot> TakeSnapshot() const override { return state_.TakeSnapshot(); }
  uint64_t position() const override { return state_.position(); }
  std::optional<Error> failure() const override { return state_.failure(); }

  void WaitForCommit(size_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_ >= number; });
  }
  void Allow(size_t commits) {
    const std::lock_guard lock(mutex_);
    allowed_ = commits;
    changed_.notify_all();
  }
  size_t arrived() {
    const std::lock_guard lock(mutex_);
    return arrived_;
  }

 private:
  MemoryState& state_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t arrived_ = 0;
  size_t allowed_ = 0;
};

struct Running {
  explicit Running(MachineFixture& from) : fixture(from), clock(from.now()) {}
  Status Start(store::StorageGuard* storage = nullptr, store::StateStore* store = nullptr) {
    SequencerOptions options;
    options.clock = &clock;
    options.listener = &listener;
    options.storage = storage;
    if (store == nullptr) store = &fixture.state();
    SCHAKEL_ASSIGN(sequencer, Sequencer::Start(store, options));
    return {};
  }
  Result<machine::Outcome> Publish() {
    auto envelope = fixture.Parsed(fixture.Arrears());
    return sequencer->Call(machine::PublishEnvelope{envelope},
                           fixture.CallerOf(testing::sample::kCorporation));
  }
  MachineFixture& fixture;
  FixtureClock clock;
  Recorder listener;
  std::unique_ptr<Sequencer> sequencer;
};

TEST(Sequencer, AnswersOnlyWhatIsDurable) {
  MachineFixture fixture;
  Running broker(fixture);
  ASSERT_TRUE(broker.Start().ok());
  auto outcome = broker.Publish();
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  ASSERT_FALSE(outcome->refused);
  EXPECT_GE(fixture.state().position(), outcome->position);
  EXPECT_GE(broker.listener.last, outcome->position);
  EXPECT_EQ(broker.sequencer->durable_head().position, fixture.state().position());
}

TEST(Sequencer, OrdersCommandsOfManyThreadsOnce) {
  MachineFixture fixture;
  Running broker(fixture);
  std::vector<std::shared_ptr<const machine::ParsedEnvelope>> envelopes;
  for (int i = 0; i < 40; ++i) envelopes.push_back(fixture.Parsed(fixture.Arrears()));
  auto caller = fixture.CallerOf(testing::sample::kCorporation);
  ASSERT_TRUE(broker.Start().ok());
  std::vector<std::future<uint64_t>> positions;
  for (int t = 0; t < 4; ++t) {
    positions.push_back(std::async(std::launch::async, [&, t] {
      uint64_t accepted = 0;
      for (size_t i = 0; i < 10; ++i) {
        auto outcome = broker.sequencer->Call(
            machine::PublishEnvelope{envelopes[static_cast<size_t>(t) * 10 + i]}, caller);
        accepted += outcome.ok() && !outcome->refused;
      }
      return accepted;
    }));
  }
  uint64_t accepted = 0;
  for (auto& future : positions) accepted += future.get();
  EXPECT_EQ(accepted, 40u);
  EXPECT_LE(broker.sequencer->stats().batches, broker.sequencer->stats().commands);
}

// INVARIANT I1: a failed write stops every answer; what was answered before is there afterwards.
TEST(Sequencer, AFailedSyncStopsAllAnswersUntilARestart) {
  for (bool kept : {false, true}) {
    MachineFixture fixture;
    Running broker(fixture);
    ASSERT_TRUE(broker.Start().ok());
    auto before = broker.Publish();
    ASSERT_TRUE(before.ok());
    fixture.state().FailNextCommit(kept);
    auto failed = broker.Publish();
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().reason, "NOT_SERVING");
    broker.listener.failed.get_future().get();
    EXPECT_EQ(broker.Publish().error().reason, "NOT_SERVING");
    ASSERT_TRUE(broker.sequencer->failure());
    broker.sequencer->Stop();

    MemoryState restarted(fixture.state());
    auto machine = machine::Machine::Load(restarted.durable());
    ASSERT_TRUE(machine.ok()) << machine.error().message;
    EXPECT_GE((*machine)->meta().position(), before->position);
  }
}

// Enough publishes for a batch of their own, and for one that is applied ahead of its turn.
struct Burst {
  explicit Burst(Running& running, size_t count) : broker(running) {
    for (size_t i = 0; i < count; ++i) {
      envelopes.push_back(broker.fixture.Parsed(broker.fixture.Arrears()));
    }
  }
  void Submit(size_t first, size_t count) {
    auto caller = broker.fixture.CallerOf(testing::sample::kCorporation);
    for (size_t i = first; i < first + count; ++i) {
      broker.sequencer->Submit(machine::PublishEnvelope{envelopes[i]}, caller,
                               [this](const Result<machine::Outcome>& outcome) {
                                 const std::lock_guard lock(mutex);
                                 (outcome.ok() && !outcome->refused ? accepted : failed) += 1;
                                 changed.notify_all();
                               });
    }
  }
  void WaitForAnswers(size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return accepted + failed >= count; });
  }
  size_t answered() {
    const std::lock_guard lock(mutex);
    return accepted + failed;
  }

  Running& broker;
  std::vector<std::shared_ptr<const machine::ParsedEnvelope>> envelopes;
  std::mutex mutex;
  std::condition_variable changed;
  size_t accepted = 0;
  size_t failed = 0;
};

constexpr size_t kMany = 64;

// Brings it about that the first kMany of the burst are being written in one commit.
void HoldInWriting(GatedStore& store, Burst& burst) {
  // A lone command first: while it is written the rest can gather.
  burst.Submit(0, 1);
  store.WaitForCommit(1);
  burst.Submit(1, kMany - 1);
  store.Allow(1);
  store.WaitForCommit(2);
}

TEST(Sequencer, AppliesTheNextBatchWhileOneIsWrittenAndWritesItOnlyAfterIt) {
  MachineFixture fixture;
  GatedStore store(fixture.state());
  Running broker(fixture);
  Burst burst(broker, 3 * kMany);
  ASSERT_TRUE(broker.Start(nullptr, &store).ok());
  const uint64_t before = fixture.state().position();
  HoldInWriting(store, burst);
  burst.WaitForAnswers(1);
  burst.Submit(kMany, 2 * kMany);
  // Everything that waits is taken off the queue while the first commit is under way.
  while (broker.sequencer->stats().queued > 0) std::this_thread::yield();
  EXPECT_EQ(store.arrived(), 2u);
  EXPECT_EQ(burst.answered(), 1u) << "nothing is answered before it is durable";
  EXPECT_EQ(broker.sequencer->durable_head().position, before + 1);
  store.Allow(SIZE_MAX);
  burst.WaitForAnswers(3 * kMany);
  EXPECT_EQ(burst.accepted, 3 * kMany);
  EXPECT_EQ(fixture.state().position(), before + 3 * kMany);
  EXPECT_EQ(broker.sequencer->durable_head().position, fixture.state().position());
}

// INVARIANT I1: what stands on a batch that was not written falls with it.
TEST(Sequencer, AFailedWriteTakesWhatWasAppliedOnTopOfItAlong) {
  MachineFixture fixture;
  GatedStore store(fixture.state());
  Running broker(fixture);
  Burst burst(broker, 2 * kMany);
  ASSERT_TRUE(broker.Start(nullptr, &store).ok());
  const uint64_t before = fixture.state().position();
  HoldInWriting(store, burst);
  burst.WaitForAnswers(1);
  burst.Submit(kMany, kMany);
  while (broker.sequencer->stats().queued > 0) std::this_thread::yield();
  fixture.state().FailNextCommit(false);
  store.Allow(SIZE_MAX);
  burst.WaitForAnswers(2 * kMany);
  EXPECT_EQ(burst.accepted, 1u) << "what was durable before";
  EXPECT_EQ(burst.failed, 2 * kMany - 1) << "each exactly once";
  EXPECT_EQ(store.arrived(), 2u) << "nothing is written behind a failure";
  EXPECT_EQ(fixture.state().position(), before + 1);
  EXPECT_EQ(broker.Publish().error().reason, "NOT_SERVING");
}

// What is applied ahead sees what it stands on: the same envelope again is the same signal.
TEST(Sequencer, WhatIsAppliedAheadSeesWhatIsBeingWritten) {
  MachineFixture fixture;
  GatedStore store(fixture.state());
  Running broker(fixture);
  Burst burst(broker, kMany);
  ASSERT_TRUE(broker.Start(nullptr, &store).ok());
  const uint64_t records = broker.sequencer->durable_head().size;
  HoldInWriting(store, burst);
  burst.Submit(0, kMany);
  while (broker.sequencer->stats().queued > 0) std::this_thread::yield();
  EXPECT_EQ(store.arrived(), 2u);
  store.Allow(SIZE_MAX);
  burst.WaitForAnswers(2 * kMany);
  EXPECT_EQ(burst.accepted, 2 * kMany) << "a retry gets the first answer";
  EXPECT_EQ(broker.sequencer->durable_head().size, records + kMany) << "and leaves no record";
}

TEST(Sequencer, LowStorageRefusesPublishesAndTakesWithdrawals) {
  MachineFixture fixture;
  Running broker(fixture);
  store::StorageGuard storage([] { return Result<uint64_t>(uint64_t{900} << 20); },
                              uint64_t{1} << 30, nullptr);
  ASSERT_TRUE(storage.Refresh().ok());
  ASSERT_TRUE(broker.Start(&storage).ok());
  auto refused = broker.Publish();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "STORAGE_LOW");
  EXPECT_GT(refused.error().retry_after_ms, 0);
  auto command =
      fixture.Withdrawal(testing::sample::kCorporation, fixture.random().Make<StatementId>());
  auto withdrawal =
      broker.sequencer->Call(command, fixture.CallerOf(testing::sample::kCorporation));
  ASSERT_TRUE(withdrawal.ok()) << "it reaches the machine";
  EXPECT_EQ(withdrawal->refused->reason, "NOT_FOUND");
}

TEST(Sequencer, TakesNothingAfterStop) {
  MachineFixture fixture;
  Running broker(fixture);
  ASSERT_TRUE(broker.Start().ok());
  broker.sequencer->Stop();
  EXPECT_EQ(broker.Publish().error().reason, "NOT_SERVING");
}

}  // namespace
}  // namespace schakel::sequencer
