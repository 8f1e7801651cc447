// Sweeps of consents and objections: they go a term after their end, and what they brought about
// stays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/machine_fixture.h"
#include "tests/unit/machine/days.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;
using store::Family;

constexpr Micros kTerm = 1825 * kDay;

class SweepStatement : public ::testing::Test {
 protected:
  size_t Statements() { return f_.CountKeys(Family::kRegistry, "s"); }
  size_t Links() {
    return f_.CountKeys(Family::kHot, "c") + f_.CountKeys(Family::kHot, "x") +
           f_.CountKeys(Family::kHot, "y") + f_.CountKeys(Family::kHot, "v");
  }
  uint64_t Told() {
    uint64_t told = 0;
    for (const auto& sweep : f_.RecordsOf(v1::RECORD_KIND_SWEEP)) {
      if (sweep.facts().swept() != "statements") continue;
      EXPECT_EQ(sweep.facts().rule(), "retention.statements");
      told += sweep.facts().count();
    }
    return told;
  }
  StatementSpec Consent() {
    return {.recorder = sample::kCare, .subject = Linked("person"), .lasts = 30 * kMsDay};
  }
  static constexpr Millis kMsDay = 24h;

  MachineFixture f_;
};

TEST_F(SweepStatement, GoesATermAndADayAfterItsLastDay) {
  f_.Record(Consent());
  f_.AdvanceAndSweep(30 * kDay + kTerm + kDay - 1us);
  EXPECT_EQ(Statements(), 1u);
  f_.AdvanceAndSweep(1ms);
  EXPECT_EQ(Statements(), 0u);
  EXPECT_EQ(Links(), 0u);
  EXPECT_EQ(f_.CountKeys(Family::kHot, "o"), 0u);
  EXPECT_EQ(Told(), 1u);
}

TEST_F(SweepStatement, GoesATermAfterItsWithdrawalWithWhoReliedOnIt) {
  const auto id = f_.Record(Consent());
  f_.Accept(f_.Avoidance(Linked("person")));
  f_.Acknowledge(sample::kTeam, f_.Pull(sample::kTeam).items.at(0).delivery_id);
  f_.Advance(10 * kDay);
  f_.Withdraw(sample::kCare, id);
  f_.AdvanceAndTick(5s);
  EXPECT_GT(f_.CountKeys(Family::kHot, "y") + f_.CountKeys(Family::kHot, "v"), 1u);
  f_.AdvanceAndTick(kTerm);
  f_.SweepAll();
  EXPECT_EQ(Statements(), 1u);
  f_.AdvanceAndSweep(kDay);
  EXPECT_EQ(Statements(), 0u);
  EXPECT_EQ(Links(), 0u);
}

TEST_F(SweepStatement, NeverComesToLifeAgainUnderTheSameBytes) {
  auto spec = Consent();
  spec.lasts = 3650 * kMsDay;
  auto command = f_.Statement(spec);
  const auto id = *StatementId::From(command.statement.statement_id());
  ASSERT_FALSE(f_.DoAs(sample::kCare, command).refused);
  f_.Withdraw(sample::kCare, id);
  f_.AdvanceAndSweep(kTerm + kDay);
  EXPECT_EQ(Told(), 1u);
  EXPECT_EQ(Links(), 0u);
  auto raw = f_.state().Get(Family::kRegistry, machine::keys::Statement(id));
  ASSERT_TRUE(raw.ok() && *raw);
  EXPECT_EQ((*raw)->find(Linked("person").pairs(0).value()), Bytes::npos);
  EXPECT_EQ((*raw)->find(sample::kCare.str()), Bytes::npos);
  // The recorder's own retry, or somebody else with the bytes.
  for (const auto& who : {sample::kCare, sample::kPolice}) {
    auto again = f_.DoAs(who, command);
    ASSERT_TRUE(again.refused);
    EXPECT_EQ(again.refused->reason, "ALREADY_EXISTS");
  }
  auto withdrawn = f_.Withdraw(sample::kCare, id);
  ASSERT_TRUE(withdrawn.refused);
  EXPECT_EQ(withdrawn.refused->reason, "NOT_FOUND");
  for (const auto& oin : {sample::kCare, sample::kTeam}) f_.RegisterNextKeySet(oin);
  EXPECT_NE(f_.Accept(f_.Avoidance(Linked("person"))).outcomes(0).state(),
            v1::RECIPIENT_STATE_QUEUED);
  // Once nobody could record it anyway, nothing is left.
  f_.AdvanceAndSweep(3650 * kDay + kTerm);
  EXPECT_EQ(Statements(), 0u);
  EXPECT_EQ(f_.CountKeys(Family::kHot, "o"), 0u);
  EXPECT_EQ(Told(), 1u) << "what remained was no statement";
}

TEST_F(SweepStatement, AnObjectionThatWentLeavesWithdrawnWhatItWithdrew) {
  auto consent = Consent();
  consent.lasts = 3650 * kMsDay;
  f_.Record(consent);
  auto objection = Consent();
  objection.kind = v1::STATEMENT_KIND_OBJECTION;
  objection.lasts = kMsDay;
  f_.Record(objection);
  EXPECT_EQ(f_.RecordsOf(v1::RECORD_KIND_WITHDRAWAL).size(), 1u);
  f_.AdvanceAndSweep(kTerm + 2 * kDay + 1s);
  EXPECT_EQ(Told(), 2u);
  EXPECT_EQ(Links(), 0u);
  for (const auto& oin : {sample::kCare, sample::kTeam}) f_.RegisterNextKeySet(oin);
  EXPECT_NE(f_.Accept(f_.Avoidance(Linked("person"))).outcomes(0).state(),
            v1::RECIPIENT_STATE_QUEUED);
}

TEST_F(SweepStatement, LeavesAStatementThatIsInForceHoweverOldItIs) {
  auto spec = Consent();
  spec.lasts = 3650 * kMsDay;
  f_.Record(spec);
  f_.AdvanceAndSweep(3649 * kDay);
  EXPECT_EQ(Statements(), 1u);
  for (const auto& oin : {sample::kCare, sample::kTeam}) f_.RegisterNextKeySet(oin);
  EXPECT_EQ(f_.Accept(f_.Avoidance(Linked("person"))).outcomes(0).state(),
            v1::RECIPIENT_STATE_QUEUED);
}

}  // namespace
}  // namespace schakel::testing
