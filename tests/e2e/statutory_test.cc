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

}  // namespace
}  // namespace schakel::e2e
