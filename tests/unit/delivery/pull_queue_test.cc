#include "broker/delivery/pull_queue.h"

#include <gtest/gtest.h>

#include <future>

#include "broker/base/limits.h"

namespace schakel::delivery {
namespace {

constexpr uint64_t kPosition = 10;

DeliveryId Numbered(int number) {
  Bytes id(16, 'i');
  id[0] = static_cast<char>(number);
  return *DeliveryId::From(id);
}

class PullMessages : public ::testing::Test {
 protected:
  void Item(int number, size_t bytes = 100, const Bytes& subject = "somebody") {
    machine::LeasedItem item;
    item.delivery_id = Numbered(number);
    item.delivery.set_delivery_id(item.delivery_id.str());
    item.delivery.mutable_signal()->set_header(Bytes(bytes, 'h'));
    item.subjects = {subject};
    queue_.Push(std::move(item), kPosition);
  }
  void Idle() {
    v1::PullResponse idle;
    idle.mutable_idle()->set_position(kPosition);
    queue_.Push(std::move(idle), 0);
  }
  std::optional<PullQueue::Message> Next() {
    return queue_.Next([] {}, &stopped_);
  }
  // The numbers of a batch's deliveries.
  static std::vector<int> NumbersIn(const std::optional<PullQueue::Message>& message) {
    std::vector<int> numbers;
    if (!message) return numbers;
    for (const auto& delivery : message->response.deliveries().deliveries()) {
      numbers.push_back(delivery.delivery_id()[0]);
    }
    return numbers;
  }
  void Written(const std::optional<PullQueue::Message>& message) {
    for (const auto& delivery : message->begun) gate_.EndWrite(delivery);
  }

  WriteGate gate_;
  PullQueue queue_{&gate_};
  std::vector<DeliveryId> stopped_;
};

TEST_F(PullMessages, WithoutBatchesEachItemHasAMessageOfItsOwn) {
  Item(1);
  Item(2);
  for (const int number : {1, 2}) {
    const auto message = Next();
    ASSERT_TRUE(message && message->response.has_delivery());
    EXPECT_EQ(message->response.delivery().delivery_id(), Numbered(number).str());
    EXPECT_EQ(message->begun.size(), 1u);
    Written(message);
  }
  EXPECT_FALSE(Next());
  EXPECT_EQ(queue_.bytes(), 0u);
}

TEST_F(PullMessages, ABatchHoldsAsManyItemsAsTheClientTakes) {
  queue_.set_batch_max(3);
  for (int i = 1; i <= 7; ++i) Item(i);
  EXPECT_EQ(NumbersIn(Next()), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(gate_.writes_in_progress(), 3u);
  EXPECT_EQ(NumbersIn(Next()), (std::vector<int>{4, 5, 6}));
  EXPECT_EQ(NumbersIn(Next()), (std::vector<int>{7}));
  EXPECT_FALSE(Next());
}

TEST_F(PullMessages, ABatchHoldsNoMoreBytesThanItMayAndALargerItemGoesAlone) {
  queue_.set_batch_max(64);
  const size_t third = limits::kPullBatchBytesMax / 3;
  Item(1, third);
  Item(2, third);
  Item(3, third);
  Item(4, limits::kPullBatchBytesMax + 1);
  Item(5);
  EXPECT_EQ(NumbersIn(Next()), (std::vector<int>{1, 2})) << "three and what is around them";
  EXPECT_EQ(NumbersIn(Next()), (std::vector<int>{3}));
  EXPECT_EQ(NumbersIn(Next()), (std::vector<int>{4}));
  EXPECT_EQ(NumbersIn(Next()), (std::vector<int>{5}));
}

TEST_F(PullMessages, OtherMessagesKeepTheirPlace) {
  queue_.set_batch_max(64);
  Item(1);
  Item(2);
  Idle();
  Item(3);
  EXPECT_EQ(NumbersIn(Next()), (std::vector<int>{1, 2}));
  const auto idle = Next();
  ASSERT_TRUE(idle && idle->response.has_idle());
  EXPECT_TRUE(idle->begun.empty());
  EXPECT_EQ(NumbersIn(Next()), (std::vector<int>{3}));
}

// INVARIANT I4
TEST_F(PullMessages, AWithdrawalLeavesItsItemOutOfABatchAndNoOther) {
  queue_.set_batch_max(64);
  Item(1);
  Item(2, 100, "who withdrew");
  Item(3);
  gate_.SubjectsChanged({{"who withdrew", kPosition + 1}});
  const auto message = Next();
  EXPECT_EQ(NumbersIn(message), (std::vector<int>{1, 3}));
  EXPECT_EQ(message->begun, (std::vector<DeliveryId>{Numbered(1), Numbered(3)}));
  EXPECT_EQ(stopped_, std::vector<DeliveryId>{Numbered(2)});
  EXPECT_EQ(gate_.writes_in_progress(), 2u);
  Written(message);
  EXPECT_EQ(gate_.writes_in_progress(), 0u);
}

// INVARIANT I4
TEST_F(PullMessages, WhenAllAreLeftOutWhatComesBehindThemIsWritten) {
  queue_.set_batch_max(64);
  gate_.SubjectsChanged({{"who withdrew", kPosition + 1}});
  Item(1, 100, "who withdrew");
  EXPECT_FALSE(Next());
  Item(2, 100, "who withdrew");
  Idle();
  EXPECT_TRUE(Next()->response.has_idle());
  EXPECT_EQ(stopped_.size(), 2u);
  EXPECT_EQ(gate_.writes_in_progress(), 0u);
}

// INVARIANT I4
TEST_F(PullMessages, AWithdrawalWaitsForTheWholeMessageThatHoldsItsItem) {
  queue_.set_batch_max(64);
  Item(1);
  Item(2, 100, "who withdrew");
  Item(3);
  const auto message = Next();
  ASSERT_EQ(NumbersIn(message).size(), 3u);
  gate_.SubjectsChanged({{"who withdrew", kPosition + 1}});
  std::promise<void> answered;
  auto answer = answered.get_future();
  gate_.WhenQuiet({"who withdrew"}, [&] { answered.set_value(); });
  EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  Written(message);
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST_F(PullMessages, WhatIsNotWrittenIsNamedWhenTheStreamEnds) {
  queue_.set_batch_max(2);
  for (int i = 1; i <= 4; ++i) Item(i);
  Idle();
  const auto message = Next();
  EXPECT_GT(queue_.bytes(), 200u);
  EXPECT_EQ(queue_.Drain(), (std::vector<DeliveryId>{Numbered(3), Numbered(4)}));
  EXPECT_EQ(queue_.bytes(), 0u);
  EXPECT_FALSE(Next());
  Written(message);
}

}  // namespace
}  // namespace schakel::delivery
