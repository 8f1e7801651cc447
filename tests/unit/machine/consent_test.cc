// Consents as they stop and let go what is queued.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/machine/keys.h"
#include "tests/unit/machine/consent_specs.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Consent, IsRequiredAndItsAbsenceSaysNothing) {
  MachineFixture f;
  auto accepted = f.Accept(f.Avoidance(kPerson));
  EXPECT_EQ(accepted.outcomes(0).state(), v1::RECIPIENT_STATE_DENIED);
  EXPECT_EQ(accepted.outcomes(0).reason(), "NOT_PERMITTED");
  EXPECT_EQ(accepted.outcomes(0).denials(0).reason(), "NOT_PERMITTED");
  EXPECT_EQ(accepted.outcomes(0).denials(0).rule(), "");
  auto detail = f.DetailOf(f.RecordsOf(v1::RECORD_KIND_PUBLISH).at(0).index());
  EXPECT_EQ(detail.questions(0).reason(), "NO_CONSENT");
}

TEST(Consent, LetsASignalGoToWhomItNames) {
  MachineFixture f;
  auto consent = Consent(sample::kCare);
  consent.recipient = OrganisationAxis(sample::kTeam);
  auto id = f.Record(consent);
  EXPECT_EQ(f.Accept(f.Avoidance(kPerson)).outcomes(0).state(), v1::RECIPIENT_STATE_QUEUED);
  auto leased = f.Pull(sample::kTeam);
  ASSERT_EQ(leased.items.size(), 1u);
  EXPECT_THAT(leased.items[0].subjects, ElementsAre(kPerson.pairs(0).value()));
  auto detail = f.DetailOf(f.RecordsOf(v1::RECORD_KIND_DELIVERY).at(0).index());
  ASSERT_EQ(detail.questions_size(), 1);
  EXPECT_THAT(detail.questions(0).relied_on(), ElementsAre(id.str()));
}

TEST(Consent, OfWhomTheCallerKnowsIsToldInFull) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kCare));
  ASSERT_FALSE(f.Withdraw(sample::kCare, id).refused);
  EXPECT_EQ(f.Accept(f.Avoidance(kPerson)).outcomes(0).reason(), "CONSENT_WITHDRAWN");
}

TEST(Consent, WithdrawnWhileQueuedWithholdsAndDestroys) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kTeam));
  auto accepted = f.Accept(f.Avoidance(kPerson));
  ASSERT_TRUE(f.HasContent(sample::kCare, accepted.signal_id()));
  auto outcome = f.Withdraw(sample::kTeam, id);
  ASSERT_FALSE(outcome.refused);
  EXPECT_THAT(outcome.effects.changed_subjects, ElementsAre(kPerson.pairs(0).value()));
  EXPECT_FALSE(f.HasContent(sample::kCare, accepted.signal_id()));
  EXPECT_EQ(f.CountKeys(store::Family::kContent, "w"), 0u);
  EXPECT_THAT(f.Pull(sample::kTeam).items, IsEmpty());
  auto feed = f.Feed(sample::kCare);
  ASSERT_EQ(feed.size(), 2u);
  EXPECT_EQ(feed[1].outcome().state(), v1::RECIPIENT_STATE_WITHHELD);
  EXPECT_EQ(feed[1].outcome().reason(), "NOT_PERMITTED");
  EXPECT_EQ(feed[1].signal_id(), accepted.signal_id());
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_WITHDRAWAL).size(), 1u);
}

TEST(Consent, WithholdingTellsTheSenderNothingOfWhoWithdrew) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kTeam));
  f.Accept(f.Avoidance(kPerson));
  f.Withdraw(sample::kTeam, id);
  auto records = f.RecordsOf(v1::RECORD_KIND_WITHHELD);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].organisation(), sample::kCare.str());
  EXPECT_EQ(records[0].actor(), "");
  EXPECT_EQ(records[0].actor_role(), "");
}

TEST(Consent, WithdrawnAfterDeliveryNotifiesTheReader) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kCare));
  auto accepted = f.Accept(f.Avoidance(kPerson));
  auto leased = f.Pull(sample::kTeam);
  ASSERT_FALSE(f.Acknowledge(sample::kTeam, leased.items.at(0).delivery_id).refused);
  EXPECT_THAT(f.Withdraw(sample::kCare, id).effects.wake, ElementsAre(sample::kTeam));
  auto noticed = f.Pull(sample::kTeam);
  ASSERT_EQ(noticed.items.size(), 1u);
  ASSERT_TRUE(noticed.items[0].delivery.has_notice());
  EXPECT_EQ(noticed.items[0].delivery.notice().kind(), v1::NOTICE_KIND_CONSENT_WITHDRAWN);
  EXPECT_EQ(noticed.items[0].delivery.notice().signal_id(), accepted.signal_id());
  auto records = f.RecordsOf(v1::RECORD_KIND_NOTICE);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].organisation(), sample::kTeam.str());
  EXPECT_EQ(records[0].actor(), "");
  ASSERT_FALSE(f.Acknowledge(sample::kTeam, noticed.items[0].delivery_id).refused);
  EXPECT_THAT(f.Pull(sample::kTeam).items, IsEmpty());
}

