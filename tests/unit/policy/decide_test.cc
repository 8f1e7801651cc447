// Every reason, one change away from a permit, and what goes together for one recipient.
#include "policy/engine/decide.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

using testing::ElementsAre;

ConsentFact Lasting100To200(StatementKind kind) {
  ConsentFact fact;
  fact.kind = kind;
  fact.not_before = Millis(100);
  fact.not_after = Millis(200);
  return fact;
}

DenyReason ReasonOf(const BundleFiles& files, const SectionQuestion& question) {
  const auto bundle = MustCompile(files);
  if (!bundle) return DenyReason::kNone;
  const Decision d = Decide(*bundle, question);
  EXPECT_EQ(d.permitted, d.reason == DenyReason::kNone);
  return d.reason;
}

TEST(Decide, PermitsWhatARulePermitsAndNamesRuleAndArticle) {
  const auto bundle = MustCompile(SmallFiles());
  const Decision d = Decide(*bundle, Question());
  EXPECT_TRUE(d.permitted);
  EXPECT_EQ(d.rule, "red-helps");
  EXPECT_EQ(d.article, "Law art. 1");
  EXPECT_TRUE(d.relied_on.empty());
  EXPECT_EQ(d.obligations, nullptr);
}

TEST(Decide, DeniesUnknownCodes) {
  for (auto change : std::vector<void (*)(SectionQuestion&)>{
           [](SectionQuestion& q) { q.signal_type = "answer"; },
           [](SectionQuestion& q) { q.purpose = "harm"; },
           [](SectionQuestion& q) { q.category = "gossip"; },
           [](SectionQuestion& q) { q.ground = "whim"; },
           [](SectionQuestion& q) { q.attested = {"no-such"}; },
           [](SectionQuestion& q) { q.sender.sector = "green"; },
           [](SectionQuestion& q) { q.recipient.sector = ""; },
           [](SectionQuestion& q) {
             q.addressed = FunctionAtArea{"helper", "village"};
           },
           [](SectionQuestion& q) {
             q.addressed = FunctionAtArea{"no-such", "nowhere"};
           }}) {
    SectionQuestion q = Question();
    change(q);
    EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kUnknownCode);
  }
}

TEST(Decide, DeniesAnUnlinkedSubjectUnderConsent) {
  SectionQuestion q = Question();
  q.subject_linked = false;
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kNone);
  q.ground = "consent";
  const ConsentFact consent = Lasting100To200(StatementKind::kConsent);
  q.statements = std::span(&consent, 1);
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kUnlinkedSubject);
}

TEST(Decide, DeniesAnUnlinkedSubjectToARecipientWithoutBsnAuthority) {
  SectionQuestion q = Question();
  q.subject_linked = false;
  q.recipient.bsn_authority = false;
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kBsnAuthorityMissing);
}

TEST(Decide, DeniesTheBsnWhereEitherSideLacksAuthority) {
  SectionQuestion q = Question();
  q.category = "bsn";
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kNone);
  q.recipient.bsn_authority = false;
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kBsnAuthorityMissing);
  q = Question();
  q.category = "bsn";
  q.sender.bsn_authority = false;
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kBsnAuthorityMissing);
}

TEST(Decide, DeniesAGroundThatDoesNotHoldForCategorySectorTypeOrPurpose) {
  SectionQuestion q = Question();
  q.ground = "emergency";
  q.attested = {"urgent-need"};
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kNone);
  q.category = "mind";
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kGroundNotApplicable);
  q.category = "money";
  q.purpose = "watch";
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kGroundNotApplicable);
  q.purpose = "help";
  q.sender.sector = "blue";
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kGroundNotApplicable);
}

TEST(Decide, AForbidWinsOverEveryPermit) {
  const auto files = Added(SmallFiles(), "rules.yaml",
                           "  - {id: no-mind, effect: forbid, categories: [mind]}\n"
                           "  - {id: mind-after-all, effect: permit, categories: [mind]}\n");
  SectionQuestion q = Question();
  EXPECT_EQ(ReasonOf(files, q), DenyReason::kNone);
  q.category = "mind";
  EXPECT_EQ(ReasonOf(files, q), DenyReason::kForbiddenByRule);
  EXPECT_EQ(Decide(*MustCompile(files), q).rule, "no-mind");
}

