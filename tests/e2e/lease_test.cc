// Leases, order and what ends by time: with a broker whose clock the tests move.
#include <map>

#include "tests/e2e/lease_story.h"

namespace schakel::e2e {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(Leases, OnlyLeasesThatRanOutCountAndTenOfThemMakeADeadLetter) {
  const Bytes signal = SendArrears();
  v1::Delivery delivery;
  // Ended streams do not count.
  for (uint32_t attempt = 1; attempt <= 2; ++attempt) {
    const auto stream = Pull(As("debt-relief"));
    ASSERT_EQ(NextOf(*stream, &delivery), signal);
    EXPECT_EQ(delivery.attempt(), attempt);
    stream->Close();
  }
  // Nor does the broker's own start, however long it was away.
  auto held = Pull(As("debt-relief"));
  ASSERT_EQ(NextOf(*held, &delivery), signal);
  region().KillBroker();
  steering().Pass(minutes(5));
  held->Close();
  region().StartBroker();

  // A reader that never answers: a window of one is no obstacle, since a lease that ran out holds
  // nothing any more.
  const auto fresh = region().NewSession("debt-relief");
  const auto stream = Pull(*fresh, 1);
  for (uint32_t expired = 0; expired < 10; ++expired) {
    ASSERT_EQ(NextOf(*stream, &delivery), signal) << expired << " leases ran out";
    EXPECT_EQ(delivery.attempt(), 4 + expired);
    EXPECT_EQ(LastState(signal), v1::RECIPIENT_STATE_DELIVERED);
    steering().Pass(kPastLease);
  }
  EXPECT_TRUE(Becomes(signal, v1::RECIPIENT_STATE_DEAD_LETTER));
  ASSERT_OK_AND(const auto records, RecordsAbout(region(), *SignalId::From(signal)));
  ASSERT_EQ(CountKind(records, v1::RECORD_KIND_EXPIRY), 1u);
  EXPECT_THAT(records.back().facts().text(), HasSubstr("dead letter"));
  // The stream goes on with what comes next, and nothing of the dead letter.
  const Bytes next = SendArrears();
  ASSERT_EQ(NextOf(*stream, &delivery), next);
  ASSERT_OK(stream->Acknowledge(IdOf(delivery)));
}

TEST_F(Leases, ExtendKeepsALeaseThatWouldHaveRunOut) {
  const Bytes kept = SendArrears();
  const Bytes lost = SendArrears();
  ASSERT_OK_AND(auto* inbox, As("debt-relief").inbox());
  ASSERT_OK_AND(const auto fetched, inbox->Fetch(sdk::NewRequestId(), 10, kLease));
  ASSERT_EQ(fetched.deliveries_size(), 2);
  ASSERT_EQ(SignalOf(fetched.deliveries(0)), kept);
  ASSERT_OK(inbox->Extend(IdOf(fetched.deliveries(0)), minutes(5)));
  steering().Pass(kPastLease);
  const auto stream = Pull(As("debt-relief"));
  v1::Delivery delivery;
  ASSERT_EQ(NextOf(*stream, &delivery), lost);
  EXPECT_EQ(delivery.attempt(), 2u);
  // On a stream as well: extended there, it is not the one that comes again.
  const Bytes other = SendArrears();
  v1::Delivery second;
  ASSERT_EQ(NextOf(*stream, &second), other);
  ASSERT_OK(stream->Extend(IdOf(delivery), minutes(5)));
  steering().Pass(kPastLease);
  v1::Delivery again;
  ASSERT_EQ(NextOf(*stream, &again), other);
  EXPECT_EQ(again.attempt(), 2u);
  // What was lost by time can't be given back or extended, but still be acknowledged.
  const auto released = stream->Release(IdOf(second));
  ASSERT_FALSE(released.ok());
  EXPECT_EQ(released.error().reason, "LEASE_LOST");
  ASSERT_OK(stream->Acknowledge(IdOf(second)));
  ASSERT_OK(stream->Acknowledge(IdOf(delivery)));
  ASSERT_OK(inbox->Acknowledge(IdOf(fetched.deliveries(0))));
  for (const Bytes& signal : {kept, lost, other}) {
    EXPECT_EQ(LastState(signal), v1::RECIPIENT_STATE_ACKNOWLEDGED);
  }
}

TEST_F(Leases, AnExpiredSignalIsToldToItsSenderAndGoesToNobody) {
  const Bytes read = SendArrears(hours(2));
  ASSERT_OK_AND(const auto held, FetchAll(As("debt-relief")));
  ASSERT_EQ(held.size(), 1u);
  const Bytes unread = SendArrears(hours(2));
  steering().Pass(hours(2) + seconds(1));
  EXPECT_TRUE(Becomes(unread, v1::RECIPIENT_STATE_EXPIRED));
  ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
  EXPECT_THAT(waiting, IsEmpty());
  ASSERT_OK_AND(auto* signals, As("corporation").signals());
  ASSERT_OK_AND(const auto status, signals->Get(*SignalId::From(unread)));
  EXPECT_EQ(status.signal().outcomes(0).state(), v1::RECIPIENT_STATE_EXPIRED);
  ASSERT_OK_AND(const auto records, RecordsAbout(region(), *SignalId::From(unread)));
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_EXPIRY), 1u);
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_DELIVERY), 0u);
  // One that was being read is its reader's until the lease ends.
  ASSERT_OK_AND(auto* inbox, As("debt-relief").inbox());
  ASSERT_OK(inbox->Acknowledge(IdOf(held[0])));
  EXPECT_EQ(LastState(read), v1::RECIPIENT_STATE_ACKNOWLEDGED);
}

