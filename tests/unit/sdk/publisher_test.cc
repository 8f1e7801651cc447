#include "clients/sdk/publisher.h"

#include <condition_variable>
#include <future>
#include <mutex>
#include <set>

#include "broker/base/limits.h"
#include "broker/crypto/envelope_format.h"
#include "broker/merkle/batch_tree.h"
#include "broker/merkle/proof.h"
#include "schakel/v1/signal.grpc.pb.h"
#include "tests/unit/sdk/fake_server.h"

namespace schakel::sdk {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Answers batches as it is told, and keeps what came in.
class StreamBroker final : public v1::SignalService::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::PublishStreamResponse, v1::PublishStreamRequest>;

  grpc::Status PublishStream(grpc::ServerContext*, Stream* stream) override {
    const int number = ++streams;
    v1::PublishStreamRequest request;
    if (!stream->Read(&request) || !request.has_open()) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "no open"};
    }
    if (number <= static_cast<int>(fails_first.size())) {
      return fails_first[static_cast<size_t>(number - 1)];
    }
    v1::PublishStreamResponse response;
    response.mutable_opened()->set_window(window);
    stream->Write(response);
    uint64_t batches = 0;
    uint64_t answered = 0;
    while (stream->Read(&request)) {
      ++batches;
      {
        std::unique_lock lock(mutex);
        taken.push_back(request.batch());
        changed.notify_all();
        changed.wait(lock, [&] { return !held || number < hold_from; });
      }
      if (number == 1 && batches == breaks_at) {
        return Refused(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING");
      }
      auto* answer = response.mutable_answer();
      if (answer->batches() == answered) answer->clear_results();
      answer->set_batches(batches);
      for (const auto& envelope : request.batch().envelopes()) Decide(envelope, answer);
      if (batches < answers_at) continue;
      answered = batches;
      if (drops_a_result) answer->mutable_results()->RemoveLast();
      stream->Write(response);
    }
    return grpc::Status::OK;
  }

  void WaitForBatches(size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return taken.size() >= count; });
  }
  void Let() {
    const std::lock_guard lock(mutex);
    held = false;
    changed.notify_all();
  }

  uint32_t window = 1024;
  std::vector<grpc::Status> fails_first;
  uint64_t breaks_at = 0;   // the first stream ends instead of answering this batch
  uint64_t answers_at = 0;  // so many batches are read first, and answered together
  bool drops_a_result = false;
  std::atomic<int> streams = 0;
  std::mutex mutex;
  std::condition_variable changed;
  bool held = false;  // batches are read and not answered, on streams from `hold_from` on
  int hold_from = 1;
  std::vector<v1::PublishBatch> taken;

 private:
  static void Decide(const v1::Envelope& envelope, v1::PublishStreamAnswer* answer) {
    v1::Header header;
    header.ParseFromString(envelope.header());
    auto* result = answer->add_results();
    if (header.signal_type() == "refused") {
      result->mutable_error()->set_code(3);
    } else {
      result->mutable_accepted()->set_signal_id(header.signal_id());
    }
  }
};

class Publishing : public ::testing::Test {
 protected:
  // One that the composer sealed; its header says another type where a test wants a refusal.
  ComposedSignal Signal(const std::string& type = "") {
    auto composed = region_.NewComposer(kLandlord).Compose(Arrears(), own_, region_.now);
    EXPECT_TRUE(composed.ok());
    if (!type.empty()) {
      v1::Envelope envelope;
      v1::Header header;
      EXPECT_TRUE(envelope.ParseFromString(composed->envelope) &&
                  header.ParseFromString(envelope.header()));
      header.set_signal_type(type);
      envelope.set_header(header.SerializeAsString());
      composed->envelope = envelope.SerializeAsString();
    }
    return *std::move(composed);
  }
  std::unique_ptr<Publisher> Open(PublisherOptions options = {}) {
    auto publisher = Publisher::Open(server_.Connect(), own_, options);
    EXPECT_TRUE(publisher.ok());
    return std::move(publisher).value();
  }
  // What came of one signal.
  std::future<Result<v1::PublishResult>> Send(Publisher& publisher, const ComposedSignal& signal) {
    auto promise = std::make_shared<std::promise<Result<v1::PublishResult>>>();
    auto sent = publisher.Send(
        signal, [promise](const Result<v1::PublishResult>& result) { promise->set_value(result); });
    if (!sent.ok()) promise->set_value(sent.error());
    return promise->get_future();
  }

