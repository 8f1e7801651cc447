// INVARIANT I9: a recipient gets only what is permitted to it, and no hint what else there is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/machine_fixture.h"

namespace schakel::testing {
namespace {

using ::testing::UnorderedElementsAre;

std::vector<std::string> Categories(const v1::DeliveredSignal& signal) {
  std::vector<std::string> categories;
  for (const auto& section : signal.sections()) {
    v1::SectionMeta meta;
    EXPECT_TRUE(meta.ParseFromString(section.meta()));
    categories.push_back(meta.category());
  }
  return categories;
}

// Two subjects, four sections, two recipients: the centre may read all, the team `social` about the
// second subject and that subject's identity.
class NeedToKnow : public ::testing::Test {
 protected:
  NeedToKnow() {
    auto spec = f_.Violence(Linked("first"));
    spec.subjects.push_back(Linked("second"));
    spec.recipients.emplace_back(sample::kTeam);
    spec.sections = {{"safety", "wmo-veilig-thuis", {0}},
                     {"social", "wmo-veilig-thuis", {1}},
                     {"identity", "wmo-veilig-thuis", {0}},
                     {"identity", "wmo-veilig-thuis", {1}}};
    accepted_ = f_.Accept(spec);
  }

  MachineFixture f_;
  v1::SignalAccepted accepted_;
};

TEST_F(NeedToKnow, EachRecipientGetsOnlyItsOwnSections) {
  auto centre = f_.Pull(sample::kCentre);
  auto team = f_.Pull(sample::kTeam);
  ASSERT_EQ(centre.items.size(), 1u);
  ASSERT_EQ(team.items.size(), 1u);
  EXPECT_THAT(Categories(centre.items[0].delivery.signal()),
              UnorderedElementsAre("safety", "social", "identity", "identity"));
  EXPECT_THAT(Categories(team.items[0].delivery.signal()),
              UnorderedElementsAre("social", "identity"));
}

TEST_F(NeedToKnow, IdentityGoesOnlyWithASectionAboutTheSamePerson) {
  auto team = f_.Pull(sample::kTeam);
  std::set<Bytes> labels;
  for (const auto& section : team.items.at(0).delivery.signal().sections()) {
    v1::SectionMeta meta;
    ASSERT_TRUE(meta.ParseFromString(section.meta()));
    ASSERT_EQ(meta.subject_labels_size(), 1);
    labels.insert(meta.subject_labels(0));
  }
  EXPECT_EQ(labels.size(), 1u);
  EXPECT_EQ(team.items[0].subjects, std::vector<Bytes>{Linked("second").pairs(0).value()});
}

TEST_F(NeedToKnow, NoByteOfAnotherRecipientReachesAReader) {
  auto team = f_.Pull(sample::kTeam);
  Bytes all = team.items.at(0).delivery.SerializeAsString();
  EXPECT_EQ(all.find(sample::kCentre.str()), Bytes::npos);
  EXPECT_EQ(all.find(Linked("first").pairs(0).value()), Bytes::npos);
  EXPECT_EQ(all.find("safety"), Bytes::npos);
  for (const auto& section : team.items[0].delivery.signal().sections()) {
    ASSERT_EQ(section.wraps_size(), 1);
    EXPECT_EQ(section.wraps(0).recipient(), sample::kTeam.str());
  }
  // What was signed is shown as opaque values, always a multiple of 16.
  EXPECT_EQ(team.items[0].delivery.signal().values_size() % 16, 0);
}

TEST_F(NeedToKnow, ADeliveryRecordNamesOnlyTheSubjectsThatAreRead) {
  f_.Pull(sample::kTeam);
  auto records = f_.RecordsOf(v1::RECORD_KIND_DELIVERY);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].organisation(), sample::kTeam.str());
  EXPECT_EQ(records[0].sections_size(), 2);
  f_.Pull(sample::kCentre);
  EXPECT_EQ(f_.RecordsOf(v1::RECORD_KIND_DELIVERY).size(), 3u);
}

TEST_F(NeedToKnow, TheSenderLearnsWhichSectionsWereDenied) {
  ASSERT_EQ(accepted_.outcomes_size(), 2);
  EXPECT_EQ(accepted_.outcomes(0).denials_size(), 0);
  EXPECT_EQ(accepted_.outcomes(1).state(), v1::RECIPIENT_STATE_QUEUED);
  EXPECT_THAT(accepted_.outcomes(1).permitted_categories(),
              UnorderedElementsAre("social", "identity"));
  ASSERT_EQ(accepted_.outcomes(1).denials_size(), 2);
  EXPECT_THAT((std::vector<std::string>{accepted_.outcomes(1).denials(0).reason(),
                                        accepted_.outcomes(1).denials(1).reason()}),
              UnorderedElementsAre("NO_RULE", "IDENTITY_ALONE"));
}

TEST_F(NeedToKnow, APublishLeavesOneRecordASubjectUnderOneEvent) {
  auto records = f_.RecordsOf(v1::RECORD_KIND_PUBLISH);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].event_id(), records[1].event_id());
  EXPECT_NE(records[0].subject_label(), records[1].subject_label());
  EXPECT_EQ(accepted_.receipts_size(), 2);
}

TEST_F(NeedToKnow, ASectionThatNobodyMayReadIsNotKept) {
  auto spec = f_.Violence(Linked("third"));
  spec.sections.push_back({"finances", "wmo-veilig-thuis"});
  auto accepted = f_.Accept(spec);
  auto raw = f_.state().Get(
      store::Family::kContent,
      machine::keys::SignalContent(sample::kPolice, *SignalId::From(accepted.signal_id())));
  ASSERT_TRUE(raw.ok() && *raw);
  state::v1::StoredSignal stored;
  ASSERT_TRUE(stored.ParseFromString(**raw));
  int kept = 0;
  for (const auto& section : stored.sections()) kept += section.ciphertext().empty() ? 0 : 1;
  EXPECT_EQ(stored.sections_size(), 2);
  EXPECT_EQ(kept, 1);
}

TEST_F(NeedToKnow, AWrapForAnOutdatedKeySetNeedsResealing) {
  auto spec = f_.Violence(Linked("third"));
  auto envelope = f_.Envelope(spec);
  envelope.mutable_sections(0)->mutable_wraps(0)->set_recipient_key_set_digest(Bytes(32, 'x'));
  SetValues(&envelope, &f_.random());
  auto parsed = machine::ParseEnvelope(envelope);
  ASSERT_TRUE(parsed.ok());
  auto outcome = f_.Publish(*parsed);
  ASSERT_FALSE(outcome.refused);
  const auto& answer = std::get<v1::SignalAccepted>(outcome.answer);
  EXPECT_EQ(answer.outcomes(0).state(), v1::RECIPIENT_STATE_DENIED);
  EXPECT_EQ(answer.outcomes(0).reason(), "RESEAL_NEEDED");
}

}  // namespace
}  // namespace schakel::testing
