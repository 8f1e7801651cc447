// Questions about a person that send nothing: answered sparsely, and recorded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/machine_fixture.h"

namespace schakel::testing {
namespace {

using ::testing::IsEmpty;

const v1::SubjectRef kPerson = Linked("person");

machine::Preflight Question(const v1::SubjectRef& subject) {
  machine::Preflight preflight;
  auto& request = preflight.request;
  request.set_request_id(Bytes(16, 'r'));
  request.set_signal_type("care-avoidance");
  request.set_purpose("coordinate-care");
  auto* recipient = request.add_recipients();
  recipient->mutable_function()->set_function("neighbourhood-team");
  recipient->mutable_function()->set_area("dordrecht");
  auto* routed = request.add_subjects();
  routed->set_label(Bytes(16, 'l'));
  *routed->mutable_ref() = subject;
  auto* section = request.add_sections();
  section->set_category("daily-living");
  section->set_ground("consent");
  section->add_subject_labels(Bytes(16, 'l'));
  return preflight;
}

machine::CheckConsent Check() {
  machine::CheckConsent check;
  check.request.set_request_id(Bytes(16, 'r'));
  *check.request.mutable_subject() = kPerson;
  check.request.mutable_recipient()->set_oin(sample::kTeam.str());
  check.request.set_category("daily-living");
  check.request.set_purpose("coordinate-care");
  return check;
}

v1::CheckConsentResponse CheckAs(MachineFixture& f, const OrganisationId& who) {
  auto outcome = f.DoAs(who, Check());
  EXPECT_FALSE(outcome.refused);
  return std::get<v1::CheckConsentResponse>(outcome.answer);
}

TEST(Preflight, AnswersAsAPublishWouldAndQueuesNothing) {
  MachineFixture f;
  auto denied = f.DoAs(sample::kCare, Question(kPerson));
  ASSERT_FALSE(denied.refused);
  const auto& no = std::get<v1::PreflightResponse>(denied.answer).outcomes(0);
  EXPECT_EQ(no.recipient(), sample::kTeam.str());
  EXPECT_EQ(no.state(), v1::RECIPIENT_STATE_DENIED);
  EXPECT_EQ(no.reason(), "NOT_PERMITTED");
  f.Record({.recorder = sample::kTeam, .subject = kPerson});
  auto permitted = f.DoAs(sample::kCare, Question(kPerson));
  EXPECT_EQ(std::get<v1::PreflightResponse>(permitted.answer).outcomes(0).state(),
            v1::RECIPIENT_STATE_QUEUED);
  EXPECT_THAT(f.Items(sample::kTeam), IsEmpty());
}

TEST(Preflight, OfAPersonIsARecordWithoutTheReference) {
  MachineFixture f;
  f.DoAs(sample::kCare, Question(kPerson));
  auto records = f.RecordsOf(v1::RECORD_KIND_CONSULTATION);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].facts().rpc(), "Preflight");
  EXPECT_EQ(records[0].organisation(), sample::kCare.str());
  EXPECT_EQ(records[0].SerializeAsString().find(kPerson.pairs(0).value()), Bytes::npos);
  EXPECT_EQ(f.DetailOf(records[0].index()).subject().pairs(0).value(), kPerson.pairs(0).value());
}

TEST(Preflight, OfAnUnlinkedPersonLeavesNoRecord) {
  MachineFixture f;
  v1::SubjectRef unlinked;
  unlinked.add_pairs()->set_value(Bytes(32, 'u'));
  auto outcome = f.DoAs(sample::kCare, Question(unlinked));
  ASSERT_FALSE(outcome.refused);
  EXPECT_EQ(std::get<v1::PreflightResponse>(outcome.answer).outcomes(0).reason(),
            "UNLINKED_SUBJECT");
  EXPECT_THAT(f.RecordsOf(v1::RECORD_KIND_CONSULTATION), IsEmpty());
}

TEST(Preflight, WithALabelThatIsNotThereIsRefused) {
  MachineFixture f;
  auto question = Question(kPerson);
  question.request.mutable_sections(0)->set_subject_labels(0, Bytes(16, 'x'));
  auto outcome = f.DoAs(sample::kCare, question);
  ASSERT_TRUE(outcome.refused);
  EXPECT_EQ(outcome.refused->field, "sections[0].subject_labels");
}

TEST(CheckConsent, TellsAStrangerYesOrNothing) {
  MachineFixture f;
  EXPECT_EQ(CheckAs(f, sample::kCare).reason(), "NOT_PERMITTED");
  auto id = f.Record({.recorder = sample::kTeam, .subject = kPerson});
  EXPECT_TRUE(CheckAs(f, sample::kCare).covered());
  f.Record({.recorder = sample::kPolice,
            .subject = kPerson,
            .kind = v1::STATEMENT_KIND_OBJECTION,
            .recipient = OrganisationAxis(sample::kTeam)});
  EXPECT_EQ(CheckAs(f, sample::kCare).reason(), "NOT_PERMITTED");
  // Who recorded a consent of the person is told why.
  EXPECT_EQ(CheckAs(f, sample::kTeam).reason(), "OBJECTION");
  EXPECT_EQ(f.RecordsOf(v1::RECORD_KIND_CONSULTATION).size(), 4u);
  EXPECT_FALSE(f.Withdraw(sample::kTeam, id).refused);
  EXPECT_EQ(CheckAs(f, sample::kTeam).reason(), "OBJECTION");
}

TEST(ListStatements, IsARecord) {
  MachineFixture f;
  ASSERT_FALSE(f.DoAs(sample::kCare, machine::ListStatements{kPerson}).refused);
  auto records = f.RecordsOf(v1::RECORD_KIND_CONSULTATION);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].facts().rpc(), "ListStatements");
}

}  // namespace
}  // namespace schakel::testing
