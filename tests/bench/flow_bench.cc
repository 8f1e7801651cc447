#include "tests/bench/flow_bench.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "broker/base/limits.h"
#include "clients/cli/bench/histogram.h"
#include "clients/sdk/publisher.h"
#include "clients/sdk/pull_stream.h"
#include "tests/bench/processor_time.h"
#include "tests/e2e/region.h"
#include "tests/e2e/story.h"

namespace schakel::bench {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr double kMostPerSecond = 40'000;
constexpr auto kWarmUp = milliseconds(500);
constexpr auto kPatience = std::chrono::seconds(20);
constexpr int kThreadsPerReader = 2;  // one acknowledges while the other takes

// Signals that were sealed beforehand: one section of 1 KiB, one recipient, one subject.
std::vector<sdk::ComposedSignal> Sealed(sdk::Session& session, size_t count) {
  constexpr size_t kSealers = 2;
  std::vector<sdk::ComposedSignal> signals(count);
  const auto keys = session.keys().value()->Current(sdk::Now()).value();
  std::vector<std::thread> sealers;
  for (size_t first = 0; first < kSealers; ++first) {
    sealers.emplace_back([&, first, composer = session.NewComposer().value()] {
      auto draft = e2e::Arrears();
      draft.sections.resize(1);
      for (size_t i = first; i < count; i += kSealers) {
        signals[i] = composer->Compose(draft, keys, sdk::Now()).value();
      }
    });
  }
  for (auto& sealer : sealers) sealer.join();
  return signals;
}

struct Figures {
  double per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
  double client_us = 0;  // processor of one signal
  double broker_us = 0;
  bool good = true;
};

// One run over the signals in their order.
class Flow {
 public:
  Flow(e2e::Region& region, const FlowOptions& options, std::vector<sdk::ComposedSignal> signals)
      : region_(region), options_(options), signals_(std::move(signals)), due_(signals_.size()) {
    for (size_t i = 0; i < signals_.size(); ++i) places_.emplace(signals_[i].id.str(), i);
  }

  // `per_second` 0: as fast as in_flight lets it.
  Figures Run(double per_second) {
    auto session = region_.NewSession("corporation", "bench");
    auto publisher = sdk::Publisher::Open(session->connection().value(),
                                          session->keys().value()->Current(sdk::Now()).value())
                         .value();
    std::vector<std::unique_ptr<sdk::Session>> owners;
    std::vector<std::unique_ptr<sdk::PullStream>> streams;
    std::vector<std::thread> threads;
    for (int i = 0; i < options_.readers; ++i) {
      owners.push_back(region_.NewSession("debt-relief", "bench"));
      sdk::PullOptions with;
      with.window = limits::kPullWindowMax;
      streams.push_back(sdk::PullStream::Open(owners.back()->connection().value(), with));
      for (int k = 0; k < kThreadsPerReader; ++k) {
        threads.emplace_back([this, stream = streams.back().get()] { Take(*stream); });
      }
    }
    const double own_before = OwnProcessorSeconds();
    const double broker_before = ProcessorSecondsOf(region_.broker().pid());
    const auto start = Clock::now();
    count_from_ = start + kWarmUp;
    count_to_ = count_from_ + milliseconds(static_cast<int>(options_.seconds * 1000));
    Send(*publisher, start, per_second);
    Figures figures;
    figures.good = publisher->Flush(kPatience).ok() && AwaitAll();
    ended_ = true;
    for (auto& thread : threads) thread.join();
    figures.good = figures.good && !failed_;
    const auto all = static_cast<double>(sent_);
    figures.client_us = (OwnProcessorSeconds() - own_before) * 1e6 / all;
    figures.broker_us = (ProcessorSecondsOf(region_.broker().pid()) - broker_before) * 1e6 / all;
    figures.per_second = static_cast<double>(latencies_.size()) / options_.seconds;
    if (latencies_.size() == 0) return figures;
    figures.p50_us = latencies_.Micros(0.50);
    figures.p99_us = latencies_.Micros(0.99);
    return figures;
  }

 private:
  void Send(sdk::Publisher& publisher, Clock::time_point start, double per_second) {
    for (size_t i = 0; i < signals_.size(); ++i) {
      due_[i] = Clock::now();
      if (per_second > 0) {
        // Latency counts from when it was due, also when the sender was late.
        due_[i] = start + std::chrono::nanoseconds(
                              static_cast<int64_t>(static_cast<double>(i) * 1e9 / per_second));
        std::this_thread::sleep_until(due_[i]);
      }
      if (due_[i] >= count_to_ || failed_) return;
      {
        std::unique_lock lock(mutex_);
        const auto most = static_cast<size_t>(options_.in_flight);
        room_.wait(lock, [&] { return per_second > 0 || sent_ - acknowledged_ < most || failed_; });
        ++sent_;
      }
      const auto done = [this](const Result<v1::PublishResult>& result) {
        if (!result.ok() || !result->has_accepted()) Fail("not accepted");
      };
      if (!publisher.Send(signals_[i], done).ok()) return Fail("not sent");
    }
    Fail("too few were sealed");
  }

