// Objections: what they withdraw, what they keep, and who learns of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/machine/consent_specs.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Objection, WithdrawsInItsOwnCommandWhatItCovers) {
  MachineFixture f;
  auto named = Consent(sample::kCare);
  named.recipient = OrganisationAxis(sample::kTeam);
  auto covered = f.Record(named);
  auto accepted = f.Accept(f.Avoidance(kPerson));
  auto objection = Objection(sample::kTeam);
  objection.recipient = FunctionAxis("neighbourhood-team");
  auto outcome = f.DoAs(sample::kTeam, f.Statement(objection));
  ASSERT_FALSE(outcome.refused);
  // The team is named in that consent, so it may know that it is gone.
  EXPECT_THAT(std::get<v1::RecordStatementResponse>(outcome.answer).withdrawn_statement_ids(),
              ElementsAre(covered.str()));
  EXPECT_FALSE(f.HasContent(sample::kCare, accepted.signal_id()));
  auto withdrawals = f.RecordsOf(v1::RECORD_KIND_WITHDRAWAL);
  ASSERT_EQ(withdrawals.size(), 1u);
  EXPECT_EQ(withdrawals[0].organisation(), sample::kCare.str());
  EXPECT_EQ(withdrawals[0].actor(), "");
}

TEST(Objection, DoesNotNameConsentsThatItsRecorderMayNotList) {
  MachineFixture f;
  auto id = f.Record(Consent(sample::kCare));
  auto outcome = f.DoAs(sample::kPolice, f.Statement(Objection(sample::kPolice)));
  EXPECT_THAT(std::get<v1::RecordStatementResponse>(outcome.answer).withdrawn_statement_ids(),
              IsEmpty());
  EXPECT_EQ(f.Withdraw(sample::kCare, id).refused->reason, "ALREADY_WITHDRAWN");
}

TEST(Objection, KeepsWhatThePersonNames) {
  MachineFixture f;
  auto named = Consent(sample::kCare);
  named.recipient = OrganisationAxis(sample::kTeam);
  auto kept = f.Record(named);
  auto objection = Objection(sample::kTeam);
  objection.kept = {kept};
  f.Record(objection);
  // The kept consent is more specific, so it is not beaten by the objection.
  EXPECT_EQ(f.Accept(f.Avoidance(kPerson)).outcomes(0).state(), v1::RECIPIENT_STATE_QUEUED);
}

TEST(Objection, ThatIsNarrowLeavesAWiderConsentForOthers) {
  MachineFixture f;
  f.Record(Consent(sample::kCare));
  auto objection = Objection(sample::kTeam);
  objection.recipient = OrganisationAxis(sample::kTeam);
  f.Record(objection);
  auto spec = f.Avoidance(kPerson);
  EXPECT_EQ(f.Accept(spec).outcomes(0).state(), v1::RECIPIENT_STATE_DENIED);
  spec.recipients = {sample::kCare};
  spec.sections = {{"mental-health", "consent"}};
  EXPECT_EQ(f.Accept(spec).outcomes(0).state(), v1::RECIPIENT_STATE_QUEUED);
}

TEST(Objection, NotifiesReadersOfWhatItWithdrew) {
  MachineFixture f;
  f.Record(Consent(sample::kCare));
  f.Accept(f.Avoidance(kPerson));
  auto leased = f.Pull(sample::kTeam);
  f.Acknowledge(sample::kTeam, leased.items.at(0).delivery_id);
  f.Record(Objection(sample::kPolice));
  f.AdvanceAndTick(5s);
  EXPECT_TRUE(f.Pull(sample::kTeam).items.at(0).delivery.has_notice());
}

TEST(Objection, CannotBeginAfterItsRecording) {
  MachineFixture f;
  auto objection = Objection(sample::kTeam);
  objection.starts_in = 1ms;
  auto outcome = f.DoAs(sample::kTeam, f.Statement(objection));
  ASSERT_TRUE(outcome.refused);
  EXPECT_EQ(outcome.refused->field, "statement.not_before_ms");
}

}  // namespace
}  // namespace schakel::testing
