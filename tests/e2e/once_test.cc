// Once: a signal that is sent again and again is one signal.
#include <atomic>
#include <thread>

#include "clients/sdk/files.h"
#include "tests/e2e/story.h"
#include "tests/e2e/wire.h"

namespace schakel::e2e {
namespace {

using ::testing::HasSubstr;

class Once : public RegionTest {};

TEST_F(Once, TheSameEnvelopeAtTheSameTimeAndAcrossARestartIsOneRecordAndOneDelivery) {
  constexpr int kThreads = 8;
  constexpr int kEach = 125;
  ASSERT_OK_AND(const auto envelope, Seal(As("corporation"), Arrears()));
  std::vector<std::unique_ptr<sdk::Session>> sessions;
  for (int i = 0; i < kThreads; ++i) sessions.push_back(region().NewSession("corporation"));
  std::mutex mutex;
  std::set<Bytes> answers;
  std::vector<std::string> errors;
  std::atomic<int> sent = 0;
  const auto send = [&](size_t thread) {
    for (int i = 0; i < kEach; ++i) {
      const auto answer = PublishOne(*sessions[thread], envelope);
      ++sent;
      std::lock_guard lock(mutex);
      if (answer.ok()) {
        answers.insert(answer->SerializeAsString());
      } else {
        errors.push_back(Why(answer));
      }
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kThreads; ++i) threads.emplace_back(send, i);
  while (sent < kThreads * kEach / 2) std::this_thread::yield();
  region().RestartBroker();
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(errors, ::testing::IsEmpty());
  EXPECT_EQ(answers.size(), 1u);

  ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
  ASSERT_EQ(waiting.size(), 1u);
  ASSERT_OK(Open(As("debt-relief"), waiting[0]));
  ASSERT_OK_AND(auto* inbox, As("debt-relief").inbox());
  ASSERT_OK(inbox->Acknowledge(IdOf(waiting[0])));
  ASSERT_OK_AND(const auto again, PublishOne(As("corporation"), envelope));
  EXPECT_EQ(again.SerializeAsString(), *answers.begin());
  v1::Header header;
  ASSERT_TRUE(header.ParseFromString(envelope.header()));
  ASSERT_OK_AND(const auto records, RecordsAbout(region(), *SignalId::From(header.signal_id())));
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_PUBLISH), 1u);
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_DELIVERY), 1u);
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_ACKNOWLEDGEMENT), 1u);
  EXPECT_EQ(records.size(), 3u);
}

TEST_F(Once, AnotherContentUnderAUsedIdIsRefusedAndRecorded) {
  ASSERT_OK_AND(auto envelope, Seal(As("corporation"), Arrears()));
  ASSERT_OK(PublishOne(As("corporation"), envelope));
  ChangeContent(&envelope);
  ASSERT_OK(SignAgain(As("corporation"), &envelope));
  const auto other = PublishOne(As("corporation"), envelope);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(other.error().reason, "ALREADY_EXISTS");
  ASSERT_OK_AND(const auto denied, DeniedOf(region(), "corporation"));
  EXPECT_THAT(denied, ::testing::Contains("ALREADY_EXISTS"));
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(Once, AContentThatItsSenderDidNotSignIsRefusedAndRecorded) {
  ASSERT_OK_AND(auto envelope, Seal(As("corporation"), Arrears()));
  const auto untouched = envelope;
  ChangeContent(&envelope);
  const auto changed = PublishOne(As("corporation"), envelope);
  ASSERT_FALSE(changed.ok());
  EXPECT_EQ(changed.error().reason, "SIGNATURE_INVALID");
  EXPECT_THAT(changed.error().field, HasSubstr("envelopes[0]"));
  ASSERT_OK_AND(const auto denied, DeniedOf(region(), "corporation"));
  EXPECT_THAT(denied, ::testing::Contains("SIGNATURE_INVALID"));
  ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
  EXPECT_TRUE(waiting.empty());
  // The refused one took nothing from the true one.
  ASSERT_OK(PublishOne(As("corporation"), untouched));
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(Once, OneOfABatchThatIsRefusedDoesNotHoldUpTheOthers) {
  ASSERT_OK_AND(auto bad, Seal(As("corporation"), Arrears()));
  ASSERT_OK_AND(const auto good, Seal(As("corporation"), Arrears()));
  ChangeContent(&bad);
  ASSERT_OK_AND(const auto response, Publish(As("corporation"), {bad, good}));
  ASSERT_EQ(response.results_size(), 2);
  EXPECT_TRUE(response.results(0).has_error());
  EXPECT_TRUE(response.results(1).has_accepted());
  EXPECT_GT(response.position(), 0u);
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(Once, WhatTheBrokerDidNotAnswerIsSentAgainFromTheOutbox) {
  const auto sender = region().NewSession("corporation", "patient");
  ASSERT_OK_AND(auto composer, sender->NewComposer());
  ASSERT_OK_AND(auto* keys, sender->keys());
  ASSERT_OK_AND(auto* outbox, sender->outbox());
  const auto draft = Arrears();
  ASSERT_OK(composer->Plan(draft, sdk::Now()));  // knows the recipient from here on
  // An impatient client of the same outbox, so that the test does not wait for retries.
  auto context = region().ContextOf("corporation");
  context.set_state_folder(sender->context().state_folder());
  ASSERT_EQ(region().StopBroker(), 0);
  sdk::Session impatient(context, std::chrono::milliseconds(300));
  ASSERT_OK_AND(auto* signals, impatient.signals());
  const auto lost = signals->Send(*composer, draft, *keys, "my-reference");
  ASSERT_FALSE(lost.ok());
  ASSERT_OK_AND(const auto entries, outbox->List());
  ASSERT_EQ(entries.size(), 1u);

  region().StartBroker();
  const auto fresh = region().NewSession("corporation", "patient");
  ASSERT_OK_AND(auto* again, fresh->signals());
  const auto id = *SignalId::From(entries[0].signal_id());
  ASSERT_OK_AND(const auto sent, again->Resend(id));
  EXPECT_TRUE(sent.all_queued());
  EXPECT_FALSE(sent.repeated);
  ASSERT_OK_AND(const auto repeated, again->Send(*composer, draft, *keys, "my-reference"));
  EXPECT_TRUE(repeated.repeated);
  EXPECT_EQ(IdOf(repeated), id);
  ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
  EXPECT_EQ(waiting.size(), 1u);
}

}  // namespace
}  // namespace schakel::e2e
