#include "broker/delivery/write_gate.h"

#include <gtest/gtest.h>

#include <future>

namespace schakel::delivery {
namespace {

DeliveryId Id(char c) { return *DeliveryId::From(Bytes(16, c)); }

TEST(WriteGate, AWriteBeginsWhenNothingChanged) {
  WriteGate gate;
  EXPECT_TRUE(gate.BeginWrite(Id('a'), 10, {"person"}, [] {}));
  EXPECT_EQ(gate.writes_in_progress(), 1u);
  gate.EndWrite(Id('a'));
  EXPECT_EQ(gate.writes_in_progress(), 0u);
}

// INVARIANT I4, whichever of the two becomes known first.
TEST(WriteGate, NothingDecidedBeforeAWithdrawalIsWrittenAfterIt) {
  WriteGate gate;
  gate.SubjectsChanged({{"person", 11}});
  EXPECT_FALSE(gate.BeginWrite(Id('a'), 10, {"person"}, [] {}));
  EXPECT_TRUE(gate.BeginWrite(Id('b'), 12, {"person"}, [] {})) << "decided after it";
  EXPECT_TRUE(gate.BeginWrite(Id('c'), 10, {"another"}, [] {}));
  gate.EndWrite(Id('b'));
  gate.EndWrite(Id('c'));
}

TEST(WriteGate, AnEarlierChangeDoesNotReplaceALaterOne) {
  WriteGate gate;
  gate.SubjectsChanged({{"person", 20}});
  gate.SubjectsChanged({{"person", 15}});
  EXPECT_FALSE(gate.BeginWrite(Id('a'), 17, {"person"}, [] {}));
}

TEST(WriteGate, AWithdrawalWaitsForTheWritesThatHadBegun) {
  WriteGate gate;
  ASSERT_TRUE(gate.BeginWrite(Id('a'), 10, {"person"}, [] {}));
  std::promise<void> answered;
  auto answer = answered.get_future();
  gate.WhenQuiet({"person"}, [&] { answered.set_value(); });
  EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  gate.EndWrite(Id('a'));
  EXPECT_EQ(answer.wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(WriteGate, AWithdrawalDoesNotWaitForOtherPersons) {
  WriteGate gate;
  ASSERT_TRUE(gate.BeginWrite(Id('a'), 10, {"another"}, [] {}));
  bool answered = false;
  gate.WhenQuiet({"person"}, [&] { answered = true; });
  EXPECT_TRUE(answered);
  gate.EndWrite(Id('a'));
}

TEST(WriteGate, AWriteThatIsNotTakenIsCancelledAfterFiveSeconds) {
  WriteGate gate;
  std::promise<void> cancelled;
  ASSERT_TRUE(gate.BeginWrite(Id('a'), 10, {"person"}, [&] { cancelled.set_value(); }));
  std::promise<void> answered;
  gate.WhenQuiet({"person"}, [&] { answered.set_value(); });
  ASSERT_EQ(cancelled.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  gate.EndWrite(Id('a'));
  EXPECT_EQ(answered.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST(WriteGate, ForgetsOldChangesOnly) {
  WriteGate gate;
  gate.SubjectsChanged({{"old", 5}, {"new", 50}});
  gate.Forget(10);
  EXPECT_TRUE(gate.BeginWrite(Id('a'), 1, {"old"}, [] {}));
  EXPECT_FALSE(gate.BeginWrite(Id('b'), 1, {"new"}, [] {}));
  gate.EndWrite(Id('a'));
}

}  // namespace
}  // namespace schakel::delivery