  // The sender and the one it writes to.
  struct Landlords : Region {
    Landlords() {
      Admit(kLandlord, "housing", {"dordrecht"}, false);
      Admit(kDebtRelief, "municipality", {"dordrecht"}, true);
    }
  };
  Landlords region_;
  OwnKeySet own_ = region_.Current(kLandlord);
  StreamBroker broker_;
  FakeServer server_{{&broker_}};
};

TEST_F(Publishing, SendsWhatWaitsUnderOneSignatureThatHoldsForEach) {
  broker_.held = true;
  auto publisher = Open();
  std::vector<ComposedSignal> signals;
  std::vector<std::future<Result<v1::PublishResult>>> answers;
  signals.push_back(Signal());
  answers.push_back(Send(*publisher, signals.back()));
  broker_.WaitForBatches(1);
  // While the first is under way these gather; the broker reads the next batch when it may.
  for (int i = 0; i < 10; ++i) {
    signals.push_back(Signal());
    answers.push_back(Send(*publisher, signals.back()));
  }
  broker_.Let();
  for (size_t i = 0; i < answers.size(); ++i) {
    const auto result = answers[i].get();
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(result->accepted().signal_id(), signals[i].id.str());
  }
  EXPECT_LT(publisher->counts().batches, 11u);
  EXPECT_EQ(publisher->counts().signals, 11u);
  size_t place = 0;
  for (const auto& batch : broker_.taken) {
    for (const auto& envelope : batch.envelopes()) {
      const auto& proof = envelope.proof();
      EXPECT_EQ(proof.count(), static_cast<uint32_t>(batch.envelopes_size()));
      const auto path = merkle::PathFrom(proof.path());
      ASSERT_TRUE(path.ok());
      const auto root =
          merkle::BatchRoot(signals[place++].envelope_digest, proof.index(), proof.count(), *path);
      ASSERT_TRUE(root.ok());
      EXPECT_TRUE(crypto::VerifyEd25519(own_.signing->public_key(),
                                        crypto::BatchMessage(proof.count(), *root),
                                        proof.signature()));
    }
  }
  EXPECT_EQ(place, signals.size());
}

TEST_F(Publishing, SendsWhatWasNotAnsweredAgainWhenTheStreamBreaks) {
  broker_.breaks_at = 2;
  auto publisher = Open();
  std::vector<ComposedSignal> signals;
  for (int i = 0; i < 5; ++i) {
    signals.push_back(Signal());
    const auto result = Send(*publisher, signals.back()).get();
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(result->accepted().signal_id(), signals.back().id.str());
  }
  EXPECT_EQ(publisher->reconnects(), 1u);
  // The second batch came twice, as it was, and everything else once.
  ASSERT_EQ(broker_.taken.size(), 6u);
  EXPECT_EQ(broker_.taken[1].SerializeAsString(), broker_.taken[2].SerializeAsString());
}

TEST_F(Publishing, HandsOnTheRefusalOfOne) {
  auto publisher = Open();
  auto bad = Send(*publisher, Signal("refused"));
  auto good = Send(*publisher, Signal());
  ASSERT_TRUE(good.get().ok());
  const auto refused = bad.get();
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->error().code(), 3);
}

