// Each finding of `policy check`, shown by a bad bundle.
#include "policy/engine/check.h"

#include <gmock/gmock.h>

#include "policy/engine/table_test.h"
#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

// Without consent in its reach, so that the small bundle has no finding at all.
BundleFiles Clean() {
  return Changed(SmallFiles(), "rules.yaml", "signal_types: [question]",
                 "signal_types: [question]\n    grounds: [law]");
}

auto Is(const char* kind, const std::string& place, const std::string& message,
        Severity severity = Severity::kError) {
  return AllOf(Field(&Finding::kind, kind), Field(&Finding::place, place),
               Field(&Finding::message, HasSubstr(message)), Field(&Finding::severity, severity));
}

TEST(CheckBundle, FindsNothingInACleanOne) {
  EXPECT_TRUE(CheckBundle(Clean()).empty());
  EXPECT_FALSE(HasErrors(CheckBundle(Clean())));
}

TEST(CheckBundle, FindsAllThatIsInvalidOrUnknownInOrderOfFileAndLine) {
  BundleFiles files = Changed(Clean(), "rules.yaml", "[law]", "[whim]");
  files = Changed(files, "bundle.yaml", "dpia: DPIA-1\n", "");
  files = Changed(files, "functions.yaml", "helper@town", "doctor@moon");
  const auto findings = CheckBundle(files);
  EXPECT_THAT(findings, ElementsAre(Is("invalid", "bundle.yaml:1", "missing key 'dpia'")));
  files = Changed(files, "bundle.yaml", "processor:", "dpia: D\nprocessor:");
  EXPECT_THAT(CheckBundle(files),
              ElementsAre(Is("unknown-code", "functions.yaml:2", "unknown function 'doctor'"),
                          Is("unknown-code", "functions.yaml:2", "unknown area 'moon'"),
                          Is("unknown-code", "rules.yaml:2", "unknown ground 'whim'")));
  EXPECT_TRUE(HasErrors(CheckBundle(files)));
}

TEST(CheckBundle, FindsARuleWhoseGroundNeverHoldsForWhatItNames) {
  const auto files = Added(Clean(), "rules.yaml",
                           "  - {id: vain, effect: permit, categories: [mind], grounds: [duty]}\n");
  EXPECT_THAT(CheckBundle(files),
              ElementsAre(Is("rule-never-matches", PlaceOf(files, "rules.yaml", "- {id: vain"),
                             "no signal type and ground allow what it names")));
}

TEST(CheckBundle, FindsARuleWhoseSendersMayNotClaimItsGround) {
  const auto files =
      Added(Clean(), "rules.yaml",
            "  - {id: vain, effect: permit, from: {sectors: [blue]}, grounds: [emergency]}\n");
  EXPECT_THAT(CheckBundle(files), ElementsAre(Is("rule-never-matches", "rules.yaml:8", "'vain'")));
}

TEST(CheckBundle, FindsAForbidThatCanNeverMatch) {
  const auto files =
      Added(Clean(), "rules.yaml", "  - {id: vain, effect: forbid, purposes: [watch]}\n");
  EXPECT_THAT(CheckBundle(files), ElementsAre(Is("rule-never-matches", "rules.yaml:8", "'vain'")));
}

TEST(CheckBundle, FindsARuleForAFunctionThatNobodyFulfils) {
  const auto files = Changed(Clean(), "functions.yaml", "helper@town", "watcher@town");
  EXPECT_THAT(CheckBundle(files),
              ElementsAre(Is("rule-never-matches", "rules.yaml:2", "nobody in functions.yaml"),
                          Is("type-without-recipient", "signal-types.yaml:2", "'question'")));
}

TEST(CheckBundle, FindsARuleForAnAreaSmallerThanAnyHolders) {
  const auto files = Changed(Clean(), "rules.yaml", "grounds: [law]",
                             "grounds: [law]\n    area: same-neighbourhood");
  EXPECT_THAT(CheckBundle(files),
              testing::Contains(Is("rule-never-matches", "rules.yaml:2", "so small an area")));
}

TEST(CheckBundle, FindsAPermitThatForbidsTakeWholly) {
  const auto files = Added(
      Clean(), "rules.yaml",
      "  - {id: no-red, effect: forbid, from: {sectors: [red]}, categories: [money, mind]}\n"
      "  - {id: nor-rest, effect: forbid, to: {sectors: [red, blue]}, categories: [name, bsn]}\n"
      "  - {id: door, effect: permit, categories: [address], grounds: [law]}\n");
  EXPECT_THAT(CheckBundle(files), ElementsAre(Is("rule-shadowed", "rules.yaml:2", "'red-helps'")));
}

TEST(CheckBundle, DoesNotCallAPermitShadowedThatAForbidTakesPartly) {
  for (const char* forbid :
       {"  - {id: part, effect: forbid, categories: [money, mind]}\n",
        "  - {id: part, effect: forbid, from: {functions: [watcher]}}\n",
        "  - {id: part, effect: forbid, to: {organisations: [\"00000099000000000002\"]}}\n",
        "  - {id: part, effect: forbid, area: same-municipality}\n",
        "  - {id: part, effect: forbid, case_relation: named}\n"}) {
    EXPECT_TRUE(CheckBundle(Added(Clean(), "rules.yaml", forbid)).empty()) << forbid;
  }
}

