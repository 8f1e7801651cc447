// Leases, their ends, and the order in which an inbox hands out.
#include "tests/unit/machine/inbox_fixture.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;
using machine::Leased;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(Inbox, ALeasedItemIsNotHandedOutAgainBeforeItsLeaseEnds) {
  auto id = Send();
  auto first = f_.Pull(sample::kDebtRelief);
  EXPECT_THAT(SignalsOf(first), ElementsAre(id));
  EXPECT_EQ(first.items[0].delivery.attempt(), 1u);
  f_.AdvanceAndTick(60s - 1us);
  EXPECT_THAT(f_.Pull(sample::kDebtRelief).items, IsEmpty());
  f_.AdvanceAndTick(1us);
  auto second = f_.Pull(sample::kDebtRelief);
  EXPECT_THAT(SignalsOf(second), ElementsAre(id));
  EXPECT_EQ(second.items[0].delivery.attempt(), 2u);
  EXPECT_NE(second.items[0].delivery_id, first.items[0].delivery_id);
}

TEST_F(Inbox, TheFeedTellsOfTheFirstDeliveryOnly) {
  Send();
  PullOne();
  f_.AdvanceAndTick(60s);
  PullOne();
  std::vector<v1::RecipientState> states;
  for (const auto& event : f_.Feed(sample::kCorporation)) states.push_back(event.outcome().state());
  EXPECT_THAT(states, ElementsAre(v1::RECIPIENT_STATE_QUEUED, v1::RECIPIENT_STATE_DELIVERED));
}

TEST_F(Inbox, AnAcknowledgementSettlesAndDestroysTheContent) {
  auto id = Send();
  auto delivery = PullOne();
  auto outcome = f_.Acknowledge(sample::kDebtRelief, delivery);
  ASSERT_FALSE(outcome.refused);
  EXPECT_EQ(LastEvent().outcome().state(), v1::RECIPIENT_STATE_ACKNOWLEDGED);
  EXPECT_FALSE(f_.HasContent(sample::kCorporation, id));
  EXPECT_EQ(f_.CountKeys(store::Family::kContent, ""), 0u);
  EXPECT_EQ(f_.CountKeys(store::Family::kHot, "r"), 0u);
  EXPECT_EQ(f_.CountKeys(store::Family::kHot, "p"), 0u);
  // Again: the first answer, no record.
  auto size = f_.machine().TreeHead().size;
  auto again = f_.Acknowledge(sample::kDebtRelief, delivery);
  EXPECT_EQ(std::get<v1::AcknowledgeResponse>(outcome.answer).SerializeAsString(),
            std::get<v1::AcknowledgeResponse>(again.answer).SerializeAsString());
  EXPECT_EQ(f_.machine().TreeHead().size, size);
  EXPECT_EQ(ReasonOf(f_.Refuse(sample::kDebtRelief, delivery, "not-ours")), "DELIVERY_SETTLED");
}

TEST_F(Inbox, AnAcknowledgementCountsAfterItsLeaseToo) {
  Send();
  auto first = PullOne();
  f_.AdvanceAndTick(60s);
  EXPECT_FALSE(f_.Acknowledge(sample::kDebtRelief, first).refused);
  EXPECT_THAT(f_.Pull(sample::kDebtRelief).items, IsEmpty());
  Send();
  auto early = PullOne();
  f_.AdvanceAndTick(60s);
  PullOne();
  EXPECT_FALSE(f_.Acknowledge(sample::kDebtRelief, early).refused);
  f_.AdvanceAndTick(60s);
  EXPECT_THAT(f_.Pull(sample::kDebtRelief).items, IsEmpty());
}

TEST_F(Inbox, NobodyElseSettlesADelivery) {
  Send();
  auto delivery = PullOne();
  EXPECT_EQ(ReasonOf(f_.Acknowledge(sample::kPolice, delivery)), "DELIVERY_UNKNOWN");
  EXPECT_EQ(ReasonOf(f_.Acknowledge(sample::kDebtRelief, DeliveryId{})), "DELIVERY_UNKNOWN");
  EXPECT_EQ(ReasonOf(f_.DoAs(sample::kPolice, machine::Release{delivery})), "DELIVERY_UNKNOWN");
}