TEST_F(Publishing, HoldsTheCallerUpWhenThereIsNoRoom) {
  broker_.held = true;
  auto publisher = Open({.signals_max = 2});
  auto first = Send(*publisher, Signal());
  auto second = Send(*publisher, Signal());
  std::atomic<bool> through = false;
  const auto third = Signal();
  std::future<Result<v1::PublishResult>> last;
  std::thread caller([&] {
    last = Send(*publisher, third);
    through = true;
  });
  broker_.WaitForBatches(1);
  EXPECT_FALSE(publisher->Flush(milliseconds(50)).ok());
  EXPECT_FALSE(through);
  broker_.Let();
  caller.join();
  EXPECT_TRUE(publisher->Flush(seconds(10)).ok());
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(second.get().ok());
  EXPECT_TRUE(last.get().ok());
}

TEST_F(Publishing, SendsNoMoreThanTheWindowThatTheBrokerGave) {
  broker_.window = 64;
  broker_.held = true;
  auto publisher = Open();
  std::vector<std::future<Result<v1::PublishResult>>> answers;
  answers.push_back(Send(*publisher, Signal()));
  broker_.WaitForBatches(1);
  for (int i = 0; i < 3; ++i) answers.push_back(Send(*publisher, Signal()));
  EXPECT_FALSE(publisher->Flush(milliseconds(100)).ok());
  EXPECT_EQ(publisher->counts().batches, 1u) << "one batch fills a window of 64 that may be 64";
  broker_.Let();
  for (auto& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(publisher->counts().batches, 2u);
}

TEST_F(Publishing, GathersWhileTwoBatchesAreUnansweredUnlessOneIsFull) {
  broker_.answers_at = 3;
  auto publisher = Open({.batch_max = 4});
  std::vector<std::future<Result<v1::PublishResult>>> answers;
  const auto send = [&](int count) {
    for (int i = 0; i < count; ++i) answers.push_back(Send(*publisher, Signal()));
  };
  for (size_t batches : {1, 2}) {
    send(1);
    broker_.WaitForBatches(batches);
  }
  send(3);
  EXPECT_FALSE(publisher->Flush(milliseconds(100)).ok());
  EXPECT_EQ(publisher->counts().batches, 2u);
  send(1);
  for (auto& answer : answers) EXPECT_TRUE(answer.get().ok());
  std::vector<int> sizes;
  for (const auto& batch : broker_.taken) sizes.push_back(batch.envelopes_size());
  EXPECT_EQ(sizes, std::vector<int>({1, 1, 4}));
}

TEST_F(Publishing, ABatchIsFullByItsBytesToo) {
  broker_.answers_at = 3;
  auto publisher = Open();
  std::vector<std::future<Result<v1::PublishResult>>> answers;
  for (size_t batches : {1, 2}) {
    answers.push_back(Send(*publisher, Signal()));
    broker_.WaitForBatches(batches);
  }
  for (int i = 0; i < 3; ++i) {
    auto large = Signal();
    v1::Envelope envelope;
    ASSERT_TRUE(envelope.ParseFromString(large.envelope));
    envelope.mutable_sections(0)->set_ciphertext(Bytes(limits::kBatchBytesMax / 3, 'c'));
    large.envelope = envelope.SerializeAsString();
    answers.push_back(Send(*publisher, large));
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get().ok());
  std::vector<int> sizes;
  for (const auto& batch : broker_.taken) sizes.push_back(batch.envelopes_size());
  EXPECT_EQ(sizes, std::vector<int>({1, 1, 2, 1}));
}

TEST_F(Publishing, PutsNoMoreUnderOneSignatureThanTheCallerWants) {
  broker_.held = true;
  auto publisher = Open({.batch_max = 3});
  std::vector<std::future<Result<v1::PublishResult>>> answers;
  answers.push_back(Send(*publisher, Signal()));
  broker_.WaitForBatches(1);
  for (int i = 0; i < 6; ++i) answers.push_back(Send(*publisher, Signal()));
  broker_.Let();
  for (auto& answer : answers) EXPECT_TRUE(answer.get().ok());
  size_t signals = 0;
  for (const auto& batch : broker_.taken) {
    EXPECT_LE(batch.envelopes_size(), 3);
    signals += static_cast<size_t>(batch.envelopes_size());
  }
  EXPECT_EQ(signals, 7u);
}

TEST_F(Publishing, TellsEverybodyWhenTryingAgainCannotHelp) {
  broker_.fails_first.assign(5, Refused(grpc::StatusCode::PERMISSION_DENIED, "ROLE_NOT_ALLOWED"));
  auto publisher = Open();
  const auto result = Send(*publisher, Signal()).get();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().reason, "ROLE_NOT_ALLOWED");
  EXPECT_EQ(Send(*publisher, Signal()).get().error().reason, "ROLE_NOT_ALLOWED");
  EXPECT_EQ(publisher->Flush(seconds(1)).error().reason, "ROLE_NOT_ALLOWED");
}

