#include "tests/bench/growth.h"

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <future>
#include <mutex>
#include <vector>

#include "broker/base/limits.h"
#include "broker/sequencer/sequencer.h"
#include "clients/cli/bench/histogram.h"
#include "tests/bench/fixture_store.h"
#include "tests/bench/processor_time.h"
#include "tests/support/machine_fixture.h"

namespace schakel::bench {

namespace {

using testing::MachineFixture;
using Time = std::chrono::steady_clock;
using Envelopes = std::vector<std::shared_ptr<const machine::ParsedEnvelope>>;

// LIMIT: envelopes in memory: so many that are published, and the next ones.
constexpr size_t kChunk = 4096;

double Seconds(Time::duration duration) { return std::chrono::duration<double>(duration).count(); }

// A fixture's time, which goes on as the real one does.
class RunningClock final : public Clock {
 public:
  explicit RunningClock(Micros wall) : wall_(wall), begin_(Time::now()) {}
  Micros Wall() const override { return wall_ + Steady(); }
  Micros Steady() const override {
    return std::chrono::duration_cast<Micros>(Time::now() - begin_);
  }

 private:
  const Micros wall_;
  const Time::time_point begin_;
};

// A value of /proc/self/status, such as VmRSS.
uint64_t MemoryBytes(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1)) * 1024;
  }
  return 0;
}

uint64_t DiskBytes(const std::filesystem::path& folder) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    struct stat facts {};
    // A file that a compaction removes meanwhile takes no room.
    if (::lstat(entry.path().c_str(), &facts) == 0) {
      bytes += static_cast<uint64_t>(facts.st_blocks) * 512;
    }
  }
  return bytes;
}

// Counts down the answers that are still to come, and keeps the first thing that went wrong.
class Open {
 public:
  void Add() {
    const std::lock_guard lock(mutex_);
    ++open_;
  }
  void End(const std::string& error) {
    const std::lock_guard lock(mutex_);
    if (error_.empty()) error_ = error;
    if (--open_ == 0) none_.notify_all();
  }
  // Empty, or the error.
  std::string Wait() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [&] { return open_ == 0; });
    return error_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  size_t open_ = 0;
  std::string error_;
};

std::string ErrorOf(const Result<machine::Outcome>& outcome) {
  if (!outcome.ok()) return outcome.error().reason + ": " + outcome.error().message;
  return outcome->refused ? outcome->refused->reason + ": " + outcome->refused->message : "";
}

// Publishes a chunk with so many under way.
class Publishing {
 public:
  Publishing(sequencer::Sequencer& sequencer, const Envelopes& envelopes, machine::Caller caller,
             Latencies& latencies)
      : sequencer_(sequencer),
        envelopes_(envelopes),
        caller_(std::move(caller)),
        latencies_(latencies) {}

  std::string Run(size_t in_flight) {
    for (size_t i = 0; i < in_flight; ++i) {
      open_.Add();
      Next();
    }
    return open_.Wait();
  }

 private:
  void Next() {
    const size_t i = next_++;
    if (i >= envelopes_.size()) return open_.End("");
    const auto began = Time::now();
    sequencer_.Submit(machine::PublishEnvelope{envelopes_[i]}, caller_,
                      [this, began](const Result<machine::Outcome>& outcome) {
                        {
                          const std::lock_guard lock(mutex_);
                          latencies_.Add(Time::now() - began);
                        }
                        const auto error = ErrorOf(outcome);
                        if (!error.empty()) return open_.End("publish: " + error);
                        Next();
                      });
  }

  sequencer::Sequencer& sequencer_;
  const Envelopes& envelopes_;
  const machine::Caller caller_;
  std::mutex mutex_;  // guards latencies_
  Latencies& latencies_;
  std::atomic<size_t> next_ = 0;
  Open open_;
};

// Takes `count` items of the recipient's inbox, some deliveries under way at a time, and
// acknowledges each item.
class Settling {
 public:
  Settling(sequencer::Sequencer& sequencer, machine::Caller recipient, size_t count)
      : sequencer_(sequencer),
        recipient_(std::move(recipient)),
        count_(count),
        deliveries_((count + limits::kDeliverPerCommandMax - 1) / limits::kDeliverPerCommandMax) {}

  std::string Run() {
    for (size_t i = 0; i < kDeliveries; ++i) {
      open_.Add();
      Next();
    }
    const auto error = open_.Wait();
    if (!error.empty()) return error;
    return taken_ == count_ ? "" : "the inbox held another number than was published";
  }

 private:
  static constexpr size_t kDeliveries = 4;  // as so many streams of a recipient have