TEST(CheckBundle, FindsASignalTypeThatNobodyMayGet) {
  const auto files = Added(Clean(), "signal-types.yaml",
                           "  silence:\n    nl: Stilte\n    en: Silence\n    link: signal\n"
                           "    purposes: [watch]\n    categories: {money: any}\n"
                           "    expires_min: 1h\n    expires_max: 1d\n    retention: 1d\n"
                           "    stalled_after: 2h\n");
  EXPECT_THAT(CheckBundle(files),
              ElementsAre(Is("type-without-recipient",
                             PlaceOf(files, "signal-types.yaml", "silence:"), "'silence'")));
}

TEST(CheckBundle, AsksAfterHowLongASignalTypeStalls) {
  const auto files = Changed(Clean(), "signal-types.yaml", "    stalled_after: 5d\n", "");
  const auto place = PlaceOf(files, "signal-types.yaml", "question:");
  EXPECT_THAT(CheckBundle(files),
              ElementsAre(Is("stalled-unsaid", place, "is that how long", Severity::kWarning)));
  EXPECT_THAT(CheckBundle(Changed(files, "signal-types.yaml", "expires_max: 30d",
                                  "expires_max: 7d")),
              ElementsAre(Is("stalled-unsaid", place, "never counts", Severity::kWarning)));
}

TEST(CheckBundle, FindsAStatutoryGroundWithoutAnArticle) {
  const auto files = Changed(Clean(), "grounds.yaml", "    article: Law art. 3\n", "");
  EXPECT_THAT(
      CheckBundle(files),
      ElementsAre(Is("ground-without-article", PlaceOf(files, "grounds.yaml", "duty:"), "'duty'")));
}

TEST(CheckBundle, FindsSpecialDataUnderAGroundWithoutAnException) {
  const auto files =
      Changed(Clean(), "grounds.yaml", "mind: {article_6: e, exception: AVG art. 9(2)(g)}",
              "mind: {article_6: e}");
  EXPECT_THAT(CheckBundle(files),
              ElementsAre(Is("missing-exception", "rules.yaml:2", "permits 'mind' under 'law'")));
}

TEST(CheckBundle, WarnsOfConsentWithAPublicBody) {
  const auto with = [](const char* from, const char* to) {
    return CheckBundle(Added(Clean(), "rules.yaml",
                             std::string("  - {id: soft, effect: permit, grounds: [consent], "
                                         "from: {sectors: [") +
                                 from + "]}, to: {sectors: [" + to + "]}}\n"));
  };
  EXPECT_TRUE(with("red", "red").empty());
  EXPECT_THAT(with("blue", "red"), ElementsAre(Is("consent-public-body", "rules.yaml:8",
                                                  "its sender", Severity::kWarning)));
  EXPECT_THAT(with("red", "blue"), ElementsAre(Is("consent-public-body", "rules.yaml:8",
                                                  "its recipient", Severity::kWarning)));
  EXPECT_EQ(with("red, blue", "blue").size(), 2u);
  EXPECT_FALSE(HasErrors(with("blue", "blue")));
  // No sector named: it may be a public body.
  EXPECT_EQ(CheckBundle(SmallFiles()).size(), 0u);
  EXPECT_EQ(CheckBundle(Changed(SmallFiles(), "rules.yaml", "sectors: [red], ", "")).size(), 1u);
}

TEST(TableTests, ReportWhatCameOutInstead) {
  const auto run = [](const char* from, const std::string& to) {
    const auto bundle = MustCompile(Changed(SmallFiles(), "tests.yaml", from, to));
    const auto outcomes = RunTableTests(*bundle);
    EXPECT_EQ(outcomes.size(), 1u);
    EXPECT_EQ(outcomes[0].passed, outcomes[0].message.empty());
    EXPECT_EQ(outcomes[0].place, "tests.yaml:5");
    return outcomes[0].message;
  };
  EXPECT_EQ(run("expect: permit", "expect: permit"), "");
  EXPECT_EQ(run("expect: permit", "expect: no-rule"), "expected no-rule, got permit of money");
  EXPECT_EQ(run("ground: law", "ground: consent"), "expected permit, got no-consent");
  EXPECT_EQ(run("[money]", "[money, address]"), "expected a permit of address, money, got money");
  EXPECT_EQ(run("expect: permit", "expect: permit\n    rule: other"),
            "expected rule 'other', got 'red-helps'");
  EXPECT_EQ(run("from: sender", "from: nobody"), "unknown party 'nobody'");
  EXPECT_EQ(run("to: helper@town", "to: helper@moon"), "unknown party or function 'helper@moon'");
  EXPECT_THAT(run("ground: law", "ground: law\n    statements: [{kind: consent, sender: red}]"),
              HasSubstr("expected an axis"));
}

TEST(TableTests, GiveTheirQuestionInNumbers) {
  const auto bundle = MustCompile(SmallFiles());
  v1::BundleTest test = bundle->source().tests.tests(0);
  const auto question = QuestionOf(*bundle, test);
  ASSERT_TRUE(question.ok());
  const auto subject = question->subject();
  const auto decided = DecideRecipient(*bundle, question->pair, question->envelope,
                                       question->sections, std::span(&subject, 1));
  EXPECT_EQ(decided.permitted.size(), static_cast<size_t>(test.categories_size()));
  test.set_from("nobody");
  EXPECT_EQ(QuestionOf(*bundle, test).error().reason, "BUNDLE_INVALID");
}

}  // namespace
}  // namespace schakel::policy