TEST_F(Publishing, EndsOverAnAnswerThatMakesNoSense) {
  broker_.drops_a_result = true;
  auto publisher = Open();
  const auto result = Send(*publisher, Signal()).get();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().reason, "INTERNAL");
}

TEST_F(Publishing, AnswersNothingMoreOnceItIsClosed) {
  broker_.held = true;
  auto publisher = Open();
  auto under_way = Send(*publisher, Signal());
  broker_.WaitForBatches(1);
  std::thread broker([&] { broker_.Let(); });
  publisher->Close();
  broker.join();
  const auto result = under_way.get();
  EXPECT_TRUE(result.ok() || result.error().reason == "CLOSED");
  EXPECT_EQ(Send(*publisher, Signal()).get().error().reason, "CLOSED");
}

TEST_F(Publishing, KeepsEachInTheOutboxUntilItIsAnswered) {
  const crypto::TempFolder folder;
  auto outbox = Outbox::Open(folder.path() / "outbox");
  ASSERT_TRUE(outbox.ok());
  broker_.held = true;
  const auto signal = Signal();
  {
    auto publisher = Open({.outbox = &*outbox});
    auto answer = Send(*publisher, signal);
    broker_.WaitForBatches(1);
    // Another look at the same folder, as after a kill.
    auto killed = Outbox::Open(folder.path() / "outbox");
    ASSERT_TRUE(killed.ok());
    const auto kept = killed->Get(signal.id);
    ASSERT_TRUE(kept.ok());
    EXPECT_EQ(kept->state(), client::v1::OUTBOX_STATE_PREPARED);
    EXPECT_EQ(kept->envelope(), signal.envelope);
    broker_.Let();
    ASSERT_TRUE(answer.get().ok());
  }
  const auto settled = outbox->Get(signal.id);
  ASSERT_TRUE(settled.ok());
  EXPECT_TRUE(settled->answer().has_accepted());
}

TEST_F(Publishing, WantsASigningKeyAndRoom) {
  OwnKeySet none = own_;
  none.signing.reset();
  EXPECT_EQ(Publisher::Open(server_.Connect(), none).error().reason, "KEY_SET_MISSING");
  EXPECT_EQ(Publisher::Open(server_.Connect(), own_, {.signals_max = 0}).error().field,
            "signals_max");
  EXPECT_EQ(Publisher::Open(server_.Connect(), own_, {.bytes_max = 0}).error().field, "bytes_max");
  for (const size_t batch_max : {0, 65}) {
    EXPECT_EQ(Publisher::Open(server_.Connect(), own_, {.batch_max = batch_max}).error().field,
              "batch_max");
  }
  auto publisher = Open();
  ComposedSignal broken = Signal();
  broken.envelope = "\xff\xff\xff";
  EXPECT_EQ(publisher->Send(broken, [](const auto&) {}).error().field, "envelope");
}

}  // namespace
}  // namespace schakel::sdk