TEST(Decide, DeniesWhatNoRulePermits) {
  SectionQuestion q = Question();
  q.sender.sector = "blue";
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kNoRule);
  q = Question();
  q.recipient = {Oin(9), "red", {}, {}, true};
  q.addressed.reset();
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kNoRule);
  q = Question();
  q.purpose = "watch";  // the type does not have it
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kNoRule);
}

TEST(Decide, DeniesAnAddressUnlessARuleNamesIt) {
  SectionQuestion q = Question();
  q.category = "address";
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kNoRule);
  const auto files = Added(SmallFiles(), "rules.yaml",
                           "  - {id: to-the-door, effect: permit, categories: [address]}\n");
  EXPECT_EQ(ReasonOf(files, q), DenyReason::kNone);
}

TEST(Decide, DeniesWithoutTheConditionsOfTheGround) {
  SectionQuestion q = Question();
  q.ground = "emergency";
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kConditionNotAttested);
  q.attested = {"objection-weighed"};
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kConditionNotAttested);
}

TEST(Decide, DeniesAShieldedSubjectToWhomNoRuleNames) {
  SectionQuestion q = Question();
  q.shielded = true;
  EXPECT_EQ(ReasonOf(SmallFiles(), q), DenyReason::kShielded);
  const auto files = Added(SmallFiles(), "rules.yaml",
                           "  - id: named\n    effect: permit\n"
                           "    to: {organisations: [\"00000099000000000002\"]}\n");
  EXPECT_EQ(ReasonOf(files, q), DenyReason::kNone);
  EXPECT_EQ(Decide(*MustCompile(files), q).rule, "named");
}

TEST(Decide, UnderConsentOneInForceIsNeededAndNamed) {
  const auto bundle = MustCompile(SmallFiles());
  SectionQuestion q = Question();
  q.ground = "consent";
  EXPECT_EQ(Decide(*bundle, q).reason, DenyReason::kNoConsent);
  std::vector<ConsentFact> facts = {Lasting100To200(StatementKind::kConsent)};
  q.statements = facts;
  Decision d = Decide(*bundle, q);
  EXPECT_TRUE(d.permitted);
  EXPECT_THAT(d.relied_on, ElementsAre(0));
  facts[0].not_after = Millis(150);
  EXPECT_EQ(Decide(*bundle, q).reason, DenyReason::kConsentExpired);
  facts[0].withdrawn_at = Millis(120);
  EXPECT_EQ(Decide(*bundle, q).reason, DenyReason::kConsentWithdrawn);
  facts[0] = Lasting100To200(StatementKind::kConsent);
  facts.push_back(Lasting100To200(StatementKind::kObjection));
  q.statements = facts;
  d = Decide(*bundle, q);
  EXPECT_EQ(d.reason, DenyReason::kObjection);
  EXPECT_TRUE(d.relied_on.empty());
}

TEST(Decide, AnObjectionDoesToAGroundWhatTheBundleSays) {
  const auto bundle = MustCompile(SmallFiles());
  const ConsentFact objection = Lasting100To200(StatementKind::kObjection);
  SectionQuestion q = Question();
  q.statements = std::span(&objection, 1);
  EXPECT_EQ(Decide(*bundle, q).reason, DenyReason::kObjectionReview);
  q.attested = {"objection-weighed"};
  EXPECT_TRUE(Decide(*bundle, q).permitted);
  q.attested = {"urgent-need"};
  q.ground = "emergency";
  EXPECT_TRUE(Decide(*bundle, q).permitted);
  q.ground = "duty";  // says nothing: blocks
  EXPECT_EQ(Decide(*bundle, q).reason, DenyReason::kObjection);
  q.attested = {"objection-weighed"};
  EXPECT_EQ(Decide(*bundle, q).reason, DenyReason::kObjection);
}