TEST(Consent, WithdrawnDuringALeaseNotifiesWhenUnwrittenDeliveriesAreCancelled) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kCare));
  f.Accept(f.Avoidance(kPerson));
  f.Accept(f.Avoidance(kPerson));
  auto leased = f.Pull(sample::kTeam);
  ASSERT_EQ(leased.items.size(), 2u);
  f.Withdraw(sample::kCare, id);
  f.Do(machine::CancelDelivery{sample::kTeam, leased.items[1].delivery_id});
  f.AdvanceAndTick(5s - 1us);
  EXPECT_THAT(f.Pull(sample::kTeam).items, IsEmpty());
  f.AdvanceAndTick(1us);
  auto noticed = f.Pull(sample::kTeam);
  ASSERT_EQ(noticed.items.size(), 1u);
  v1::Header header;
  ASSERT_TRUE(header.ParseFromString(leased.items[0].delivery.signal().header()));
  EXPECT_EQ(noticed.items[0].delivery.notice().signal_id(), header.signal_id());
}

TEST(Consent, EarlierReadersAreKeptByTheStatementThatTheyReliedOn) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kCare));
  f.Accept(f.Avoidance(kPerson));
  f.Pull(sample::kTeam);
  EXPECT_EQ(f.CountKeys(store::Family::kHot, machine::keys::RelianceOfDeliveryPrefix(id)), 1u);
}

TEST(Consent, OnlyItsRecorderWithdrawsIt) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kCare));
  auto outcome = f.Withdraw(sample::kTeam, id);
  ASSERT_TRUE(outcome.refused);
  EXPECT_EQ(outcome.refused->reason, "NOT_RECORDER");
  EXPECT_EQ(f.Withdraw(sample::kTeam, StatementId{}).refused->reason, "NOT_FOUND");
}

TEST(Consent, WithdrawnAgainGetsTheFirstAnswerForTheSameBytesOnly) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kCare));
  auto command = f.Withdrawal(sample::kCare, id);
  auto first = f.DoAs(sample::kCare, command);
  auto size = f.machine().TreeHead().size;
  auto again = f.DoAs(sample::kCare, command);
  ASSERT_FALSE(again.refused);
  EXPECT_EQ(f.machine().TreeHead().size, size);
  EXPECT_EQ(std::get<v1::WithdrawStatementResponse>(first.answer).SerializeAsString(),
            std::get<v1::WithdrawStatementResponse>(again.answer).SerializeAsString());
  EXPECT_EQ(f.Withdraw(sample::kCare, id).refused->reason, "ALREADY_WITHDRAWN");
}

TEST(Consent, WithALeaseInHandIsDecidedAnewWhenTheItemComesBack) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kCare));
  auto accepted = f.Accept(f.Avoidance(kPerson));
  auto leased = f.Pull(sample::kTeam);
  f.Withdraw(sample::kCare, id);
  EXPECT_TRUE(f.HasContent(sample::kCare, accepted.signal_id()));
  ASSERT_FALSE(f.DoAs(sample::kTeam, machine::Release{leased.items.at(0).delivery_id}).refused);
  EXPECT_FALSE(f.HasContent(sample::kCare, accepted.signal_id()));
  EXPECT_EQ(f.Feed(sample::kCare).back().outcome().state(), v1::RECIPIENT_STATE_WITHHELD);
}

