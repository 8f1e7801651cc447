// The inbox: leases, redelivery, settlements, over Pull and over Fetch.
#include "tests/e2e/story.h"
#include "tests/e2e/wire.h"

namespace schakel::e2e {
namespace {

using std::chrono::seconds;

class Inbox : public RegionTest {
 protected:
  static Bytes SendArrears() {
    const auto sent = Send(As("corporation"), Arrears());
    EXPECT_TRUE(sent.ok() && sent->all_queued()) << Why(sent);
    return sent.ok() ? sent->entry.signal_id() : Bytes();
  }
  static std::unique_ptr<sdk::PullStream> Pull() {
    auto connection = As("debt-relief").connection();
    EXPECT_TRUE(connection.ok()) << Why(connection);
    return sdk::PullStream::Open(*connection);
  }
  static Bytes SignalOf(const v1::Delivery& delivery) {
    v1::Header header;
    EXPECT_TRUE(header.ParseFromString(delivery.signal().header()));
    return header.signal_id();
  }
  // The state of a signal's only recipient, as the sender's feed has it last.
  static v1::RecipientOutcome LastOutcome(const Bytes& signal) {
    const auto feed = FeedOf(As("corporation"), *SignalId::From(signal));
    EXPECT_TRUE(feed.ok() && !feed->empty()) << Why(feed);
    return feed.ok() && !feed->empty() ? feed->back().outcome() : v1::RecipientOutcome();
  }
};

TEST_F(Inbox, AStreamGetsWhatWaitsAndWhatComesAndAcknowledgesOnItself) {
  const Bytes first = SendArrears();
  const auto stream = Pull();
  ASSERT_OK_AND(const auto one, stream->Next(seconds(10)));
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(SignalOf(*one), first);
  EXPECT_EQ(one->attempt(), 1u);
  ASSERT_OK(Open(As("debt-relief"), *one));
  ASSERT_OK_AND(const auto receipt, stream->Acknowledge(IdOf(*one)));
  EXPECT_GT(receipt.position(), 0u);
  EXPECT_EQ(LastOutcome(first).state(), v1::RECIPIENT_STATE_ACKNOWLEDGED);

  const Bytes second = SendArrears();  // wakes the open stream
  ASSERT_OK_AND(const auto two, stream->Next(seconds(10)));
  ASSERT_TRUE(two.has_value());
  EXPECT_EQ(SignalOf(*two), second);
  ASSERT_OK(stream->Acknowledge(IdOf(*two)));
  EXPECT_EQ(LastOutcome(second).state(), v1::RECIPIENT_STATE_ACKNOWLEDGED);
}

TEST_F(Inbox, TheEndOfAStreamGivesBackWhatItHeldAndItComesAgain) {
  const Bytes signal = SendArrears();
  auto stream = Pull();
  ASSERT_OK_AND(const auto first, stream->Next(seconds(10)));
  ASSERT_TRUE(first.has_value());
  stream->Close();
  stream = Pull();
  ASSERT_OK_AND(const auto second, stream->Next(seconds(10)));
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(SignalOf(*second), signal);
  EXPECT_NE(second->delivery_id(), first->delivery_id());
  // The recipient knows it as the same signal.
  ASSERT_OK(Open(As("debt-relief"), *first));
  ASSERT_OK_AND(const auto opened, Open(As("debt-relief"), *second));
  EXPECT_TRUE(opened.redelivery);
  ASSERT_OK(stream->Acknowledge(IdOf(*second)));
}

TEST_F(Inbox, AReleasedDeliveryComesAgainOnTheSameStream) {
  const Bytes signal = SendArrears();
  const auto stream = Pull();
  ASSERT_OK_AND(const auto first, stream->Next(seconds(10)));
  ASSERT_TRUE(first.has_value());
  ASSERT_OK(stream->Extend(IdOf(*first), seconds(120)));
  ASSERT_OK(stream->Release(IdOf(*first)));
  ASSERT_OK_AND(const auto second, stream->Next(seconds(10)));
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(SignalOf(*second), signal);
  ASSERT_OK(stream->Acknowledge(IdOf(*second)));
}

TEST_F(Inbox, AWindowBoundsWhatOneStreamHolds) {
  for (int i = 0; i < 3; ++i) SendArrears();
  ASSERT_OK_AND(auto connection, As("debt-relief").connection());
  RawPull narrow(connection, 2);
  std::vector<v1::Delivery> held;
  for (int i = 0; i < 2; ++i) {
    const auto message = narrow.Read();
    ASSERT_TRUE(message && message->has_delivery());
    held.push_back(message->delivery());
  }
  // The third comes when one of the two is settled, and not before the answer to that.
  v1::PullRequest acknowledge;
  acknowledge.mutable_acknowledge()->set_delivery_id(held[0].delivery_id());
  ASSERT_TRUE(narrow.Write(acknowledge));
  const auto settled = narrow.Read();
  ASSERT_TRUE(settled && settled->has_settlement()) << settled->DebugString();
  EXPECT_EQ(settled->settlement().reason(), "");
  const auto third = narrow.Read();
  ASSERT_TRUE(third && third->has_delivery());
  for (const auto& delivery : {held[1], third->delivery()}) {
    acknowledge.mutable_acknowledge()->set_delivery_id(delivery.delivery_id());
    ASSERT_TRUE(narrow.Write(acknowledge));
    std::optional<v1::PullResponse> answer = narrow.Read();
    while (answer && answer->has_idle()) answer = narrow.Read();
    ASSERT_TRUE(answer && answer->has_settlement());
  }
}

TEST_F(Inbox, AStreamIsOpenedWithAWindow) {
  ASSERT_OK_AND(auto connection, As("debt-relief").connection());
  RawPull wrong(connection, 0);
  while (wrong.Read()) {
  }
  const auto ended = wrong.Finish();
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().reason, "FIELD_INVALID");
  EXPECT_EQ(ended.error().field, "open.window");
}

TEST_F(Inbox, TheSameFetchIdGivesTheSameItems) {
  const Bytes signal = SendArrears();
  ASSERT_OK_AND(auto* inbox, As("debt-relief").inbox());
  const auto id = sdk::NewRequestId();
  ASSERT_OK_AND(const auto first, inbox->Fetch(id, 10));
  ASSERT_EQ(first.deliveries_size(), 1);
  SendArrears();
  ASSERT_OK_AND(const auto second, inbox->Fetch(id, 10));
  ASSERT_EQ(second.deliveries_size(), 1);
  EXPECT_EQ(second.deliveries(0).delivery_id(), first.deliveries(0).delivery_id());
  EXPECT_EQ(SignalOf(second.deliveries(0)), signal);
  ASSERT_OK(inbox->Acknowledge(IdOf(second.deliveries(0))));
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(Inbox, ARefusalReachesTheSenderWithItsReason) {
  const Bytes signal = SendArrears();
  ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
  ASSERT_EQ(waiting.size(), 1u);
  ASSERT_OK_AND(auto* inbox, As("debt-relief").inbox());
  sdk::Refusal refusal{"Woont hier niet meer", "", std::nullopt};
  refusal.redirect.emplace();
  refusal.redirect->set_function("debt-relief");
  refusal.redirect->set_area("zwijndrecht");
  ASSERT_OK(inbox->Refuse(IdOf(waiting[0]), refusal));
  const auto outcome = LastOutcome(signal);
  EXPECT_EQ(outcome.state(), v1::RECIPIENT_STATE_REFUSED);
  EXPECT_EQ(outcome.reason_text(), "Woont hier niet meer");
  EXPECT_EQ(outcome.redirect().area(), "zwijndrecht");
  // What was settled stays so.
  const auto late = inbox->Acknowledge(IdOf(waiting[0]));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().reason, "DELIVERY_SETTLED");
}

TEST_F(Inbox, NobodySettlesWhatAnotherHolds) {
  SendArrears();
  ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
  ASSERT_EQ(waiting.size(), 1u);
  ASSERT_OK_AND(auto* other, As("team").inbox());
  const auto stolen = other->Acknowledge(IdOf(waiting[0]));
  ASSERT_FALSE(stolen.ok());
  EXPECT_EQ(stolen.error().reason, "DELIVERY_UNKNOWN");
  ASSERT_OK_AND(auto* inbox, As("debt-relief").inbox());
  ASSERT_OK(inbox->Release(IdOf(waiting[0])));
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(Inbox, AcuteOvertakesNormal) {
  ASSERT_OK_AND(const auto person, PersonBy(region(), "police", 20));
  const auto report = [&](v1::Urgency urgency) {
    sdk::SignalDraft draft;
    draft.signal_type = "domestic-violence-report";
    draft.purpose = "stop-domestic-violence";
    draft.urgency = urgency;
    draft.recipients.push_back(ToFunction("domestic-violence-centre", "dordrecht"));
    draft.subjects.push_back(person);
    draft.sections.push_back(Section("social", "wmo-veilig-thuis", R"({"household_size":2})"));
    return draft;
  };
  ASSERT_OK_AND(const auto normal, Send(As("police"), report(v1::URGENCY_NORMAL)));
  ASSERT_TRUE(normal.all_queued());
  ASSERT_OK_AND(const auto acute, Send(As("police"), report(v1::URGENCY_ACUTE)));
  ASSERT_TRUE(acute.all_queued());
  ASSERT_OK_AND(const auto waiting, FetchAll(As("centre")));
  ASSERT_EQ(waiting.size(), 2u);
  EXPECT_EQ(SignalOf(waiting[0]), IdOf(acute).view());
  EXPECT_EQ(SignalOf(waiting[1]), IdOf(normal).view());
}

TEST_F(Inbox, ARestartGivesBackWhatStreamsHeld) {
  const Bytes signal = SendArrears();
  ASSERT_OK_AND(auto connection, As("debt-relief").connection());
  auto held = std::make_unique<RawPull>(connection);
  const auto first = held->Read();
  ASSERT_TRUE(first && first->has_delivery());
  region().KillBroker();
  held.reset();
  region().StartBroker();
  const auto fresh = region().NewSession("debt-relief");
  ASSERT_OK_AND(auto again, fresh->connection());
  const auto stream = sdk::PullStream::Open(again);
  ASSERT_OK_AND(const auto second, stream->Next(seconds(10)));
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(SignalOf(*second), signal);
  ASSERT_OK(stream->Acknowledge(IdOf(*second)));
}

}  // namespace
}  // namespace schakel::e2e
