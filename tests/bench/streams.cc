#include "tests/bench/streams.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>

#include "broker/base/limits.h"
#include "echo.grpc.pb.h"
#include "schakel/v1/signal.grpc.pb.h"

namespace schakel::bench {

namespace {

using Clock = std::chrono::steady_clock;

// Any stream of batches. One thread sends, another reads.
class BatchStream {
 public:
  struct Answer {
    bool good = true;
    uint64_t batches = 0;          // answered by this
    std::optional<size_t> window;  // signals that may be unanswered from now on
  };

  virtual ~BatchStream() = default;
  // One more batch; false when there is none or the stream is broken.
  virtual bool Send() = 0;
  // Nothing more will be sent.
  virtual void Done() = 0;
  // Waits for an answer; none at the stream's end.
  virtual std::optional<Answer> Read() = 0;
  // After the last Read: whether the stream ended well.
  virtual bool Finish() = 0;
};

class PublishStream final : public BatchStream {
 public:
  PublishStream(std::shared_ptr<sdk::Connection> connection, Batches& batches)
      : connection_(std::move(connection)),
        batches_(batches),
        stub_(v1::SignalService::NewStub(connection_->channel())) {
    connection_->AddMetadata(context_);
    stream_ = stub_->PublishStream(&context_);
    v1::PublishStreamRequest open;
    open.mutable_open();
    stream_->Write(open);
  }
  bool Send() override {
    const auto* batch = batches_.Take();
    if (batch == nullptr) return false;
    sent_bytes_ = batch->ByteSizeLong();
    return stream_->Write(*batch);
  }
  void Done() override { stream_->WritesDone(); }
  std::optional<Answer> Read() override {
    v1::PublishStreamResponse response;
    if (!stream_->Read(&response)) return std::nullopt;
    Answer answer;
    if (response.has_opened()) answer.window = response.opened().window();
    if (!response.has_answer()) return answer;
    answered_bytes_ += response.ByteSizeLong();
    for (const auto& result : response.answer().results()) {
      answer.good = answer.good && result.has_accepted();
    }
    answer.batches = response.answer().batches() - answered_;
    answered_ = response.answer().batches();
    return answer;
  }
  bool Finish() override { return stream_->Finish().ok(); }

  // Of the last batch, and of all answers.
  BatchBytes bytes() const { return {sent_bytes_, answered_bytes_}; }

 private:
  const std::shared_ptr<sdk::Connection> connection_;
  Batches& batches_;
  const std::unique_ptr<v1::SignalService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PublishStreamRequest, v1::PublishStreamResponse>>
      stream_;
  uint64_t answered_ = 0;
  size_t sent_bytes_ = 0;
  size_t answered_bytes_ = 0;
};

class EchoStream final : public BatchStream {
 public:
  EchoStream(std::shared_ptr<sdk::Connection> connection, size_t request_bytes)
      : connection_(std::move(connection)),
        stub_(benchecho::v1::EchoService::NewStub(connection_->channel())) {
    request_.set_payload(Bytes(request_bytes, 'x'));
    connection_->AddMetadata(context_);
    stream_ = stub_->Batches(&context_);
  }
  bool Send() override { return stream_->Write(request_); }
  void Done() override { stream_->WritesDone(); }
  std::optional<Answer> Read() override {
    benchecho::v1::EchoResponse response;
    if (!stream_->Read(&response)) return std::nullopt;
    Answer answer;
    answer.batches = 1;
    return answer;
  }
  bool Finish() override { return stream_->Finish().ok(); }

 private:
  const std::shared_ptr<sdk::Connection> connection_;
  const std::unique_ptr<benchecho::v1::EchoService::Stub> stub_;
  benchecho::v1::EchoRequest request_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<benchecho::v1::EchoRequest, benchecho::v1::EchoResponse>>
      stream_;
};

// One stream under load: a thread writes as far as the window lets it, another reads.
class Lane {
 public:
  Lane(std::unique_ptr<BatchStream> stream, size_t window)
      : stream_(std::move(stream)), window_(window) {}

