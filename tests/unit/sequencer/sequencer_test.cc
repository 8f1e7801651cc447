#include "broker/sequencer/sequencer.h"

#include <gtest/gtest.h>

#include <future>

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

struct Running {
  explicit Running(MachineFixture& from) : fixture(from), clock(from.now()) {}
  Status Start(store::StorageGuard* storage = nullptr) {
    SequencerOptions options;
    options.clock = &clock;
    options.listener = &listener;
    options.storage = storage;
    SCHAKEL_ASSIGN(sequencer, Sequencer::Start(&fixture.state(), options));
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
  auto command = fixture.Withdrawal(testing::sample::kCorporation,
                                    fixture.random().Make<StatementId>());
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