TEST_F(Inbox, ARefusalReachesTheSendersFeedWithItsReason) {
  Send();
  auto delivery = PullOne();
  machine::Refuse refuse{delivery, {}};
  refuse.request.set_reason_code("wrong-function");
  refuse.request.set_reason_text("belongs to the shelter");
  refuse.request.mutable_redirect()->set_function("shelter");
  refuse.request.mutable_redirect()->set_area("dordrecht");
  auto outcome = f_.DoAs(sample::kDebtRelief, refuse);
  ASSERT_FALSE(outcome.refused);
  auto told = LastEvent().outcome();
  EXPECT_EQ(told.state(), v1::RECIPIENT_STATE_REFUSED);
  EXPECT_EQ(told.reason(), "wrong-function");
  EXPECT_EQ(told.reason_text(), "belongs to the shelter");
  EXPECT_EQ(told.redirect().function(), "shelter");
  auto records = f_.RecordsOf(v1::RECORD_KIND_REFUSAL);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].reason(), "wrong-function");
  EXPECT_EQ(records[0].facts().redirect().function(), "shelter");
  EXPECT_FALSE(f_.DoAs(sample::kDebtRelief, refuse).refused);
  EXPECT_EQ(ReasonOf(f_.Acknowledge(sample::kDebtRelief, delivery)), "DELIVERY_SETTLED");
}

TEST_F(Inbox, AnExtendedLeaseEndsLater) {
  Send();
  auto delivery = PullOne();
  f_.AdvanceAndTick(59s);
  auto outcome = f_.DoAs(sample::kDebtRelief, machine::Extend{delivery, 120s});
  ASSERT_FALSE(outcome.refused);
  EXPECT_EQ(std::get<v1::ExtendResponse>(outcome.answer).lease_until().seconds(),
            (f_.now() + 120s).count() / 1'000'000);
  f_.AdvanceAndTick(119s);
  EXPECT_THAT(f_.Pull(sample::kDebtRelief).items, IsEmpty());
  f_.AdvanceAndTick(1s);
  EXPECT_EQ(f_.Pull(sample::kDebtRelief).items.size(), 1u);
  EXPECT_EQ(ReasonOf(f_.DoAs(sample::kDebtRelief, machine::Extend{delivery, 120s})), "LEASE_LOST");
}

TEST_F(Inbox, AReleasedItemIsReadyAtOnceAtItsOldPlace) {
  auto first = Send();
  auto second = Send();
  auto delivery = PullOne();
  ASSERT_FALSE(f_.DoAs(sample::kDebtRelief, machine::Release{delivery}).refused);
  EXPECT_THAT(SignalsOf(f_.Pull(sample::kDebtRelief)), ElementsAre(first, second));
  EXPECT_EQ(ReasonOf(f_.DoAs(sample::kDebtRelief, machine::Release{delivery})), "LEASE_LOST");
}

TEST_F(Inbox, TenLeasesThatRanOutMakeADeadLetter) {
  auto id = Send();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(f_.HasContent(sample::kCorporation, id)) << i;
    ASSERT_EQ(f_.Pull(sample::kDebtRelief).items.size(), 1u) << i;
    f_.AdvanceAndTick(60s);
  }
  EXPECT_THAT(f_.Pull(sample::kDebtRelief).items, IsEmpty());
  EXPECT_EQ(LastEvent().outcome().state(), v1::RECIPIENT_STATE_DEAD_LETTER);
  EXPECT_FALSE(f_.HasContent(sample::kCorporation, id));
  auto records = f_.RecordsOf(v1::RECORD_KIND_EXPIRY);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_NE(records[0].facts().text(), "");
}

