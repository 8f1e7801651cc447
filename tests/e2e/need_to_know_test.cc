// Need to know: of one signal each recipient gets its own part and no hint what else there is.
#include "broker/crypto/envelope_format.h"
#include "tests/e2e/story.h"
#include "tests/e2e/wire.h"

namespace schakel::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class NeedToKnow : public RegionTest {};

// A household of two: what happened to the first goes to the domestic violence centre, how the
// second lives to the neighbourhood team, and the names of both are offered to both.
sdk::SignalDraft Household(const v1::SubjectRef& first, const v1::SubjectRef& second) {
  sdk::SignalDraft draft;
  draft.signal_type = "domestic-violence-report";
  draft.purpose = "stop-domestic-violence";
  draft.recipients.push_back(ToFunction("domestic-violence-centre", "dordrecht"));
  draft.recipients.push_back(ToFunction("neighbourhood-team", "dordrecht"));
  draft.subjects = {first, second};
  const std::string ground = "wmo-veilig-thuis";
  draft.sections.push_back(
      Section("safety", ground, R"({"occurred_on":"2026-01-02","kinds":["physical"]})", {1}));
  draft.sections.push_back(Section("social", ground, R"({"household_size":4})", {2}));
  draft.sections.back().readers = {2};
  draft.sections.push_back(Section("identity", ground, IdentityOf("Eerste"), {1}));
  draft.sections.push_back(Section("identity", ground, IdentityOf("Tweede"), {2}));
  return draft;
}

// What a reader may never find in what it got: the other sections, who else reads, who else lives
// there.
void ExpectOnlyOwn(const v1::Envelope& envelope, const v1::Delivery& delivery,
                   const OrganisationId& reader, const OrganisationId& other,
                   const v1::SubjectRef& other_subject) {
  const Bytes got = delivery.SerializeAsString();
  std::set<Bytes> own;
  for (const auto& section : delivery.signal().sections()) {
    own.insert(section.sid());
    ASSERT_EQ(section.wraps_size(), 1);
    EXPECT_EQ(section.wraps(0).recipient(), reader.str());
  }
  int hidden = 0;
  for (const auto& section : envelope.sections()) {
    for (const auto& wrap : section.wraps()) {
      if (wrap.recipient() == reader.str() && own.contains(section.sid())) continue;
      EXPECT_THAT(got, Not(HasSubstr(wrap.wrapped())));
      EXPECT_THAT(got, Not(HasSubstr(wrap.enc())));
    }
    if (own.contains(section.sid())) continue;
    ++hidden;
    EXPECT_THAT(got, Not(HasSubstr(section.sid())));
    EXPECT_THAT(got, Not(HasSubstr(section.ciphertext().substr(0, 32))));
    EXPECT_THAT(got, Not(HasSubstr(section.commitment())));
    EXPECT_THAT(got, Not(HasSubstr(section.meta())));
  }
  EXPECT_EQ(hidden, 2);
  EXPECT_THAT(got, Not(HasSubstr(other.str())));
  EXPECT_THAT(got, Not(HasSubstr(other_subject.pairs(0).value())));
  EXPECT_THAT(got, Not(HasSubstr(envelope.routing())));
  EXPECT_EQ(static_cast<size_t>(delivery.signal().values_size()) % crypto::kValuesMultiple, 0u);
}

TEST_F(NeedToKnow, OfAHouseholdEachRecipientReadsItsOwnPartAboutItsOwnPerson) {
  ASSERT_OK_AND(const auto first, PersonBy(region(), "police", 1));
  ASSERT_OK_AND(const auto second, PersonBy(region(), "police", 2));
  ASSERT_OK_AND(const auto envelope,
                Seal(As("police"), Household(first, second), sdk::WrapChoice::kEveryRecipient));
  ASSERT_EQ(envelope.sections_size(), 4);
  ASSERT_OK_AND(const auto accepted, PublishOne(As("police"), envelope));
  ASSERT_EQ(accepted.outcomes_size(), 2);
  for (const auto& outcome : accepted.outcomes()) {
    EXPECT_EQ(outcome.state(), v1::RECIPIENT_STATE_QUEUED);
  }

  ASSERT_OK_AND(const auto for_centre, FetchAll(As("centre")));
  ASSERT_OK_AND(const auto for_team, FetchAll(As("team")));
  ASSERT_EQ(for_centre.size(), 1u);
  ASSERT_EQ(for_team.size(), 1u);
  // Opening verifies the police's signature over all that was signed, by what each has of it.
  ASSERT_OK_AND(const auto centre, Open(As("centre"), for_centre[0]));
  ASSERT_OK_AND(const auto team, Open(As("team"), for_team[0]));
  EXPECT_EQ(centre.envelope_digest, team.envelope_digest);
  EXPECT_THAT(CategoriesOf(centre), UnorderedElementsAre("safety", "identity"));
  EXPECT_THAT(CategoriesOf(team), UnorderedElementsAre("social", "identity"));
  for (const auto* opened : {&centre, &team}) {
    const std::string name = opened == &centre ? "Eerste" : "Tweede";
    for (const auto& section : opened->sections) {
      EXPECT_EQ(section.meta.subject_labels_size(), 1);
      EXPECT_EQ(section.meta.subject_labels(0), opened->sections[0].meta.subject_labels(0));
      if (section.meta.category() != "identity") continue;
      EXPECT_THAT(std::string(section.content.content.ExposeSecret()), HasSubstr(name));
    }
  }
  ExpectOnlyOwn(envelope, for_centre[0], OinOf("centre"), OinOf("team"), second);
  ExpectOnlyOwn(envelope, for_team[0], OinOf("team"), OinOf("centre"), first);
}

}  // namespace
}  // namespace schakel::e2e
