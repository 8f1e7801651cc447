#include "tests/bench/stream_bench.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <iomanip>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/crypto/envelope_format.h"
#include "broker/merkle/batch_tree.h"
#include "clients/sdk/sign_batch.h"
#include "schakel/v1/signal.grpc.pb.h"
#include "clients/cli/bench/histogram.h"
#include "tests/bench/processor_time.h"
#include "tests/e2e/region.h"
#include "tests/e2e/story.h"

namespace schakel::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBatch = 64;

// Batches that were sealed beforehand; each is signed when it is taken.
class Batches {
 public:
  Batches(sdk::Session& session, size_t count)
      : keys_(session.keys().value()->Current(sdk::Now()).value()),
        requests_(count),
        digests_(count) {
    std::vector<std::thread> sealers;
    for (size_t first = 0; first < kSealers; ++first) {
      sealers.emplace_back([this, first, composer = session.NewComposer().value()] {
        // One section of 1 KiB, one recipient, one subject.
        auto draft = e2e::Arrears();
        draft.sections.resize(1);
        for (size_t i = first; i < requests_.size(); i += kSealers) {
          for (int k = 0; k < kBatch; ++k) {
            const auto composed = composer->Compose(draft, keys_, sdk::Now()).value();
            requests_[i].mutable_batch()->add_envelopes()->ParseFromString(composed.envelope);
            digests_[i].push_back(composed.envelope_digest);
          }
        }
      });
    }
    for (auto& sealer : sealers) sealer.join();
  }
  // One that was not taken before; null when all were.
  const v1::PublishStreamRequest* Take() {
    const size_t i = next_++;
    if (i >= requests_.size()) return nullptr;
    std::vector<v1::Envelope*> envelopes;
    for (auto& envelope : *requests_[i].mutable_batch()->mutable_envelopes()) {
      envelopes.push_back(&envelope);
    }
    sdk::SignTogether(envelopes, digests_[i], *keys_.signing);
    return &requests_[i];
  }

 private:
  static constexpr size_t kSealers = 2;
  const sdk::OwnKeySet keys_;
  std::vector<v1::PublishStreamRequest> requests_;
  std::vector<std::vector<Digest>> digests_;
  std::atomic<size_t> next_ = 0;
};

// One stream: a thread writes as far as the window lets it, another reads.
class Lane {
 public:
  Lane(std::shared_ptr<sdk::Connection> connection, Batches& batches)
      : connection_(std::move(connection)),
        batches_(batches),
        stub_(v1::SignalService::NewStub(connection_->channel())) {}

