// A statutory ground: what may be told without asking, to whom, and who gets nothing.
#include "tests/e2e/story.h"

namespace schakel::e2e {
namespace {

using ::testing::UnorderedElementsAre;

class Statutory : public RegionTest {};

TEST_F(Statutory, ArrearsReachDebtReliefWithoutConsentAndAreLinkedThere) {
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
  ASSERT_TRUE(sent.accepted()) << sent.entry.answer().DebugString();
  EXPECT_TRUE(sent.all_queued());
  ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
  ASSERT_EQ(waiting.size(), 1u);
  sdk::OpenDiagnosis diagnosis;
  auto opened = Open(As("debt-relief"), waiting[0], &diagnosis);
  ASSERT_TRUE(opened.ok()) << Why(opened) << " step " << diagnosis.step << ": " << diagnosis.why;
  EXPECT_THAT(CategoriesOf(*opened), UnorderedElementsAre("finances", "housing", "identity"));
  EXPECT_EQ(opened->sender, OinOf("corporation"));
  ASSERT_OK_AND(auto* inbox, As("debt-relief").inbox());
  ASSERT_OK(inbox->Acknowledge(IdOf(waiting[0])));

  ASSERT_OK_AND(const auto person, PersonBy(region(), "debt-relief", 0));
  const auto label = SubjectLabel::From(opened->sections[0].meta.subject_labels(0));
  ASSERT_TRUE(label.has_value());
  ASSERT_OK_AND(auto* signals, As("debt-relief").signals());
  ASSERT_OK_AND(const auto attached,
                signals->AttachSubject(IdOf(sent), OinOf("corporation"), *label, person));
  EXPECT_GT(attached.receipt().position(), 0u);

  ASSERT_OK_AND(const auto records, RecordsAbout(region(), IdOf(sent)));
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_PUBLISH), 1u);
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_DELIVERY), 1u);
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_ACKNOWLEDGEMENT), 1u);
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_SUBJECT_ATTACHED), 1u);
}

TEST_F(Statutory, ThePoliceAsSecondRecipientGetsNothingAndTheSenderLearnsWhy) {
  auto draft = Arrears();
  draft.recipients.push_back(sdk::Addressee::To(OinOf("police")));
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), draft, sdk::WrapChoice::kEveryRecipient));
  ASSERT_TRUE(sent.accepted());
  EXPECT_FALSE(sent.all_queued());
  const auto* denied = OutcomeFor(sent.entry.answer().accepted(), OinOf("police"));
  ASSERT_NE(denied, nullptr);
  EXPECT_EQ(denied->state(), v1::RECIPIENT_STATE_DENIED);
  EXPECT_EQ(denied->reason(), "NO_RULE");
  EXPECT_EQ(denied->permitted_categories_size(), 0);
  const auto* queued = OutcomeFor(sent.entry.answer().accepted(), OinOf("debt-relief"));
  ASSERT_NE(queued, nullptr);
  EXPECT_EQ(queued->state(), v1::RECIPIENT_STATE_QUEUED);
  ASSERT_OK_AND(const auto waiting, FetchAll(As("police")));
  EXPECT_TRUE(waiting.empty());
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(Statutory, UnderConsentAnUnlinkedPersonIsRefused) {
  ASSERT_OK_AND(const auto sent,
                Send(As("corporation"), Arrears("consent"), sdk::WrapChoice::kEveryRecipient));
  ASSERT_TRUE(sent.accepted());
  const auto& outcomes = sent.entry.answer().accepted().outcomes();
  ASSERT_EQ(outcomes.size(), 1);
  EXPECT_EQ(outcomes[0].state(), v1::RECIPIENT_STATE_DENIED);
  EXPECT_EQ(outcomes[0].reason(), "UNLINKED_SUBJECT");
  ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
  EXPECT_TRUE(waiting.empty());
  // The sender's own program would not even have sealed it.
  const auto sealed = Send(As("corporation"), Arrears("consent"));
  ASSERT_FALSE(sealed.ok());
  EXPECT_EQ(sealed.error().code, ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace schakel::e2e