  // Until `end`; what was sent until then is answered on return. Counts answers from `count_from`.
  void Run(Clock::time_point count_from, Clock::time_point end) {
    std::thread reader([&] { Read(count_from, end); });
    while (Clock::now() < end) {
      {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [&] { return ended_ || sent_.size() * kBatch + kBatch <= window_; });
        if (ended_) break;
        sent_.push_back(Clock::now());
      }
      if (!stream_->Send()) {
        good_ = false;
        break;
      }
    }
    stream_->Done();
    reader.join();
    good_ = stream_->Finish() && good_;
  }

  bool good() const { return good_; }
  uint64_t counted() const { return counted_; }
  uint64_t all() const { return all_; }
  const Latencies& latencies() const { return latencies_; }

 private:
  void Read(Clock::time_point count_from, Clock::time_point end) {
    while (const auto answer = stream_->Read()) {
      if (!answer->good) good_ = false;
      const auto now = Clock::now();
      const bool counts = now >= count_from && now < end;
      all_ += answer->batches * kBatch;
      if (counts) counted_ += answer->batches * kBatch;
      const std::lock_guard lock(mutex_);
      if (answer->window) window_ = *answer->window;
      for (uint64_t i = 0; i < answer->batches; ++i) {
        if (counts) latencies_.Add(now - sent_.front());
        sent_.pop_front();
      }
      room_.notify_one();
    }
    const std::lock_guard lock(mutex_);
    ended_ = true;
    room_.notify_one();
  }

  const std::unique_ptr<BatchStream> stream_;
  std::mutex mutex_;  // guards sent_, window_, ended_
  std::condition_variable room_;
  std::deque<Clock::time_point> sent_;  // of unanswered batches
  size_t window_;
  bool ended_ = false;
  std::atomic<bool> good_ = true;
  uint64_t counted_ = 0;
  uint64_t all_ = 0;
  Latencies latencies_;
};

StreamResult Run(const std::vector<std::unique_ptr<Lane>>& lanes, std::chrono::milliseconds warm_up,
                 std::chrono::milliseconds counted) {
  const auto count_from = Clock::now() + warm_up;
  std::vector<std::thread> threads;
  for (const auto& lane : lanes) {
    threads.emplace_back(
        [&lane, count_from, counted] { lane->Run(count_from, count_from + counted); });
  }
  for (auto& thread : threads) thread.join();
  StreamResult result;
  for (const auto& lane : lanes) {
    if (!lane->good()) result.error = "stream: not accepted, or too few were sealed";
    result.signals += lane->counted();
    result.with_warm_up += lane->all();
    result.latencies.Append(lane->latencies());
  }
  return result;
}

}  // namespace

StreamResult RunPublishStreams(const sdk::ConnectionOptions& to, Batches& batches, int streams,
                               std::chrono::milliseconds warm_up,
                               std::chrono::milliseconds counted) {
  std::vector<std::unique_ptr<Lane>> lanes;
  for (int i = 0; i < streams; ++i) {
    // The broker tells its window.
    lanes.push_back(std::make_unique<Lane>(
        std::make_unique<PublishStream>(sdk::Connection::Open(to).value(), batches), 0));
  }
  return Run(lanes, warm_up, counted);
}

StreamResult RunEchoStreams(const sdk::ConnectionOptions& to, size_t request_bytes, int streams,
                            std::chrono::milliseconds warm_up, std::chrono::milliseconds counted) {
  std::vector<std::unique_ptr<Lane>> lanes;
  for (int i = 0; i < streams; ++i) {
    lanes.push_back(std::make_unique<Lane>(
        std::make_unique<EchoStream>(sdk::Connection::Open(to).value(), request_bytes),
        limits::kPublishWindowMax));
  }
  return Run(lanes, warm_up, counted);
}

BatchBytes BatchBytesOf(const sdk::ConnectionOptions& to, Batches& batches) {
  PublishStream stream(sdk::Connection::Open(to).value(), batches);
  bool good = stream.Send();
  stream.Done();
  while (const auto answer = stream.Read()) good = good && answer->good;
  good = stream.Finish() && good;
  if (good) return stream.bytes();
  std::cerr << "a batch was not accepted\n";
  return {};
}

}  // namespace schakel::bench