TEST(Decide, MarksExactlyTheReasonsThatDependOnTheSubject) {
  const auto bundle = MustCompile(SmallFiles());
  SectionQuestion q = Question();
  q.shielded = true;
  EXPECT_TRUE(Decide(*bundle, q).subject_dependent);
  q = Question();
  q.ground = "consent";
  EXPECT_TRUE(Decide(*bundle, q).subject_dependent);
  q.sender.sector = "blue";
  EXPECT_FALSE(Decide(*bundle, q).subject_dependent);
  q = Question();
  q.subject_linked = false;
  q.ground = "consent";
  EXPECT_FALSE(Decide(*bundle, q).subject_dependent) << "the sender knows that it is unlinked";
}

TEST(Decide, MatchesAreasByLevel) {
  const auto rule = [](const char* area) {
    return Changed(SmallFiles(), "rules.yaml", "signal_types: [question]",
                   std::string("signal_types: [question]\n    area: ") + area);
  };
  SectionQuestion q = Question();
  q.recipient.functions = {{"helper", "quarter"}, {"helper", "region"}};
  const auto permitted = [&](const char* relation, const char* sender, const char* recipient) {
    q.sender.areas = {sender};
    q.addressed = FunctionAtArea{"helper", recipient};
    return ReasonOf(rule(relation), q) == DenyReason::kNone;
  };
  EXPECT_TRUE(permitted("same-neighbourhood", "quarter", "quarter"));
  EXPECT_TRUE(permitted("same-neighbourhood", "region", "quarter"))
      << "the region has that quarter";
  EXPECT_FALSE(permitted("same-neighbourhood", "quarter", "town")) << "the town is larger";
  EXPECT_TRUE(permitted("same-municipality", "quarter", "town"));
  EXPECT_TRUE(permitted("same-municipality", "town", "quarter"));
  EXPECT_FALSE(permitted("same-municipality", "village", "quarter"));
  EXPECT_FALSE(permitted("same-municipality", "town", "region")) << "local where it can";
  EXPECT_TRUE(permitted("same-region", "village", "quarter"));
  EXPECT_FALSE(permitted("same-region", "atlantis", "quarter"));
  EXPECT_TRUE(permitted("any", "atlantis", "quarter"));
}

TEST(Decide, MatchesCases) {
  const auto files = Changed(SmallFiles(), "rules.yaml", "signal_types: [question]",
                             "signal_types: [question]\n    case_relation: named");
  SectionQuestion q = Question();
  EXPECT_EQ(ReasonOf(files, q), DenyReason::kNoRule);
  q.case_relation = CaseRelation::kNamed;
  EXPECT_EQ(ReasonOf(files, q), DenyReason::kNone);
  q.case_relation = CaseRelation::kParticipants;
  EXPECT_EQ(ReasonOf(files, q), DenyReason::kNone);
  const auto both = Changed(files, "rules.yaml", "named", "participants");
  q.case_relation = CaseRelation::kNamed;
  EXPECT_EQ(ReasonOf(both, q), DenyReason::kNoRule);
}

TEST(Decide, GivesTheObligationsOfThePermit) {
  const auto bundle = MustCompile(
      Changed(SmallFiles(), "rules.yaml", "signal_types: [question]",
              "signal_types: [question]\n"
              "    obligations: {acknowledge_within: 12h, retention: 30d, reason_required: true}"));
  const Decision d = Decide(*bundle, Question());
  ASSERT_NE(d.obligations, nullptr);
  EXPECT_EQ(d.obligations->acknowledge_within, std::chrono::hours(12));
  EXPECT_EQ(d.obligations->retention, std::chrono::hours(24 * 30));
  EXPECT_EQ(d.obligations->notify_subject_within, std::nullopt);
  EXPECT_TRUE(d.obligations->reason_required);
}

TEST(DenyReasons, HaveDistinctNamesInBothForms) {
  std::set<std::string_view> names, codes;
  for (size_t i = 0; i < kDenyReasonCount; ++i) {
    names.insert(ReasonName(static_cast<DenyReason>(i)));
    codes.insert(ReasonCode(static_cast<DenyReason>(i)));
  }
  EXPECT_EQ(names.size(), kDenyReasonCount);
  EXPECT_EQ(codes.size(), kDenyReasonCount);
  EXPECT_EQ(ReasonName(DenyReason::kNoRule), "NO_RULE");
  EXPECT_EQ(ReasonCode(DenyReason::kObjectionReview), "objection-review");
}

// ---- One recipient's part of an envelope ----