TEST_F(Inbox, ReleasesAndEndedStreamsDoNotCountToTheTen) {
  Send();
  for (int i = 0; i < 12; ++i) {
    auto delivery = PullOne();
    if (i % 2 == 0) {
      f_.Do(machine::ReleaseStream{sample::kDebtRelief, {delivery, DeliveryId{}}});
    } else {
      f_.DoAs(sample::kDebtRelief, machine::Release{delivery});
    }
  }
  for (int i = 0; i < 12; ++i) {
    f_.Do(machine::CancelDelivery{sample::kDebtRelief, PullOne()});
  }
  EXPECT_EQ(f_.Pull(sample::kDebtRelief).items.size(), 1u);
}

TEST_F(Inbox, WhatIsCancelledAfterItsLeaseLeavesNothing) {
  Send();
  auto delivery = PullOne();
  f_.Acknowledge(sample::kDebtRelief, delivery);
  auto size = f_.machine().TreeHead().size;
  EXPECT_FALSE(f_.Do(machine::CancelDelivery{sample::kDebtRelief, delivery}).refused);
  EXPECT_EQ(f_.machine().TreeHead().size, size);
}

TEST_F(Inbox, TheSameFetchIdGetsTheSameItemsWhileItsLeaseLasts) {
  auto id = Send();
  auto fetch = f_.random().Make<RequestId>();
  auto first = f_.Fetch(sample::kDebtRelief, fetch, 1, 1h);
  Send();
  f_.AdvanceAndTick(30min);
  f_.Reload();
  auto again = f_.Fetch(sample::kDebtRelief, fetch, 1, 1h);
  ASSERT_EQ(again.items.size(), 1u);
  EXPECT_EQ(again.items[0].delivery_id, first.items.at(0).delivery_id);
  EXPECT_EQ(again.items[0].delivery.attempt(), 1u);
  EXPECT_EQ(again.items[0].delivery.lease_until().seconds(),
            first.items[0].delivery.lease_until().seconds());
  EXPECT_THAT(SignalsOf(again), ElementsAre(id));
  // Each hand-over of content is in the log.
  EXPECT_EQ(f_.RecordsOf(v1::RECORD_KIND_DELIVERY).size(), 2u);
  f_.Acknowledge(sample::kDebtRelief, first.items[0].delivery_id);
  EXPECT_THAT(f_.Fetch(sample::kDebtRelief, fetch, 1, 1h).items, IsEmpty());
}

TEST_F(Inbox, AFetchIdIsForgottenWithItsLease) {
  Send();
  auto fetch = f_.random().Make<RequestId>();
  auto first = f_.Fetch(sample::kDebtRelief, fetch, 1, 1h);
  EXPECT_EQ(f_.CountKeys(store::Family::kHot, "f"), 1u);
  f_.AdvanceAndTick(1h);
  EXPECT_EQ(f_.CountKeys(store::Family::kHot, "f"), 0u);
  auto again = f_.Fetch(sample::kDebtRelief, fetch, 1, 1h);
  ASSERT_EQ(again.items.size(), 1u);
  EXPECT_NE(again.items[0].delivery_id, first.items.at(0).delivery_id);
}

TEST_F(Inbox, ARepeatedFetchNeverHandsOverWhatWasWithdrawnMeanwhile) {
  auto person = Linked("person");
  auto consent = f_.Record({.recorder = sample::kCare, .subject = person});
  f_.Accept(f_.Avoidance(person));
  auto fetch = f_.random().Make<RequestId>();
  ASSERT_EQ(f_.Fetch(sample::kTeam, fetch).items.size(), 1u);
  f_.Withdraw(sample::kCare, consent);
  EXPECT_THAT(f_.Fetch(sample::kTeam, fetch).items, IsEmpty());
  EXPECT_EQ(f_.Feed(sample::kCare).back().outcome().state(), v1::RECIPIENT_STATE_WITHHELD);
}

TEST_F(Inbox, ARepeatedFetchRemembersANewConsentThatItReliesOn) {
  auto person = Linked("person");
  auto first = f_.Record({.recorder = sample::kCare, .subject = person});
  f_.Accept(f_.Avoidance(person));
  auto fetch = f_.random().Make<RequestId>();
  ASSERT_EQ(f_.Fetch(sample::kTeam, fetch).items.size(), 1u);
  auto second = f_.Record({.recorder = sample::kCare, .subject = person});
  f_.Withdraw(sample::kCare, first);
  ASSERT_EQ(f_.Fetch(sample::kTeam, fetch).items.size(), 1u);
  EXPECT_EQ(f_.CountKeys(store::Family::kHot, machine::keys::RelianceOfDeliveryPrefix(second)), 1u);
}

