#include "tests/bench/commit_bench.h"

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <iomanip>
#include <mutex>

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

// Keeps `in_flight` publishes under way until all envelopes are published.
class Load {
 public:
  Load(sequencer::Sequencer& sequencer, const Envelopes& envelopes, machine::Caller caller)
      : sequencer_(sequencer), envelopes_(envelopes), caller_(std::move(caller)) {}

  bool Run(size_t in_flight) {
    for (size_t i = 0; i < in_flight; ++i) Next();
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return answered_ == envelopes_.size(); });
    return good_;
  }

 private:
  void Next() {
    size_t i = next_++;
    if (i >= envelopes_.size()) return;
    sequencer_.Submit(machine::PublishEnvelope{envelopes_[i]}, caller_,
                      [this](const Result<machine::Outcome>& outcome) {
                        if (!outcome.ok() || outcome->refused) good_ = false;
                        Next();
                        if (++answered_ < envelopes_.size()) return;
                        const std::lock_guard lock(mutex_);
                        ended_.notify_one();
                      });
  }

  sequencer::Sequencer& sequencer_;
  const Envelopes& envelopes_;
  const machine::Caller caller_;
  std::atomic<size_t> next_ = 0;
  std::atomic<size_t> answered_ = 0;
  std::atomic<bool> good_ = true;
  std::mutex mutex_;
  std::condition_variable ended_;
};

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
  Load load(
      **sequencer, envelopes,
      fixture.CallerOf(options.linked ? testing::sample::kPolice : testing::sample::kCorporation));
  const double processor = ProcessorSeconds();
  const auto began = std::chrono::steady_clock::now();
  const bool good = load.Run(options.in_flight);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began;
  const double used = ProcessorSeconds() - processor;
  const auto stats = (*sequencer)->stats();
  (*sequencer)->Stop();
  const auto signals = static_cast<double>(options.signals);
  out << std::fixed << std::setprecision(0) << "| publish behind the signature, "
      << options.in_flight << " in flight" << (options.linked ? ", linked" : "") << " | "
      << signals / wall.count() << "/s, " << std::setprecision(1) << used / signals * 1e6
      << " us of processor | "
      << static_cast<double>(stats.commands) /
             static_cast<double>(std::max<uint64_t>(1, stats.batches))
      << " in a batch" << (good ? "" : ", NOT ALL ACCEPTED") << " |\n";
  return good;
}

}  // namespace schakel::bench