  void Next() {
    if (asked_++ >= deliveries_) return open_.End("");
    sequencer_.Submit(machine::Deliver{static_cast<uint32_t>(limits::kDeliverPerCommandMax),
                                       limits::kInboxBytesPerStreamMax,
                                       limits::kLeaseDefaultPull,
                                       {}},
                      recipient_, [this](const Result<machine::Outcome>& outcome) {
                        const auto error = ErrorOf(outcome);
                        if (!error.empty()) return open_.End("deliver: " + error);
                        for (const auto& item : std::get<machine::Leased>(outcome->answer).items) {
                          ++taken_;
                          open_.Add();
                          sequencer_.Submit(
                              machine::Acknowledge{item.delivery_id}, recipient_,
                              [this](const Result<machine::Outcome>& settled) {
                                const auto wrong = ErrorOf(settled);
                                open_.End(wrong.empty() ? "" : "acknowledge: " + wrong);
                              });
                        }
                        Next();
                      });
  }

  sequencer::Sequencer& sequencer_;
  const machine::Caller recipient_;
  const size_t count_;
  const size_t deliveries_;  // commands that take all of them
  std::atomic<size_t> asked_ = 0;
  std::atomic<size_t> taken_ = 0;
  Open open_;
};

class Growth {
 public:
  explicit Growth(const GrowthOptions& options)
      : options_(options), clock_(fixture_.now()), folder_(options.folder / "store") {}

  std::string Run(const std::function<void(GrowthStep)>& told) {
    auto store = NewStoreOf(fixture_, folder_);
    if (!store.ok()) return store.error().message;
    store_ = std::move(*store);
    if (auto error = Start(); !error.empty()) return error;
    records_before_ = sequencer_->durable_head().size;
    for (uint64_t step = 1; step <= options_.steps; ++step) {
      const auto error = Step(options_.signals * step / options_.steps, told);
      if (!error.empty()) return error;
    }
    return {};
  }

 private:
  std::string Start() {
    sequencer::SequencerOptions options;
    options.clock = &clock_;
    auto sequencer = sequencer::Sequencer::Start(store_.get(), options);
    if (!sequencer.ok()) return sequencer.error().message;
    sequencer_ = std::move(*sequencer);
    return {};
  }

  // Ids rise with time, as UUIDv7 do.
  Envelopes Make(size_t count) {
    Envelopes made;
    made.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      auto spec = fixture_.Arrears();
      spec.sections.resize(1);
      spec.signal_id =
          SignalId::From(ByteWriter().U64(++made_).Raw(fixture_.random().Take(8)).Take());
      made.push_back(fixture_.Parsed(spec));
    }
    return made;
  }

  std::string Step(uint64_t until, const std::function<void(GrowthStep)>& told) {
    const auto sender = fixture_.CallerOf(testing::sample::kCorporation);
    const auto recipient = fixture_.CallerOf(testing::sample::kDebtRelief);
    const auto chunk_of = [&](uint64_t published) {
      return static_cast<size_t>(std::min<uint64_t>(kChunk, until - published));
    };
    const uint64_t before = signals_;
    Latencies latencies;
    Time::duration publishing{};
    Envelopes envelopes = Make(chunk_of(signals_));
    const double processor = OwnProcessorSeconds();
    const auto began = Time::now();
    while (signals_ < until) {
      const auto publish_began = Time::now();
      auto error = Publishing(*sequencer_, envelopes, sender, latencies).Run(options_.in_flight);
      publishing += Time::now() - publish_began;
      if (!error.empty()) return error;
      signals_ += envelopes.size();
      // Nobody waits for the next ones: they are made while these are delivered.
      auto next =
          std::async(std::launch::async, [&, count = chunk_of(signals_)] { return Make(count); });
      error = Settling(*sequencer_, recipient, envelopes.size()).Run();
      envelopes = next.get();
      if (!error.empty()) return error;
    }
    const auto whole = Time::now() - began;
    GrowthStep step;
    const auto added = static_cast<double>(signals_ - before);
    step.signals = signals_;
    step.records = sequencer_->durable_head().size - records_before_;
    step.publish_per_second = added / Seconds(publishing);
    step.whole_per_second = added / Seconds(whole);
    step.processor_us = (OwnProcessorSeconds() - processor) * 1e6 / added;
    step.publish_p50_us = latencies.Micros(0.50);
    step.publish_p99_us = latencies.Micros(0.99);
    step.rss_bytes = MemoryBytes("VmRSS");
    step.rss_peak_bytes = MemoryBytes("VmHWM");
    step.disk_bytes = DiskBytes(folder_);
    if (auto error = Restart(&step.start_seconds); !error.empty()) return error;
    told(step);
    return {};
  }

  std::string Restart(double* seconds) {
    sequencer_.reset();
    store_.reset();
    const auto began = Time::now();
    auto store = OpenStore(folder_);
    if (!store.ok()) return store.error().message;
    store_ = std::move(*store);
    if (auto error = Start(); !error.empty()) return error;
    *seconds = Seconds(Time::now() - began);
    return {};
  }

  const GrowthOptions options_;
  MachineFixture fixture_;
  const RunningClock clock_;
  const std::filesystem::path folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<sequencer::Sequencer> sequencer_;  // before the store
  uint64_t records_before_ = 0;
  uint64_t made_ = 0;
  uint64_t signals_ = 0;
};

}  // namespace

std::string RunGrowth(const GrowthOptions& options, const std::function<void(GrowthStep)>& told) {
  return Growth(options).Run(told);
}

}  // namespace schakel::bench
