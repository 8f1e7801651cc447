// Signals that go out together on one stream, to a real broker.
#include <atomic>
#include <mutex>

#include "broker/base/limits.h"
#include "clients/sdk/publisher.h"
#include "clients/sdk/sign_batch.h"
#include "clients/sdk/status.h"
#include "tests/e2e/story.h"
#include "tests/e2e/wire.h"

namespace schakel::e2e {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

class PublishStreamed : public RegionTest {
 protected:
  static std::shared_ptr<sdk::Connection> Connection() {
    return As("corporation").connection().value();
  }
  static sdk::ComposedSignal Compose(const sdk::SignalDraft& draft) {
    auto& session = As("corporation");
    auto own = session.keys().value()->Current(sdk::Now()).value();
    return session.NewComposer().value()->Compose(draft, own, sdk::Now()).value();
  }
  // What ends a stream that gets this as its first message.
  static Error EndedBy(const v1::PublishStreamRequest& request, bool open) {
    RawPublish stream(Connection(), false, open);
    stream.Write(request);
    while (stream.Read()) {
    }
    const Status ended = stream.Finish();
    EXPECT_FALSE(ended.ok());
    return ended.ok() ? Error() : ended.error();
  }
};

TEST_F(PublishStreamed, AnswersBatchesInTheirOrderAndDeliversEach) {
  ASSERT_OK(EmptyInbox(As("debt-relief")));
  RawPublish stream(Connection());
  auto opened = stream.Read();
  ASSERT_TRUE(opened && opened->has_opened());
  EXPECT_EQ(opened->opened().window(), limits::kPublishWindowMax);
  std::vector<Bytes> ids;
  for (int batch = 0; batch < 5; ++batch) {
    std::vector<v1::Envelope> envelopes;
    for (int i = 0; i <= batch; ++i) {
      ASSERT_OK_AND(auto envelope, Seal(As("corporation"), Arrears()));
      v1::Header header;
      ASSERT_TRUE(header.ParseFromString(envelope.header()));
      ids.push_back(header.signal_id());
      envelopes.push_back(std::move(envelope));
    }
    ASSERT_TRUE(stream.Batch(envelopes));
  }
  stream.CloseOwnSide();
  std::vector<Bytes> answered;
  uint64_t batches = 0;
  uint64_t position = 0;
  while (auto response = stream.Read()) {
    ASSERT_TRUE(response->has_answer());
    EXPECT_GT(response->answer().batches(), batches);
    EXPECT_GT(response->answer().position(), position);
    batches = response->answer().batches();
    position = response->answer().position();
    for (const auto& result : response->answer().results()) {
      ASSERT_TRUE(result.has_accepted());
      const auto& accepted = result.accepted();
      answered.push_back(accepted.signal_id());
      ASSERT_EQ(accepted.outcomes_size(), 1);
      EXPECT_EQ(accepted.outcomes(0).state(), v1::RECIPIENT_STATE_QUEUED);
      ASSERT_EQ(accepted.receipts_size(), 1);
      EXPECT_TRUE(accepted.receipts(0).record().empty());
      EXPECT_LE(accepted.receipts(0).position(), position);
    }
  }
  ASSERT_OK(stream.Finish());
  EXPECT_EQ(batches, 5u);
  EXPECT_EQ(answered, ids);
  ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
  ASSERT_EQ(waiting.size(), ids.size());
  for (const auto& delivery : waiting) ASSERT_OK(Open(As("debt-relief"), delivery));
}

TEST_F(PublishStreamed, GivesFullReceiptsToWhoAsks) {
  RawPublish stream(Connection(), true);
  ASSERT_OK_AND(const auto envelope, Seal(As("corporation"), Arrears()));
  ASSERT_TRUE(stream.Read() && stream.Batch({envelope}));
  const auto response = stream.Read();
  ASSERT_TRUE(response && response->answer().results_size() == 1);
  const auto& streamed = response->answer().results(0).accepted();
  EXPECT_EQ(streamed.receipts(0).salt().size(), 16u);
  // The same bytes by a call of their own: the same answer.
  ASSERT_OK_AND(const auto again, PublishOne(As("corporation"), envelope));
  EXPECT_EQ(again.SerializeAsString(), streamed.SerializeAsString());
}

TEST_F(PublishStreamed, RefusesOneOfABatchAndTakesTheOthers) {
  ASSERT_OK_AND(auto bad, Seal(As("corporation"), Arrears()));
  ASSERT_OK_AND(const auto good, Seal(As("corporation"), Arrears()));
  ChangeContent(&bad);
  RawPublish stream(Connection());
  ASSERT_TRUE(stream.Read() && stream.Batch({bad, good}));
  const auto response = stream.Read();
  ASSERT_TRUE(response && response->answer().results_size() == 2);
  ASSERT_TRUE(response->answer().results(0).has_error());
  EXPECT_TRUE(response->answer().results(1).has_accepted());
}

TEST_F(PublishStreamed, HoldsEachEnvelopeOfABatchToItsOwnSignature) {
  // One signature for both, which is looked at once; the second shows another.
  const auto own = As("corporation").keys().value()->Current(sdk::Now()).value();
  std::vector<v1::Envelope> envelopes(2);
  std::vector<Digest> digests;
  for (auto& envelope : envelopes) {
    const auto composed = Compose(Arrears());
    ASSERT_TRUE(envelope.ParseFromString(composed.envelope));
    digests.push_back(composed.envelope_digest);
  }
  const std::vector<v1::Envelope*> both = {&envelopes[0], &envelopes[1]};
  sdk::SignTogether(both, digests, *own.signing);
  for (size_t place : {0, 31, 32, 63}) {
    auto changed = envelopes;
    (*changed[1].mutable_proof()->mutable_signature())[place] ^= 1;
    RawPublish stream(Connection());
    ASSERT_TRUE(stream.Read() && stream.Batch(changed));
    const auto response = stream.Read();
    ASSERT_TRUE(response && response->answer().results_size() == 2);
    EXPECT_TRUE(response->answer().results(0).has_accepted());
    ASSERT_TRUE(response->answer().results(1).has_error()) << "byte " << place;
    const auto error = sdk::ErrorFromRpcStatus(response->answer().results(1).error(), "en");
    EXPECT_EQ(error.reason, "SIGNATURE_INVALID");
  }
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(PublishStreamed, EndsWithAReasonWhenAMessageMakesNoSense) {
  v1::PublishStreamRequest batch;
  batch.mutable_batch();
  EXPECT_EQ(EndedBy(batch, true).field, "batch.envelopes");
  EXPECT_EQ(EndedBy(batch, true).reason, "FIELD_MISSING");
  EXPECT_EQ(EndedBy(batch, false).field, "open");
  EXPECT_EQ(EndedBy({}, true).field, "request");
  EXPECT_EQ(EndedBy({}, false).field, "open");
  v1::PublishStreamRequest open;
  open.mutable_open();
  EXPECT_EQ(EndedBy(open, true).reason, "FIELD_INVALID");
  ASSERT_OK_AND(const auto envelope, Seal(As("corporation"), Arrears()));
  v1::PublishStreamRequest many;
  for (int i = 0; i < 65; ++i) *many.mutable_batch()->add_envelopes() = envelope;
  EXPECT_EQ(EndedBy(many, true).reason, "TOO_LARGE");
}

TEST_F(PublishStreamed, WaitsForAReaderThatIsBehind) {
  constexpr uint64_t kBatches = 300;
  std::vector<v1::Envelope> envelopes;
  for (size_t i = 0; i < limits::kBatchEnvelopesMax; ++i) {
    ASSERT_OK_AND(auto envelope, Seal(As("corporation"), Arrears()));
    envelopes.push_back(std::move(envelope));
  }
  RawPublish stream(Connection(), true);
  std::atomic<uint64_t> written = 0;
  std::thread writer([&] {
    // The same again and again: each gets the first answer.
    while (written < kBatches && stream.Batch(envelopes)) ++written;
    stream.CloseOwnSide();
  });
  // Nobody reads: the broker stops to listen, and the writer stands still.
  for (uint64_t before = 1; before != written;) {
    before = written;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  EXPECT_LT(written, kBatches);
  uint64_t batches = 0;
  uint64_t results = 0;
  while (auto response = stream.Read()) {
    if (!response->has_answer()) continue;
    batches = response->answer().batches();
    results += static_cast<uint64_t>(response->answer().results_size());
  }
  writer.join();
  ASSERT_OK(stream.Finish());
  EXPECT_EQ(batches, kBatches);
  EXPECT_EQ(results, kBatches * limits::kBatchEnvelopesMax);
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(PublishStreamed, ThePublisherLosesAndDoublesNothingOverRestartsOfTheBroker) {
  ASSERT_OK(EmptyInbox(As("debt-relief")));
  auto own = As("corporation").keys().value()->Current(sdk::Now()).value();
  ASSERT_OK_AND(auto publisher, sdk::Publisher::Open(Connection(), own));
  constexpr int kSignals = 300;
  std::vector<sdk::ComposedSignal> signals;
  for (int i = 0; i < kSignals; ++i) signals.push_back(Compose(Arrears()));
  std::mutex mutex;
  std::map<Bytes, int> answers;
  std::vector<std::string> errors;
  std::atomic<size_t> place = 0;
  std::vector<std::thread> senders;
  for (int thread = 0; thread < 4; ++thread) {
    senders.emplace_back([&] {
      for (size_t i = place++; i < signals.size(); i = place++) {
        auto sent = publisher->Send(signals[i], [&](const Result<v1::PublishResult>& result) {
          const std::lock_guard lock(mutex);
          if (result.ok() && result->has_accepted()) {
            ++answers[result->accepted().signal_id()];
          } else {
            errors.push_back(result.ok() ? result->error().message() : result.error().message);
          }
        });
        if (!sent.ok()) return;
        // Some while the broker is away, and some behind.
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    });
  }
  region().RestartBroker();
  region().KillBroker();
  region().StartBroker();
  for (auto& sender : senders) sender.join();
  ASSERT_OK(publisher->Flush(seconds(60)));
  EXPECT_THAT(errors, ::testing::IsEmpty());
  EXPECT_EQ(answers.size(), static_cast<size_t>(kSignals));
  for (const auto& [id, count] : answers) EXPECT_EQ(count, 1);
  EXPECT_GE(publisher->reconnects(), 1u);
  size_t delivered = 0;
  while (true) {
    ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
    if (waiting.empty()) break;
    ASSERT_OK_AND(auto* inbox, As("debt-relief").inbox());
    for (const auto& delivery : waiting) {
      ++delivered;
      ASSERT_OK(inbox->Acknowledge(IdOf(delivery)));
    }
  }
  EXPECT_EQ(delivered, static_cast<size_t>(kSignals));
}

}  // namespace
}  // namespace schakel::e2e