TEST_F(Inbox, AcuteItemsGoFirst) {
  auto normal = Send();
  auto acute = Send(v1::URGENCY_ACUTE);
  auto later = Send(v1::URGENCY_ACUTE);
  EXPECT_THAT(SignalsOf(f_.Pull(sample::kDebtRelief)), ElementsAre(acute, later, normal));
}

TEST_F(Inbox, OneCaseGoesOneAtATimeAndHoldsUpNoOther) {
  auto a = f_.random().Make<CaseId>();
  auto b = f_.random().Make<CaseId>();
  auto a1 = Send(v1::URGENCY_NORMAL, a);
  auto a2 = Send(v1::URGENCY_NORMAL, a);
  auto b1 = Send(v1::URGENCY_NORMAL, b);
  auto free1 = Send();
  auto first = f_.Pull(sample::kDebtRelief);
  EXPECT_THAT(SignalsOf(first), ElementsAre(a1, b1, free1));
  EXPECT_THAT(f_.Pull(sample::kDebtRelief).items, IsEmpty());
  // A stuck case: its leases run out, others go on.
  f_.Acknowledge(sample::kDebtRelief, first.items[1].delivery_id);
  auto b2 = Send(v1::URGENCY_NORMAL, b);
  EXPECT_THAT(SignalsOf(f_.Pull(sample::kDebtRelief)), ElementsAre(b2));
  auto outcome = f_.Acknowledge(sample::kDebtRelief, first.items[0].delivery_id);
  EXPECT_THAT(outcome.effects.wake, ElementsAre(sample::kDebtRelief));
  EXPECT_THAT(SignalsOf(f_.Pull(sample::kDebtRelief)), ElementsAre(a2));
}

TEST_F(Inbox, AnAcuteItemOvertakesItsOwnCase) {
  auto c = f_.random().Make<CaseId>();
  auto normal = Send(v1::URGENCY_NORMAL, c);
  Send(v1::URGENCY_NORMAL, c);
  auto acute = Send(v1::URGENCY_ACUTE, c);
  EXPECT_THAT(SignalsOf(f_.Pull(sample::kDebtRelief)), ElementsAre(acute, normal));
}

TEST_F(Inbox, AReleasedItemOfACaseStaysBeforeItsSuccessor) {
  auto c = f_.random().Make<CaseId>();
  auto first = Send(v1::URGENCY_NORMAL, c);
  auto second = Send(v1::URGENCY_NORMAL, c);
  auto delivery = PullOne();
  f_.DoAs(sample::kDebtRelief, machine::Release{delivery});
  auto leased = f_.Pull(sample::kDebtRelief);
  EXPECT_THAT(SignalsOf(leased), ElementsAre(first));
  f_.Refuse(sample::kDebtRelief, leased.items[0].delivery_id, "not-ours");
  EXPECT_THAT(SignalsOf(f_.Pull(sample::kDebtRelief)), ElementsAre(second));
}

TEST_F(Inbox, ADeliveryTakesNoMoreItemsOrBytesThanItMay) {
  std::vector<Bytes> sent;
  for (int i = 0; i < 5; ++i) sent.push_back(Send());
  auto two = f_.Pull(sample::kDebtRelief, 2);
  EXPECT_THAT(SignalsOf(two), ElementsAre(sent[0], sent[1]));
  EXPECT_TRUE(two.more);
  // Room for one: the first always goes, the rest waits.
  auto outcome = f_.DoAs(sample::kDebtRelief, machine::Deliver{64, 100, 60s, {}});
  auto one = std::get<Leased>(outcome.answer);
  EXPECT_THAT(SignalsOf(one), ElementsAre(sent[2]));
  EXPECT_TRUE(one.more);
  auto rest = f_.Pull(sample::kDebtRelief);
  EXPECT_EQ(rest.items.size(), 2u);
  EXPECT_FALSE(rest.more);
}

