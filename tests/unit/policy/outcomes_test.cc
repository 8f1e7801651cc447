// What a recipient may report to have come of a signal: the bundle's codes, by signal type.
#include <gmock/gmock.h>

#include "policy/engine/check.h"
#include "policy/engine/explain.h"
#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kOutcomes = R"(outcomes:
  done: {nl: Gedaan, en: Done, about_nl: Het is gedaan, about_en: It is done}
  moot: {nl: Vervallen, en: Moot}
  odd: {nl: Vreemd, en: Odd}
default_outcomes: [done, moot]
)";

// Without consent in its reach, so that the small bundle has no finding at all.
BundleFiles Clean() {
  return Changed(SmallFiles(), "rules.yaml", "signal_types: [question]",
                 "signal_types: [question]\n    grounds: [law]");
}
BundleFiles WithOutcomes() { return Added(Clean(), "bundle.yaml", kOutcomes); }
BundleFiles WithOwn(const std::string& codes) {
  return Changed(WithOutcomes(), "signal-types.yaml", "    expires_min: 1h",
                 "    outcomes: [" + codes + "]\n    expires_min: 1h");
}

TEST(Outcomes, OfATypeThatNamesNoneAreThoseForEveryType) {
  const auto bundle = MustCompile(WithOutcomes());
  EXPECT_THAT(bundle->OutcomesOf("question"), ElementsAre("done", "moot"));
  EXPECT_TRUE(bundle->KnowsOutcome("odd"));
  EXPECT_FALSE(bundle->KnowsOutcome("fine"));
  EXPECT_EQ(bundle->NameOf(CodeKind::kOutcome, "done", "nl"), "Gedaan");
  EXPECT_EQ(bundle->AboutOf(CodeKind::kOutcome, "done", "en"), "It is done");
}

TEST(Outcomes, OfATypeThatNamesItsOwnAreThoseAlone) {
  EXPECT_THAT(MustCompile(WithOwn("odd"))->OutcomesOf("question"), ElementsAre("odd"));
}

TEST(Outcomes, MayBeNone) {
  EXPECT_THAT(MustCompile(SmallFiles())->OutcomesOf("question"), IsEmpty());
}

TEST(Outcomes, ThatStandInNoListAreFoundWithFileAndLine) {
  const auto files = WithOwn("done, fine");
  EXPECT_THAT(CheckBundle(files),
              ElementsAre(AllOf(Field(&Finding::kind, "unknown-code"),
                                Field(&Finding::place, "signal-types.yaml:2"),
                                Field(&Finding::message, "unknown outcome 'fine'"))));
  EXPECT_THAT(CheckBundle(Changed(WithOutcomes(), "bundle.yaml", "[done, moot]", "[done, fine]")),
              ElementsAre(AllOf(Field(&Finding::kind, "unknown-code"),
                                Field(&Finding::message, "unknown outcome 'fine'"))));
  EXPECT_FALSE(CompileFiles(Added(WithOutcomes(), "bundle.yaml", "# ")).ok() &&
               CompileFiles(WithOwn("fine")).ok());
}

TEST(Outcomes, StandInTheExplanationOfWhatIsPermitted) {
  const auto bundle = MustCompile(WithOutcomes());
  const char* english = "The recipient can report as outcome: Done (done), Moot (moot).";
  EXPECT_THAT(Explain(*bundle, Question(), "en").steps, Contains(english));
  EXPECT_THAT(Explain(*bundle, Question(), "nl").steps,
              Contains(HasSubstr("kan als uitkomst melden: Gedaan (done)")));
  SectionQuestion denied = Question();
  denied.sender.sector = "blue";
  EXPECT_THAT(Explain(*bundle, denied, "en").steps, Not(Contains(english)));
  EXPECT_THAT(Explain(*MustCompile(SmallFiles()), Question(), "en").steps,
              Not(Contains(HasSubstr("can report"))));
}

TEST(Outcomes, ThatNoTypeHasAreWarnedOf) {
  const auto files = WithOutcomes();
  EXPECT_THAT(CheckBundle(files),
              ElementsAre(AllOf(Field(&Finding::kind, "outcome-never-reported"),
                                Field(&Finding::severity, Severity::kWarning),
                                Field(&Finding::place, PlaceOf(files, "bundle.yaml", "odd: {")),
                                Field(&Finding::message, HasSubstr("'odd'")))));
  EXPECT_THAT(CheckBundle(Changed(files, "bundle.yaml", "[done, moot]", "[done, moot, odd]")),
              IsEmpty());
}

// The broker and the sender read them: who is at risk must not be told of by them.
TEST(Outcomes, OfTheReferenceBundleTellLittleWhereLittleMayBeTold) {
  const auto bundle = ReferenceBundle();
  EXPECT_THAT(bundle->OutcomesOf("address-secrecy"), ElementsAre("taken-up", "completed"));
  for (const auto& code : bundle->OutcomesOf("domestic-violence-report")) {
    EXPECT_TRUE(code != "help-offered" && code != "not-reachable") << code;
  }
  for (const auto& outcome : bundle->source().manifest.outcomes()) {
    EXPECT_FALSE(outcome.about_nl().empty() || outcome.about_en().empty()) << outcome.code();
  }
}

}  // namespace
}  // namespace schakel::policy
