#include "broker/sequencer/lanes.h"

#include <gtest/gtest.h>

#include "broker/base/limits.h"

namespace schakel::sequencer {
namespace {

Waiting From(const std::string& oin, machine::Request request) {
  machine::Caller caller{*OrganisationId::From(oin), 1, "user", "role", {}};
  return {std::move(request), caller, [](const Result<machine::Outcome>&) {}};
}

Status Push(Lanes& lanes, const std::string& oin, machine::Request request) {
  auto waiting = From(oin, std::move(request));
  return lanes.Push(LaneOf(waiting.request), waiting);
}

const char* kOne = "00000099000000001000";
const char* kTwo = "00000099000000002000";
const char* kThree = "00000099000000003000";

TEST(Lanes, WithdrawalsAndSettlementsOvertakeDeliveriesAndThoseTheRest) {
  Lanes lanes;
  ASSERT_TRUE(Push(lanes, kOne, machine::Preflight{}).ok());
  ASSERT_TRUE(Push(lanes, kOne, machine::Deliver{}).ok());
  ASSERT_TRUE(Push(lanes, kOne, machine::WithdrawStatement{}).ok());
  auto taken = lanes.Take(10);
  ASSERT_EQ(taken.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<machine::WithdrawStatement>(taken[0].request));
  EXPECT_TRUE(std::holds_alternative<machine::Deliver>(taken[1].request));
  EXPECT_TRUE(std::holds_alternative<machine::Preflight>(taken[2].request));
  EXPECT_TRUE(lanes.empty());
}

TEST(Lanes, TheRestGoesRoundRobinOverOrganisations) {
  Lanes lanes;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Push(lanes, kOne, machine::Preflight{}).ok());
  ASSERT_TRUE(Push(lanes, kTwo, machine::Preflight{}).ok());
  ASSERT_TRUE(Push(lanes, kThree, machine::Preflight{}).ok());
  std::vector<std::string> order;
  for (auto& waiting : lanes.Take(10)) order.push_back(waiting.caller->organisation.str());
  EXPECT_EQ(order, (std::vector<std::string>{kOne, kTwo, kThree, kOne, kOne}));
}

TEST(Lanes, OneOrganisationGetsAQuarterOfTheQueueAtMost) {
  Lanes lanes;
  for (size_t i = 0; i < limits::kQueueCommandsMax / 4; ++i) {
    ASSERT_TRUE(Push(lanes, kOne, machine::Preflight{}).ok());
  }
  auto full = Push(lanes, kOne, machine::Preflight{});
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().reason, "QUEUE_FULL");
  EXPECT_GT(full.error().retry_after_ms, 0);
  EXPECT_TRUE(Push(lanes, kTwo, machine::Preflight{}).ok());
  EXPECT_TRUE(Push(lanes, kOne, machine::WithdrawStatement{}).ok()) << "lane 1 has room of its own";
}

TEST(Lanes, TakesNoMoreThanAsked) {
  Lanes lanes;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Push(lanes, kOne, machine::Preflight{}).ok());
  EXPECT_EQ(lanes.Take(2).size(), 2u);
  EXPECT_EQ(lanes.size(), 3u);
  EXPECT_EQ(lanes.TakeAll().size(), 3u);
}

}  // namespace
}  // namespace schakel::sequencer