class Recipient : public testing::Test {
 protected:
  Recipient() {
    envelope_.signal_type = bundle_->SignalType("question");
    envelope_.purpose = bundle_->Purpose("help");
    envelope_.now = Millis(150);
    const SectionQuestion q = Question();
    pair_ = bundle_->Meet(bundle_->Intern(q.sender), bundle_->Intern(q.recipient), q.addressed);
  }
  SectionFacts Section(const char* category, const char* ground, std::vector<uint16_t> subjects) {
    return {bundle_->Category(category), bundle_->Ground(ground), 0, std::move(subjects)};
  }
  RecipientDecision DecideAll(std::vector<SectionFacts> sections) {
    return DecideRecipient(*bundle_, pair_, envelope_, sections, subjects_);
  }

  std::shared_ptr<const CompiledBundle> bundle_ = MustCompile(SmallFiles());
  InternedStatement consent_ = bundle_->Intern(Lasting100To200(StatementKind::kConsent));
  std::vector<SubjectFacts> subjects_ = {{true, false, std::span(&consent_, 1)}, {true, false, {}}};
  EnvelopeFacts envelope_;
  Pair pair_;
};

TEST_F(Recipient, GetsASectionAboutSeveralOnlyWithAPermitForEach) {
  const auto d = DecideAll({Section("money", "consent", {0}), Section("money", "consent", {0, 1}),
                            Section("mind", "law", {0, 1})});
  EXPECT_THAT(d.permitted, ElementsAre(0, 2));
  EXPECT_TRUE(d.sections[1].subjects[0].permitted);
  EXPECT_EQ(d.sections[1].subjects[1].reason, DenyReason::kNoConsent);
  EXPECT_EQ(d.sections[1].deciding().reason, DenyReason::kNoConsent);
  EXPECT_EQ(d.reason(), DenyReason::kNone);
}

TEST_F(Recipient, GetsIdentityOnlyOfSubjectsThatItReadsAbout) {
  const auto d = DecideAll({Section("money", "law", {0}), Section("name", "law", {0}),
                            Section("name", "law", {1}), Section("bsn", "law", {1})});
  EXPECT_THAT(d.permitted, ElementsAre(0, 1));
  EXPECT_EQ(d.sections[2].deciding().reason, DenyReason::kIdentityAlone);
  EXPECT_EQ(d.sections[3].deciding().reason, DenyReason::kIdentityAlone);
  EXPECT_FALSE(d.sections[2].deciding().subject_dependent);
}

TEST_F(Recipient, GetsNoIdentityThroughASectionThatIsDeniedAndDoesNotLearnWhy) {
  const auto d = DecideAll({Section("money", "consent", {1}), Section("name", "law", {1})});
  EXPECT_TRUE(d.permitted.empty());
  EXPECT_EQ(d.sections[1].deciding().reason, DenyReason::kIdentityAlone);
  EXPECT_TRUE(d.sections[1].deciding().subject_dependent);
  EXPECT_EQ(d.reason(), DenyReason::kNoConsent);
  EXPECT_TRUE(d.subject_dependent());
}

TEST_F(Recipient, NamesTheReasonOfTheFirstSectionThatIsNoIdentity) {
  const auto d = DecideAll({Section("name", "law", {0}), Section("address", "law", {0}),
                            Section("money", "no-such", {0}), Section("mind", "emergency", {0})});
  EXPECT_TRUE(d.permitted.empty());
  EXPECT_EQ(d.denied_by, 2);
  EXPECT_EQ(d.reason(), DenyReason::kUnknownCode);
  EXPECT_FALSE(d.subject_dependent());
}

TEST_F(Recipient, GetsNothingOfSectionsWithoutSubjectsOrWithOnesThatAreNotThere) {
  const auto d = DecideAll({Section("money", "law", {}), Section("money", "law", {2})});
  EXPECT_TRUE(d.permitted.empty());
  EXPECT_EQ(d.sections[0].deciding().reason, DenyReason::kUnknownCode);
  EXPECT_EQ(d.sections[1].deciding().reason, DenyReason::kUnknownCode);
  EXPECT_EQ(DecideAll({}).reason(), DenyReason::kNone);
}

}  // namespace
}  // namespace schakel::policy