// ---- Order ----

TEST_F(Leases, UrgentFirstThenEachCaseInItsOwnOrderOverFetch) {
  const Bytes x1 = Report(Case('x'));
  const Bytes x2 = Report(Case('x'));
  const Bytes y1 = Report(Case('y'));
  const Bytes none = Report(std::nullopt);
  const Bytes urgent_x1 = Report(Case('x'), v1::URGENCY_ACUTE);
  const Bytes urgent_x2 = Report(Case('x'), v1::URGENCY_ACUTE);
  const Bytes urgent_y1 = Report(Case('y'), v1::URGENCY_ACUTE);
  ASSERT_OK_AND(auto* inbox, As("centre").inbox());
  std::map<Bytes, DeliveryId> held;
  // The signals of one Fetch, in the order in which they came.
  const auto fetch = [&] {
    std::vector<Bytes> order;
    const auto deliveries = FetchAll(As("centre"));
    EXPECT_TRUE(deliveries.ok()) << Why(deliveries);
    for (const auto& delivery : *deliveries) {
      order.push_back(SignalOf(delivery));
      held.emplace(order.back(), IdOf(delivery));
    }
    return order;
  };
  // One of each case and urgency; urgent ones of all cases before any other.
  EXPECT_THAT(fetch(), ElementsAre(urgent_x1, urgent_y1, x1, y1, none));
  EXPECT_THAT(fetch(), IsEmpty());
  ASSERT_OK(inbox->Acknowledge(held.at(y1)));
  EXPECT_THAT(fetch(), IsEmpty()) << "another case was settled";
  ASSERT_OK(inbox->Acknowledge(held.at(x1)));
  EXPECT_THAT(fetch(), ElementsAre(x2)) << "its urgent ones have an order of their own";
  ASSERT_OK(inbox->Acknowledge(held.at(urgent_x1)));
  EXPECT_THAT(fetch(), ElementsAre(urgent_x2));
  for (const Bytes& signal : {x2, none, urgent_x2, urgent_y1}) {
    ASSERT_OK(inbox->Acknowledge(held.at(signal)));
  }
}

TEST_F(Leases, AStuckCaseHoldsUpNoOtherOnAStream) {
  const auto stream = Pull(As("centre"), 2);
  v1::Delivery stuck;
  v1::Delivery delivery;
  const Bytes x1 = Report(Case('x'));
  ASSERT_EQ(NextOf(*stream, &stuck), x1);  // and is never settled
  const Bytes x2 = Report(Case('x'));
  for (const char other : {'y', 'z', 'y'}) {
    const Bytes signal = Report(Case(other));
    ASSERT_EQ(NextOf(*stream, &delivery), signal);
    ASSERT_OK(stream->Acknowledge(IdOf(delivery)));
  }
  const Bytes urgent = Report(Case('x'), v1::URGENCY_ACUTE);
  ASSERT_EQ(NextOf(*stream, &delivery), urgent);
  ASSERT_OK(stream->Acknowledge(IdOf(delivery)));
  // Its case goes on when it is settled, and not before.
  ASSERT_OK(stream->Acknowledge(IdOf(stuck)));
  ASSERT_EQ(NextOf(*stream, &delivery), x2);
  ASSERT_OK(stream->Acknowledge(IdOf(delivery)));
}

TEST_F(Leases, UrgentOnesOvertakeWhatWaitsForAStream) {
  // A window of one: what comes is chosen each time that there is room.
  const auto stream = Pull(As("centre"), 1);
  v1::Delivery delivery;
  const Bytes first = Report(Case('a'));
  ASSERT_EQ(NextOf(*stream, &delivery), first);
  const Bytes b = Report(Case('b'));
  const Bytes c = Report(Case('c'));
  const Bytes urgent = Report(Case('d'), v1::URGENCY_ACUTE);
  for (const Bytes& next : {urgent, b, c}) {
    ASSERT_OK(stream->Acknowledge(IdOf(delivery)));
    ASSERT_EQ(NextOf(*stream, &delivery), next);
  }
  ASSERT_OK(stream->Acknowledge(IdOf(delivery)));
}

}  // namespace
}  // namespace schakel::e2e
