// Signals under a statutory ground: no consent is needed, and an unlinked subject may do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/machine_fixture.h"

namespace schakel::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(StatutoryGround, TakesArrearsOfAnUnlinkedTenantToDebtRelief) {
  MachineFixture f;
  auto accepted = f.Accept(f.Arrears());
  ASSERT_EQ(accepted.outcomes_size(), 1);
  EXPECT_EQ(accepted.outcomes(0).state(), v1::RECIPIENT_STATE_QUEUED);
  EXPECT_EQ(accepted.outcomes(0).permitted_categories_size(), 3);
  EXPECT_THAT(accepted.outcomes(0).denials(), IsEmpty());

  auto leased = f.Pull(sample::kDebtRelief);
  ASSERT_EQ(leased.items.size(), 1u);
  const auto& signal = leased.items[0].delivery.signal();
  ASSERT_EQ(signal.sections_size(), 3);
  for (const auto& section : signal.sections()) {
    ASSERT_EQ(section.wraps_size(), 1);
    EXPECT_EQ(section.wraps(0).recipient(), sample::kDebtRelief.str());
  }
  EXPECT_THAT(leased.items[0].subjects, IsEmpty());
}

TEST(StatutoryGround, GivesThePoliceNothingOfArrearsAndSaysWhy) {
  MachineFixture f;
  auto spec = f.Arrears();
  spec.recipients.emplace_back(sample::kPolice);
  auto accepted = f.Accept(spec);
  ASSERT_EQ(accepted.outcomes_size(), 2);
  EXPECT_EQ(accepted.outcomes(0).state(), v1::RECIPIENT_STATE_QUEUED);
  EXPECT_EQ(accepted.outcomes(1).state(), v1::RECIPIENT_STATE_DENIED);
  EXPECT_EQ(accepted.outcomes(1).reason(), "NO_RULE");
  ASSERT_EQ(accepted.outcomes(1).denials_size(), 3);
  for (const auto& denial : accepted.outcomes(1).denials()) {
    EXPECT_EQ(denial.sid().size(), 16u);
  }
  EXPECT_THAT(f.Pull(sample::kPolice).items, IsEmpty());
  EXPECT_THAT(f.Items(sample::kPolice), IsEmpty());
}

TEST(StatutoryGround, OfAnUnlinkedSubjectIsNeverAConsent) {
  MachineFixture f;
  auto spec = f.Arrears();
  for (auto& section : spec.sections) section.ground = "consent";
  auto accepted = f.Accept(spec);
  EXPECT_EQ(accepted.outcomes(0).state(), v1::RECIPIENT_STATE_DENIED);
  EXPECT_EQ(accepted.outcomes(0).reason(), "UNLINKED_SUBJECT");
  EXPECT_FALSE(f.HasContent(sample::kCorporation, accepted.signal_id()));
}

TEST(StatutoryGround, DeniesAnUnlinkedSubjectToWhoCannotLinkIt) {
  MachineFixture f;
  auto spec = f.Arrears();
  spec.recipients = {sample::kVolunteers};
  auto accepted = f.Accept(spec);
  EXPECT_EQ(accepted.outcomes(0).state(), v1::RECIPIENT_STATE_DENIED);
  EXPECT_EQ(accepted.outcomes(0).reason(), "BSN_AUTHORITY_MISSING");
}

TEST(StatutoryGround, LeavesARecordForTheSenderThatNamesNoRecipient) {
  MachineFixture f;
  auto spec = f.Arrears();
  spec.recipients.emplace_back(sample::kPolice);
  auto accepted = f.Accept(spec);
  auto records = f.RecordsOf(v1::RECORD_KIND_PUBLISH);
  ASSERT_EQ(records.size(), 1u);
  const auto& record = records[0];
  EXPECT_EQ(record.organisation(), sample::kCorporation.str());
  EXPECT_EQ(record.outcome(), v1::OUTCOME_PERMITTED);
  EXPECT_EQ(record.sections_size(), 3);
  EXPECT_EQ(record.bundle_digest(), Reference().digest.str());
  EXPECT_EQ(record.SerializeAsString().find(sample::kPolice.str()), std::string::npos);
  EXPECT_EQ(record.SerializeAsString().find(sample::kDebtRelief.str()), std::string::npos);
  auto detail = f.DetailOf(record.index());
  ASSERT_EQ(detail.recipients_size(), 2);
  EXPECT_EQ(detail.recipients(0).oin(), sample::kDebtRelief.str());
  EXPECT_EQ(detail.recipients(0).outcome(), v1::OUTCOME_PERMITTED);
  EXPECT_EQ(detail.recipients(1).oin(), sample::kPolice.str());
  EXPECT_EQ(detail.recipients(1).reason(), "NO_RULE");
  EXPECT_EQ(detail.questions_size(), 6);
  EXPECT_EQ(accepted.receipts_size(), 1);
}

TEST(StatutoryGround, DecidesAFunctionThatLiesElsewhereAsUnresolved) {
  MachineFixture f;
  auto spec = f.Arrears();
  spec.recipients = {{sample::kCare, "debt-relief", "dordrecht"}};
  EXPECT_EQ(f.Accept(spec).outcomes(0).reason(), "FUNCTION_UNRESOLVED");
}

TEST(StatutoryGround, DoesNotReachWhoIsDisabledOrUnknown) {
  MachineFixture f;
  machine::DisableOrganisation disable;
  disable.request.set_oin(sample::kDebtRelief.str());
  disable.request.set_reason("test");
  ASSERT_FALSE(f.DoAs(sample::kRegistrar, disable).refused);
  auto spec = f.Arrears();
  EXPECT_EQ(f.Accept(spec).outcomes(0).reason(), "RECIPIENT_UNAVAILABLE");
  spec = f.Arrears();
  spec.recipients = {sample::Oin("00000099000000009999")};
  EXPECT_EQ(f.Accept(spec).outcomes(0).reason(), "RECIPIENT_UNAVAILABLE");
}

TEST(StatutoryGround, WithoutAnObjectionIsReviewedWithOne) {
  MachineFixture f;
  auto tenant = Linked("tenant");
  auto spec = f.Arrears();
  spec.subjects = {tenant};
  EXPECT_EQ(f.Accept(spec).outcomes(0).state(), v1::RECIPIENT_STATE_QUEUED);
  f.Record({.recorder = sample::kTeam, .subject = tenant, .kind = v1::STATEMENT_KIND_OBJECTION});
  // The first one is withheld in the objection's own command.
  EXPECT_THAT(f.Pull(sample::kDebtRelief).items, IsEmpty());
  auto denied = f.Accept(spec);
  EXPECT_EQ(denied.outcomes(0).state(), v1::RECIPIENT_STATE_DENIED);
  // Who knows nothing of the subject learns nothing of the objection.
  EXPECT_EQ(denied.outcomes(0).reason(), "NOT_PERMITTED");
  for (auto& section : spec.sections) section.attested = {"objection-weighed"};
  EXPECT_EQ(f.Accept(spec).outcomes(0).state(), v1::RECIPIENT_STATE_QUEUED);
}

}  // namespace
}  // namespace schakel::testing
