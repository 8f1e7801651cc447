// Refused attempts are recorded, but never so many that they drown the log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/machine_fixture.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;

machine::DeniedAttempt Attempt(const std::string& organisation, const std::string& reason) {
  return {organisation, reason, "Publish"};
}

TEST(DeniedAttempt, LeavesTenRecordsAMinuteAndOneThatCounts) {
  MachineFixture f;
  for (int i = 0; i < 25; ++i) f.Do(Attempt(sample::kPolice.str(), "SIGNATURE_INVALID"));
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_DENIED_ATTEMPT).size(), 10u);
  f.AdvanceAndTick(1min);
  auto records = f.RecordsOf(v1::RECORD_KIND_DENIED_ATTEMPT);
  ASSERT_EQ(records.size(), 11u);
  EXPECT_EQ(records.back().facts().count(), 15u);
  EXPECT_EQ(records.back().organisation(), sample::kPolice.str());
  EXPECT_EQ(f.CountKeys(store::Family::kHot, "n"), 0u);
  EXPECT_EQ(f.CountKeys(store::Family::kHot, "t"), 0u);
}

TEST(DeniedAttempt, IsCountedByOrganisationAndReason) {
  MachineFixture f;
  for (int i = 0; i < 12; ++i) {
    f.Do(Attempt(sample::kPolice.str(), "SIGNATURE_INVALID"));
    f.Do(Attempt(sample::kPolice.str(), "ROLE_NOT_ALLOWED"));
    f.Do(Attempt(sample::kCare.str(), "SIGNATURE_INVALID"));
    f.Do(Attempt("", "CERTIFICATE_UNKNOWN"));
  }
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_DENIED_ATTEMPT).size(), 40u);
}

TEST(DeniedAttempt, BeginsAnewWithTheMinuteAlsoWithoutATick) {
  MachineFixture f;
  for (int i = 0; i < 12; ++i) f.Do(Attempt(sample::kPolice.str(), "SIGNATURE_INVALID"));
  f.Advance(1min);
  f.Do(Attempt(sample::kPolice.str(), "SIGNATURE_INVALID"));
  auto records = f.RecordsOf(v1::RECORD_KIND_DENIED_ATTEMPT);
  ASSERT_EQ(records.size(), 12u);
  EXPECT_EQ(records[10].facts().count(), 2u);
  EXPECT_EQ(records[11].facts().count(), 1u);
  f.TickAll();
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_DENIED_ATTEMPT).size(), 12u);
}

TEST(DeniedAttempt, IsEveryCommandThatTheMachineRefuses) {
  MachineFixture f;
  for (int i = 0; i < 15; ++i) {
    ASSERT_TRUE(f.Acknowledge(sample::kDebtRelief, DeliveryId{}).refused);
  }
  auto records = f.RecordsOf(v1::RECORD_KIND_DENIED_ATTEMPT);
  ASSERT_EQ(records.size(), 10u);
  EXPECT_EQ(records[0].organisation(), sample::kDebtRelief.str());
  EXPECT_EQ(records[0].actor(), "user-1");
  EXPECT_EQ(records[0].reason(), "DELIVERY_UNKNOWN");
  EXPECT_EQ(records[0].outcome(), v1::OUTCOME_DENIED);
  EXPECT_EQ(records[0].facts().rpc(), "Acknowledge");
  f.AdvanceAndTick(1min);
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_DENIED_ATTEMPT).back().facts().count(), 5u);
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_DENIED_ATTEMPT).back().actor(), "");
}

}  // namespace
}  // namespace schakel::testing