  // Until `end`; what was sent until then is answered on return. Counts answers from `count_from`.
  void Run(Clock::time_point count_from, Clock::time_point end) {
    grpc::ClientContext context;
    connection_->AddMetadata(context);
    const auto stream = stub_->PublishStream(&context);
    v1::PublishStreamRequest open;
    open.mutable_open();
    stream->Write(open);
    std::thread reader([&] { Read(*stream, count_from, end); });
    while (Clock::now() < end) {
      {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [&] { return ended_ || sent_.size() * kBatch + kBatch <= window_; });
        if (ended_) break;
        sent_.push_back(Clock::now());
      }
      const auto* batch = batches_.Take();
      if (batch == nullptr || !stream->Write(*batch)) {
        good_ = false;
        break;
      }
    }
    stream->WritesDone();
    reader.join();
    good_ = stream->Finish().ok() && good_;
  }

  bool good() const { return good_; }
  uint64_t counted() const { return counted_; }
  uint64_t all() const { return all_; }
  Latencies& latencies() { return latencies_; }

 private:
  void Read(grpc::ClientReaderWriter<v1::PublishStreamRequest, v1::PublishStreamResponse>& stream,
            Clock::time_point count_from, Clock::time_point end) {
    v1::PublishStreamResponse response;
    uint64_t batches = 0;
    while (stream.Read(&response)) {
      if (response.has_opened()) {
        const std::lock_guard lock(mutex_);
        window_ = response.opened().window();
        room_.notify_one();
      }
      if (!response.has_answer()) continue;
      for (const auto& result : response.answer().results()) {
        if (!result.has_accepted()) good_ = false;
      }
      const auto now = Clock::now();
      const auto signals = static_cast<uint64_t>(response.answer().results_size());
      all_ += signals;
      const std::lock_guard lock(mutex_);
      for (; batches < response.answer().batches(); ++batches) {
        if (now >= count_from && now < end) latencies_.Add(now - sent_.front());
        sent_.pop_front();
      }
      if (now >= count_from && now < end) counted_ += signals;
      room_.notify_one();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    room_.notify_one();
  }

  const std::shared_ptr<sdk::Connection> connection_;
  Batches& batches_;
  const std::unique_ptr<v1::SignalService::Stub> stub_;
  std::mutex mutex_;  // guards sent_, window_, ended_
  std::condition_variable room_;
  std::deque<Clock::time_point> sent_;  // of unanswered batches
  size_t window_ = 0;                   // as the broker says
  bool ended_ = false;
  std::atomic<bool> good_ = true;
  uint64_t counted_ = 0;
  uint64_t all_ = 0;
  Latencies latencies_;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int RunStreamBench(const StreamOptions& options, std::ostream& out) {
  e2e::Region region({.as_deployed = true});
  auto session = region.NewSession("corporation", "bench");
  const auto connection = session->connection().value();
  constexpr double kMostPerSecond = 60'000;
  constexpr auto kWarmUp = std::chrono::milliseconds(300);
  const auto counted = std::chrono::milliseconds(static_cast<int>(options.seconds * 1000));
  std::vector<double> rates, p50, p99, client, broker;
  for (int round = 0; round < options.rounds; ++round) {
    Batches batches(*session,
                    static_cast<size_t>(kMostPerSecond * (options.seconds + 0.5)) / kBatch + 64);
    std::vector<std::unique_ptr<Lane>> lanes;
    for (int i = 0; i < options.streams; ++i) {
      lanes.push_back(
          std::make_unique<Lane>(sdk::Connection::Open(connection->options()).value(), batches));
    }
    const double own_before = OwnProcessorSeconds();
    const double broker_before = ProcessorSecondsOf(region.broker().pid());
    const auto count_from = Clock::now() + kWarmUp;
    std::vector<std::thread> threads;
    for (auto& lane : lanes) {
      threads.emplace_back([&] { lane->Run(count_from, count_from + counted); });
    }
    for (auto& thread : threads) thread.join();
    uint64_t all = 0;
    uint64_t signals = 0;
    Latencies latencies;
    for (auto& lane : lanes) {
      if (!lane->good()) {
        std::cerr << "stream: not accepted, or too few were sealed\n";
        return 1;
      }
      all += lane->all();
      signals += lane->counted();
      latencies.Append(lane->latencies());
    }
    rates.push_back(static_cast<double>(signals) / options.seconds);
    p50.push_back(latencies.Micros(0.50));
    p99.push_back(latencies.Micros(0.99));
    client.push_back((OwnProcessorSeconds() - own_before) * 1e6 / static_cast<double>(all));
    broker.push_back((ProcessorSecondsOf(region.broker().pid()) - broker_before) * 1e6 /
                     static_cast<double>(all));
  }
  out << "\n| streams | signals/s | p50 us of a batch | p99 us | client's us a signal | broker's "
         "|\n"
         "|---|---|---|---|---|---|\n"
      << std::fixed << std::setprecision(0) << "| " << options.streams << " | " << Median(rates)
      << " | " << Median(p50) << " | " << Median(p99) << " | " << std::setprecision(1)
      << Median(client) << " | " << Median(broker) << " |" << std::endl;
  return 0;
}

}  // namespace schakel::bench