  void Take(sdk::PullStream& stream) {
    while (!ended_ && !failed_) {
      std::vector<DeliveryId> ids;
      std::vector<size_t> places;
      auto next = stream.Next(milliseconds(100));
      while (next.ok() && *next) {
        v1::Header header;
        if (!header.ParseFromString((*next)->signal().header())) return Fail("no header");
        const auto place = places_.find(header.signal_id());
        if (place == places_.end()) return Fail("another's signal");
        ids.push_back(*DeliveryId::From((*next)->delivery_id()));
        places.push_back(place->second);
        next = stream.Next(milliseconds(0));
      }
      if (!next.ok()) return Fail("the stream ended");
      if (ids.empty()) continue;
      const auto results = stream.AcknowledgeAll(ids);
      const auto now = Clock::now();
      for (const auto& result : results) {
        if (!result.ok()) return Fail("not acknowledged");
      }
      const std::lock_guard lock(mutex_);
      acknowledged_ += ids.size();
      if (now >= count_from_ && now < count_to_) {
        for (const size_t place : places) latencies_.Add(now - due_[place]);
      }
      room_.notify_all();
    }
  }

  // Whether each one that was sent came and was acknowledged.
  bool AwaitAll() {
    std::unique_lock lock(mutex_);
    return room_.wait_for(lock, kPatience, [&] { return acknowledged_ == sent_ || failed_; }) &&
           !failed_;
  }

  void Fail(const char* what) {
    const std::lock_guard lock(mutex_);
    if (!failed_.exchange(true)) std::cerr << "flow: " << what << '\n';
    room_.notify_all();
  }

  e2e::Region& region_;
  const FlowOptions options_;
  const std::vector<sdk::ComposedSignal> signals_;
  std::unordered_map<Bytes, size_t> places_;  // of a signal id in signals_
  std::vector<Clock::time_point> due_;        // written before the signal is sent
  Clock::time_point count_from_;
  Clock::time_point count_to_;
  std::atomic<bool> ended_ = false;
  std::atomic<bool> failed_ = false;

  std::mutex mutex_;  // guards what follows
  std::condition_variable room_;
  size_t sent_ = 0;
  size_t acknowledged_ = 0;
  Latencies latencies_;
};

double Median(std::vector<Figures>& of, double Figures::*figure) {
  std::sort(of.begin(), of.end(),
            [&](const auto& a, const auto& b) { return a.*figure < b.*figure; });
  return of[of.size() / 2].*figure;
}

}  // namespace

int RunFlowBench(const FlowOptions& options, std::ostream& out) {
  e2e::Region region({.as_deployed = true});
  auto session = region.NewSession("corporation", "bench");
  std::vector<Figures> full;
  std::vector<Figures> half;
  const double seconds = options.seconds + std::chrono::duration<double>(kWarmUp).count();
  for (int round = 0; round < options.rounds; ++round) {
    for (const bool whole : {true, false}) {
      const double rate = whole ? 0 : full.back().per_second / 2;
      const double most = whole ? kMostPerSecond : rate + 1000;
      Flow flow(region, options, Sealed(*session, static_cast<size_t>(most * seconds)));
      const auto figures = flow.Run(rate);
      if (!figures.good) {
        std::cerr << "flow: a signal was lost, or not in time\n";
        return 1;
      }
      (whole ? full : half).push_back(figures);
    }
  }
  out << "\n| in flight | readers | signals/s | p50 ms | p99 ms | client's us a signal | broker's "
         "| "
         "at half: signals/s | p50 ms | p99 ms |\n|---|---|---|---|---|---|---|---|---|---|\n"
      << std::fixed << std::setprecision(0) << "| " << options.in_flight << " | " << options.readers
      << " | " << Median(full, &Figures::per_second) << " | " << std::setprecision(1)
      << Median(full, &Figures::p50_us) / 1000 << " | " << Median(full, &Figures::p99_us) / 1000
      << " | " << Median(full, &Figures::client_us) << " | " << Median(full, &Figures::broker_us)
      << " | " << std::setprecision(0) << Median(half, &Figures::per_second) << " | "
      << std::setprecision(1) << Median(half, &Figures::p50_us) / 1000 << " | "
      << Median(half, &Figures::p99_us) / 1000 << " |" << std::endl;
  return 0;
}

}  // namespace schakel::bench
