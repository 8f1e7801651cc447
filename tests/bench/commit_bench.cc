#include "tests/bench/commit_bench.h"

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <iomanip>
#include <mutex>

#include "broker/base/limits.h"
#include "broker/sequencer/sequencer.h"
#include "tests/bench/fixture_store.h"
#include "tests/support/machine_fixture.h"
#include "tests/support/temp_dir.h"

namespace schakel::bench {

namespace {

using testing::MachineFixture;
using Envelopes = std::vector<std::shared_ptr<const machine::ParsedEnvelope>>;

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The clock of a fixture, whose time stands still.
class StandingClock final : public Clock {
 public:
  explicit StandingClock(Micros wall) : wall_(wall) {}
  Micros Wall() const override { return wall_; }
  Micros Steady() const override { return wall_; }

 private:
  const Micros wall_;
};

// Keeps `in_flight` commands under way until all are answered.
class Load {
 public:
  using Make = std::function<machine::Request(size_t)>;
  Load(sequencer::Sequencer& sequencer, machine::Caller caller, size_t commands, Make make)
      : sequencer_(sequencer), caller_(std::move(caller)), commands_(commands), make_(make) {}

  bool Run(size_t in_flight) {
    for (size_t i = 0; i < in_flight; ++i) Next();
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return answered_ == commands_; });
    return good_;
  }

 private:
  void Next() {
    size_t i = next_++;
    if (i >= commands_) return;
    sequencer_.Submit(make_(i), caller_, [this](const Result<machine::Outcome>& outcome) {
      if (!outcome.ok() || outcome->refused) good_ = false;
      Next();
      if (++answered_ < commands_) return;
      const std::lock_guard lock(mutex_);
      ended_.notify_one();
    });
  }

  sequencer::Sequencer& sequencer_;
  const machine::Caller caller_;
  const size_t commands_;
  const Make make_;
  std::atomic<size_t> next_ = 0;
  std::atomic<size_t> answered_ = 0;
  std::atomic<bool> good_ = true;
  std::mutex mutex_;
  std::condition_variable ended_;
};

// Leases all that waits, so many in a command.
std::vector<DeliveryId> TakeAll(sequencer::Sequencer& sequencer, const machine::Caller& caller) {
  std::vector<DeliveryId> taken;
  while (true) {
    machine::Deliver deliver;
    deliver.items_max = limits::kPullWindowMax;
    deliver.bytes_max = limits::kInboxBytesPerStreamMax;
    deliver.lease = limits::kLeaseMax;
    auto outcome = sequencer.Call(deliver, caller);
    if (!outcome.ok() || outcome->refused) return taken;
    const auto& leased = std::get<machine::Leased>(outcome->answer);
    for (const auto& item : leased.items) taken.push_back(item.delivery_id);
    if (leased.items.empty()) return taken;
  }
}

// Runs it, and prints what it took for one signal.
bool Row(std::ostream& out, const sequencer::Sequencer& sequencer, const std::string& what,
         size_t signals, const std::function<bool()>& run) {
  const auto before = sequencer.stats();
  const double processor = ProcessorSeconds();
  const auto began = std::chrono::steady_clock::now();
  const bool good = run();
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  const double used = ProcessorSeconds() - processor;
  const auto after = sequencer.stats();
  const auto count = static_cast<double>(signals);
  out << std::fixed << std::setprecision(0) << "| " << what << " | " << count / wall.count()
      << "/s, " << std::setprecision(1) << used / count * 1e6 << " us of processor | "
      << static_cast<double>(after.commands - before.commands) /
             static_cast<double>(std::max<uint64_t>(1, after.batches - before.batches))
      << " in a batch" << (good ? "" : ", NOT ALL ACCEPTED") << " |\n";
  return good;
}

}  // namespace

bool RunCommitBench(const CommitOptions& options, std::ostream& out) {
  MachineFixture fixture;
  Envelopes envelopes;
  envelopes.reserve(options.signals);
  for (size_t i = 0; i < options.signals; ++i) {
    auto spec =
        options.linked ? fixture.Violence(testing::Linked(std::to_string(i))) : fixture.Arrears();
    spec.sections.resize(1);
    // Ids rise with time, as UUIDv7 do.
    spec.signal_id = SignalId::From(ByteWriter().U64(i).Raw(fixture.random().Take(8)).Take());
    envelopes.push_back(fixture.Parsed(spec));
  }
  const testing::TempDir folder;
  auto store = NewStoreOf(fixture, folder.path() / "store");
  if (!store.ok()) {
    out << store.error().message << '\n';
    return false;
  }
  const StandingClock clock(fixture.now());
  sequencer::SequencerOptions sequencer_options;
  sequencer_options.clock = &clock;
  auto sequencer = sequencer::Sequencer::Start(store->get(), sequencer_options);
  if (!sequencer.ok()) {
    out << sequencer.error().message << '\n';
    return false;
  }
  auto& of = **sequencer;
  const std::string how =
      ", " + std::to_string(options.in_flight) + " in flight" + (options.linked ? ", linked" : "");
  const auto publisher =
      fixture.CallerOf(options.linked ? testing::sample::kPolice : testing::sample::kCorporation);
  const auto reader =
      fixture.CallerOf(options.linked ? testing::sample::kCentre : testing::sample::kDebtRelief);
  std::vector<DeliveryId> taken;
  const bool good =
      Row(out, of, "publish behind the signature" + how, options.signals,
          [&] {
            return Load(of, publisher, envelopes.size(),
                        [&](size_t i) { return machine::PublishEnvelope{envelopes[i]}; })
                .Run(options.in_flight);
          }) &&
      Row(out, of, "deliver, 256 in a command", options.signals,
          [&] {
            taken = TakeAll(of, reader);
            return taken.size() == options.signals;
          }) &&
      Row(out, of, "acknowledge" + how, options.signals, [&] {
        return Load(of, reader, taken.size(),
                    [&](size_t i) { return machine::Acknowledge{taken[i]}; })
            .Run(options.in_flight);
      });
  of.Stop();
  return good;
}

}  // namespace schakel::bench