TEST(Consent, ACancelledDeliveryReliedOnNothing) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kCare));
  auto accepted = f.Accept(f.Avoidance(kPerson));
  auto leased = f.Pull(sample::kTeam);
  f.Withdraw(sample::kCare, id);
  f.Do(machine::CancelDelivery{sample::kTeam, leased.items.at(0).delivery_id});
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_DELIVERY_CANCELLED).size(), 1u);
  EXPECT_EQ(f.CountKeys(store::Family::kHot, machine::keys::RelianceOfDeliveryPrefix(id)), 0u);
  f.AdvanceAndTick(5s);
  EXPECT_THAT(f.Items(sample::kTeam), ::testing::SizeIs(1));  // no notice to who read nothing
  EXPECT_FALSE(f.HasContent(sample::kCare, accepted.signal_id()));
  // Nobody saw that delivery, so nobody can settle it.
  EXPECT_EQ(f.Acknowledge(sample::kTeam, leased.items[0].delivery_id).refused->reason,
            "DELIVERY_UNKNOWN");
  std::vector<v1::RecipientState> states;
  for (const auto& event : f.Feed(sample::kCare)) states.push_back(event.outcome().state());
  EXPECT_THAT(states, ElementsAre(v1::RECIPIENT_STATE_QUEUED, v1::RECIPIENT_STATE_DELIVERED,
                                  v1::RECIPIENT_STATE_QUEUED, v1::RECIPIENT_STATE_WITHHELD));
}

TEST(Consent, HoldsFromItsFirstMillisecondToBeforeItsLast) {
  MachineFixture f;
  auto consent = Consent(sample::kTeam);
  consent.starts_in = 1000ms;
  consent.lasts = 1000ms;
  f.Record(consent);
  auto state_now = [&] { return f.Accept(f.Avoidance(kPerson)).outcomes(0).state(); };
  f.Advance(999'999us);
  EXPECT_EQ(state_now(), v1::RECIPIENT_STATE_DENIED);
  f.Advance(1us);
  EXPECT_EQ(state_now(), v1::RECIPIENT_STATE_QUEUED);
  f.Advance(999'999us);
  EXPECT_EQ(state_now(), v1::RECIPIENT_STATE_QUEUED);
  f.Advance(1us);
  EXPECT_EQ(state_now(), v1::RECIPIENT_STATE_DENIED);
}

TEST(Consent, ThatEndsWhileQueuedStopsTheDelivery) {
  MachineFixture f;
  auto consent = Consent(sample::kTeam);
  consent.lasts = 1000ms;
  f.Record(consent);
  auto spec = f.Avoidance(kPerson);
  f.Accept(spec);
  f.Accept(spec);
  f.Advance(999ms);
  EXPECT_EQ(f.Pull(sample::kTeam, 1).items.size(), 1u);
  f.Advance(1ms);
  EXPECT_THAT(f.Pull(sample::kTeam).items, IsEmpty());
  EXPECT_EQ(f.Feed(sample::kCare).back().outcome().state(), v1::RECIPIENT_STATE_WITHHELD);
}

TEST(Consent, GivenLaterNeverWidensWhatWasPermittedAtPublish) {
  MachineFixture f;
  auto consent = Consent(sample::kTeam);
  consent.category = "daily-living";
  f.Record(consent);
  auto spec = f.Avoidance(kPerson);
  spec.sections.push_back({"social", "consent"});
  f.Accept(spec);
  f.Record(Consent(sample::kTeam));
  auto leased = f.Pull(sample::kTeam);
  ASSERT_EQ(leased.items.size(), 1u);
  EXPECT_EQ(leased.items[0].delivery.signal().sections_size(), 1);
}

TEST(Withdrawal, OfMoreThanACommandSettlesGoesOnByTimers) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kTeam));
  auto spec = f.Avoidance(kPerson);
  constexpr size_t kSignals = 1100;
  for (size_t i = 0; i < kSignals; ++i) f.Accept(spec);
  auto outcome = f.Withdraw(sample::kTeam, id);
  EXPECT_TRUE(outcome.effects.timers_left);
  EXPECT_THAT(f.Pull(sample::kTeam).items, IsEmpty());  // denied though not yet settled
  f.TickAll();
  EXPECT_EQ(f.CountKeys(store::Family::kContent, ""), 0u);
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_WITHHELD).size(), kSignals);
}

TEST(Withdrawal, OfManyHouseholdsStaysWithinTheRecordsOfACommand) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kTeam));
  auto spec = f.Avoidance(kPerson);
  for (int i = 1; i < 16; ++i) spec.subjects.push_back(Linked("kin" + std::to_string(i)));
  constexpr size_t kSignals = 300;  // 4,800 records when all are withheld
  for (size_t i = 0; i < kSignals; ++i) f.Accept(spec);
  auto before = f.machine().TreeHead().size;
  EXPECT_TRUE(f.Withdraw(sample::kTeam, id).effects.timers_left);
  EXPECT_LE(f.machine().TreeHead().size - before, 1100u);
  f.TickAll();
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_WITHHELD).size(), kSignals * 16);
  EXPECT_EQ(f.CountKeys(store::Family::kContent, ""), 0u);
}

}  // namespace
}  // namespace schakel::testing