TEST_F(Inbox, ASignalExpiresToTheMillisecond) {
  auto spec = f_.Arrears();
  spec.lifetime = 3600s;
  auto id = f_.Accept(spec).signal_id();
  f_.Advance(3600s - 1us);
  auto delivery = PullOne();
  f_.DoAs(sample::kDebtRelief, machine::Release{delivery});
  f_.Advance(1us);
  EXPECT_THAT(f_.Pull(sample::kDebtRelief).items, IsEmpty());
  EXPECT_EQ(LastEvent().outcome().state(), v1::RECIPIENT_STATE_EXPIRED);
  EXPECT_FALSE(f_.HasContent(sample::kCorporation, id));
}

TEST_F(Inbox, AnUnreadSignalExpiresByItself) {
  auto spec = f_.Arrears();
  spec.lifetime = 3600s;
  auto id = f_.Accept(spec).signal_id();
  f_.AdvanceAndTick(3600s);
  EXPECT_FALSE(f_.HasContent(sample::kCorporation, id));
  EXPECT_EQ(f_.CountKeys(store::Family::kContent, ""), 0u);
  auto records = f_.RecordsOf(v1::RECORD_KIND_EXPIRY);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].organisation(), sample::kCorporation.str());
}

TEST_F(Inbox, ASignalThatExpiredInAReadersHandsEndsWhenItComesBack) {
  auto spec = f_.Arrears();
  spec.lifetime = 3600s;
  auto id = f_.Accept(spec).signal_id();
  f_.Advance(3590s);
  auto delivery = PullOne();
  f_.AdvanceAndTick(20s);
  EXPECT_TRUE(f_.HasContent(sample::kCorporation, id));
  ASSERT_FALSE(f_.DoAs(sample::kDebtRelief, machine::Release{delivery}).refused);
  EXPECT_FALSE(f_.HasContent(sample::kCorporation, id));
  EXPECT_EQ(LastEvent().outcome().state(), v1::RECIPIENT_STATE_EXPIRED);
}

TEST_F(Inbox, WhatIsKeptOfASignalEndsATermAfterIt) {
  f_.Accept(f_.Arrears());
  auto delivery = PullOne();
  f_.Acknowledge(sample::kDebtRelief, delivery);
  f_.AdvanceAndTick((5 + 730) * 24h);
  f_.SweepAll();
  EXPECT_EQ(f_.CountKeys(store::Family::kHot, "s"), 1u);
  f_.AdvanceAndSweep(24h);
  for (const char* kind : {"s", "z", "i", "d", "e", "t", "r", "w", "a", "g"}) {
    EXPECT_EQ(f_.CountKeys(store::Family::kHot, kind), 0u) << kind;
  }
}

TEST_F(Inbox, ANoticeThatNobodyFetchesEnds) {
  auto person = Linked("person");
  auto consent = f_.Record({.recorder = sample::kCare, .subject = person});
  f_.Accept(f_.Avoidance(person));
  f_.Acknowledge(sample::kTeam, f_.Pull(sample::kTeam).items.at(0).delivery_id);
  f_.Withdraw(sample::kCare, consent);
  f_.AdvanceAndTick(5s);
  EXPECT_EQ(f_.Items(sample::kTeam).size(), 2u);
  f_.AdvanceAndTick(90 * 24h);
  EXPECT_EQ(f_.Items(sample::kTeam).size(), 1u);
  EXPECT_THAT(f_.Pull(sample::kTeam).items, IsEmpty());
}

TEST_F(Inbox, OfADisabledSenderHandsOutNothingMore) {
  Send();
  machine::DisableOrganisation disable;
  disable.request.set_oin(sample::kCorporation.str());
  disable.request.set_reason("test");
  ASSERT_FALSE(f_.DoAs(sample::kRegistrar, disable).refused);
  EXPECT_THAT(f_.Pull(sample::kDebtRelief).items, IsEmpty());
}

}  // namespace
}  // namespace schakel::testing
