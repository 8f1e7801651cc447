// Consent: nothing without it, and nothing more after it was withdrawn.
#include <thread>

#include "tests/e2e/story.h"

namespace schakel::e2e {
namespace {

using ::testing::ElementsAre;

class Consent : public RegionTest {
 protected:
  // Each test is about a person of its own.
  static v1::SubjectRef Person(size_t place) {
    auto person = PersonBy(region(), "care", place);
    EXPECT_TRUE(person.ok()) << Why(person);
    return person.ok() ? *person : v1::SubjectRef();
  }
};

TEST_F(Consent, WithoutOneNothingIsQueuedAndTheRefusalTellsNothingOfThePerson) {
  ASSERT_OK_AND(const auto sent, Send(As("care"), Avoidance(Person(10))));
  ASSERT_TRUE(sent.accepted());
  const auto& outcomes = sent.entry.answer().accepted().outcomes();
  ASSERT_EQ(outcomes.size(), 1);
  EXPECT_EQ(outcomes[0].state(), v1::RECIPIENT_STATE_DENIED);
  EXPECT_EQ(outcomes[0].reason(), "NOT_PERMITTED");
  ASSERT_OK_AND(const auto waiting, FetchAll(As("team")));
  EXPECT_TRUE(waiting.empty());
}

TEST_F(Consent, OnceRecordedItPermits) {
  const auto person = Person(11);
  ASSERT_OK(RecordConsent(As("care"), person));
  ASSERT_OK_AND(const auto sent, Send(As("care"), Avoidance(person)));
  ASSERT_TRUE(sent.accepted());
  EXPECT_TRUE(sent.all_queued()) << sent.entry.answer().DebugString();
  ASSERT_OK_AND(const auto waiting, FetchAll(As("team")));
  ASSERT_EQ(waiting.size(), 1u);
  ASSERT_OK_AND(const auto opened, Open(As("team"), waiting[0]));
  EXPECT_THAT(CategoriesOf(opened), ElementsAre("daily-living"));
  ASSERT_OK_AND(auto* inbox, As("team").inbox());
  ASSERT_OK(inbox->Acknowledge(IdOf(waiting[0])));
  ASSERT_OK_AND(const auto feed, FeedOf(As("care"), IdOf(sent)));
  ASSERT_FALSE(feed.empty());
  EXPECT_EQ(feed.back().outcome().state(), v1::RECIPIENT_STATE_ACKNOWLEDGED);
}

TEST_F(Consent, WithdrawnWhileASignalWaitsItIsNotDeliveredAndEarlierReadersAreKnown) {
  const auto person = Person(12);
  ASSERT_OK_AND(const auto consent, RecordConsent(As("care"), person));
  ASSERT_OK_AND(const auto read, Send(As("care"), Avoidance(person)));
  ASSERT_TRUE(read.all_queued());
  ASSERT_OK(EmptyInbox(As("team")));
  ASSERT_OK_AND(const auto waits, Send(As("care"), Avoidance(person)));
  ASSERT_TRUE(waits.all_queued());

  ASSERT_OK_AND(const auto withdrawn, Withdraw(As("care"), consent));
  ASSERT_EQ(withdrawn.earlier_deliveries.size(), 1u);
  EXPECT_EQ(withdrawn.earlier_deliveries[0].recipient(), OinOf("team").str());
  EXPECT_EQ(withdrawn.earlier_deliveries[0].signal_id(), IdOf(read).view());
  EXPECT_THAT(withdrawn.earlier_deliveries[0].categories(), ElementsAre("daily-living"));

  // The team gets no signal any more, but hears that what it read has lost its ground.
  ASSERT_OK_AND(const auto waiting, FetchAll(As("team")));
  ASSERT_EQ(waiting.size(), 1u);
  ASSERT_TRUE(waiting[0].has_notice()) << waiting[0].DebugString();
  EXPECT_EQ(waiting[0].notice().kind(), v1::NOTICE_KIND_CONSENT_WITHDRAWN);
  EXPECT_EQ(waiting[0].notice().signal_id(), IdOf(read).view());
  ASSERT_OK_AND(auto* inbox, As("team").inbox());
  ASSERT_OK(inbox->Acknowledge(IdOf(waiting[0])));

  ASSERT_OK_AND(const auto feed, FeedOf(As("care"), IdOf(waits)));
  ASSERT_FALSE(feed.empty());
  EXPECT_EQ(feed.back().outcome().state(), v1::RECIPIENT_STATE_WITHHELD);
  ASSERT_OK_AND(auto* signals, As("care").signals());
  ASSERT_OK_AND(const auto status, signals->Get(IdOf(waits)));
  EXPECT_EQ(status.signal().outcomes(0).state(), v1::RECIPIENT_STATE_WITHHELD);
  ASSERT_OK_AND(const auto records, RecordsAbout(region(), IdOf(waits)));
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_DELIVERY), 0u);
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_WITHHELD), 1u);

  ASSERT_OK_AND(const auto after, Send(As("care"), Avoidance(person)));
  EXPECT_EQ(after.entry.answer().accepted().outcomes(0).state(), v1::RECIPIENT_STATE_DENIED);
}

TEST_F(Consent, AnObjectionWithdrawsWhatItCovers) {
  const auto person = Person(13);
  ASSERT_OK_AND(const auto consent, RecordConsent(As("care"), person));
  ASSERT_OK_AND(const auto waits, Send(As("care"), Avoidance(person)));
  ASSERT_TRUE(waits.all_queued());
  ASSERT_OK(RecordConsent(As("care"), person, v1::STATEMENT_KIND_OBJECTION));
  ASSERT_OK_AND(const auto waiting, FetchAll(As("team")));
  EXPECT_TRUE(waiting.empty());
  ASSERT_OK_AND(auto* client, As("care").consent());
  ASSERT_OK_AND(const auto statements, client->List(person));
  int withdrawn = 0;
  for (const auto& statement : statements) {
    v1::Statement parsed;
    ASSERT_TRUE(parsed.ParseFromString(statement.statement()));
    if (!statement.has_withdrawn()) continue;
    ++withdrawn;
    EXPECT_EQ(parsed.statement_id(), consent.view());
  }
  EXPECT_EQ(statements.size(), 2u);
  EXPECT_EQ(withdrawn, 1);
}

TEST_F(Consent, OneThatEndsWhileASignalWaitsStopsIt) {
  const auto person = Person(14);
  ASSERT_OK(RecordConsent(As("care"), person, v1::STATEMENT_KIND_CONSENT,
                          std::chrono::milliseconds(1500)));
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
  ASSERT_OK_AND(const auto waits, Send(As("care"), Avoidance(person)));
  ASSERT_TRUE(waits.all_queued()) << waits.entry.answer().DebugString();
  std::this_thread::sleep_until(end);
  ASSERT_OK_AND(const auto waiting, FetchAll(As("team")));
  EXPECT_TRUE(waiting.empty());
  ASSERT_OK_AND(const auto feed, FeedOf(As("care"), IdOf(waits)));
  ASSERT_FALSE(feed.empty());
  EXPECT_EQ(feed.back().outcome().state(), v1::RECIPIENT_STATE_WITHHELD);
}

TEST_F(Consent, OnlyItsRecorderWithdrawsAStatement) {
  ASSERT_OK_AND(const auto consent, RecordConsent(As("care"), Person(15)));
  const auto refused = Withdraw(As("team"), consent);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "NOT_RECORDER");
}

}  // namespace
}  // namespace schakel::e2e
