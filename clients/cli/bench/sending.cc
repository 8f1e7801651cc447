#include "clients/cli/bench/sending.h"

#include <algorithm>
#include <thread>

#include "clients/sdk/sign_batch.h"
#include "schakel/v1/signal.grpc.pb.h"

namespace schakel::cli {
namespace {

constexpr std::chrono::milliseconds kTokenLookTime{50};

}  // namespace

bool Tokens::Acquire(BenchClock::time_point until, const Stop& stop) {
  std::unique_lock guard(mutex_);
  while (free_ == 0) {
    if (BenchClock::now() >= until || stop()) return false;
    changed_.wait_until(guard, std::min(until, BenchClock::now() + kTokenLookTime));
  }
  --free_;
  return true;
}

void Tokens::Release() {
  {
    const std::lock_guard guard(mutex_);
    ++free_;
  }
  changed_.notify_one();
}

size_t Tokens::taken() const {
  const std::lock_guard guard(mutex_);
  return count_ - free_;
}

Result<std::unique_ptr<Sending>> Sending::Open(sdk::Session& session, Stock& stock,
                                               const LoadSettings& settings, Tokens& tokens,
                                               SendObserver& observer) {
  SCHAKEL_ASSIGN(const auto first, session.connection());
  std::unique_ptr<Sending> sending(new Sending(stock, settings, tokens, observer));
  for (size_t i = 0; i < settings.senders; ++i) {
    SCHAKEL_ASSIGN(auto connection, sdk::Connection::Open(first->options()));
    sending->connections_.push_back(std::move(connection));
  }
  if (settings.batch == 1) return sending;
  for (const auto& connection : sending->connections_) {
    sdk::PublisherOptions options;
    // The tokens hold back, not the publisher: what waits is measured.
    options.signals_max = settings.in_flight;
    options.bytes_max = settings.in_flight * (2 * stock.envelope_bytes() + 1024);
    options.batch_max = settings.batch;
    SCHAKEL_ASSIGN(auto publisher, sdk::Publisher::Open(connection, stock.keys(), options));
    sending->publishers_.push_back(std::move(publisher));
  }
  return sending;
}

Sending::~Sending() {
  // They may still tell of signals.
  for (const auto& publisher : publishers_) publisher->Close();
}

Status Sending::Run(BenchClock::time_point until, uint64_t most, const Stop& stop,
                    const std::function<void()>& look) {
  const Stop any_stop = [&] { return failed_ || stop(); };
  Round round{until, most, any_stop};
  const bool calls = settings_.batch == 1;
  const size_t count = calls ? settings_.in_flight : settings_.senders;
  std::atomic<size_t> working = count;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      if (calls) {
        Call(round, *connections_[i % connections_.size()]);
      } else {
        Stream(round, *publishers_[i]);
      }
      --working;
    });
  }
  while (working > 0) {
    look();
    const auto left = until - BenchClock::now();
    std::this_thread::sleep_for(std::clamp<BenchClock::duration>(left, std::chrono::milliseconds(1),
                                                                 std::chrono::milliseconds(20)));
  }
  for (auto& thread : threads) thread.join();
  const std::lock_guard guard(mutex_);
  if (error_) return *error_;
  return {};
}

uint64_t Sending::repeats() const {
  uint64_t repeats = repeated_calls_;
  for (const auto& publisher : publishers_) repeats += publisher->reconnects();
  return repeats;
}

uint64_t Sending::signatures() const {
  if (publishers_.empty()) return sent_;
  uint64_t batches = 0;
  for (const auto& publisher : publishers_) batches += publisher->counts().batches;
  return batches;
}

std::optional<sdk::ComposedSignal> Sending::Next(Round& round) {
  if (BenchClock::now() >= round.until || round.stop()) return std::nullopt;
  if (!tokens_.Acquire(round.until, round.stop)) return std::nullopt;
  std::optional<sdk::ComposedSignal> signal;
  if (round.begun++ < round.most) signal = stock_.Take();
  if (!signal) {
    tokens_.Release();
    return std::nullopt;
  }
  ++sent_;
  return signal;
}

void Sending::Call(Round& round, sdk::Connection& connection) {
  const auto stub = v1::SignalService::NewStub(connection.channel());
  while (const auto signal = Next(round)) {
    const auto began = BenchClock::now();
    observer_.Began(signal->id, began);
    v1::PublishRequest request;
    auto* const envelope = request.add_envelopes();
    envelope->ParseFromString(signal->envelope);
    sdk::SignTogether(std::span(&envelope, 1), std::span(&signal->envelope_digest, 1),
                      *stock_.keys().signing);
    v1::PublishResponse response;
    uint64_t attempts = 0;
    const Status called = connection.Run([&](grpc::ClientContext& context) {
      ++attempts;
      response.Clear();
      return stub->Publish(&context, request, &response);
    });
    repeated_calls_ += attempts - std::min<uint64_t>(1, attempts);
    Result<v1::PublishResult> answer =
        Internal("the broker answered for another number of signals");
    if (!called.ok()) {
      answer = called.error();
    } else if (response.results_size() == 1) {
      answer = std::move(*response.mutable_results(0));
    }
    if (!answer.ok()) Fail(answer.error());
    observer_.Answered(signal->id, began, answer);
  }
}

void Sending::Stream(Round& round, sdk::Publisher& publisher) {
  while (const auto signal = Next(round)) {
    const auto began = BenchClock::now();
    observer_.Began(signal->id, began);
    const Status taken = publisher.Send(
        *signal, [this, id = signal->id, began](const Result<v1::PublishResult>& answer) {
          if (!answer.ok()) Fail(answer.error());
          observer_.Answered(id, began, answer);
        });
    if (taken.ok()) continue;
    Fail(taken.error());
    observer_.Answered(signal->id, began, taken.error());
  }
  const auto timeout = connections_.front()->options().timeout;
  if (const Status flushed = publisher.Flush(timeout); !flushed.ok()) {
    Fail(flushed.error());
    publisher.Close();  // what is in hand is answered with an Error
  }
}

void Sending::Fail(const Error& error) {
  const std::lock_guard guard(mutex_);
  // Each signal in hand tells that its publisher was closed; the first Error tells why.
  if (!error_ || error_->reason == "CLOSED") error_ = error;
  failed_ = true;
}

}  // namespace schakel::cli
