#include "policy/engine/explain.h"

#include <gmock/gmock.h>

#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(Explain, TellsAPermitInDutchAndEnglish) {
  const auto bundle = MustCompile(SmallFiles());
  const Explanation en = Explain(*bundle, Question(), "en");
  EXPECT_TRUE(en.decision.permitted);
  EXPECT_THAT(en.steps.front(), HasSubstr("section Money (money), purpose Help (help)"));
  EXPECT_THAT(en.steps, Contains("Rule red-helps permits."));
  EXPECT_EQ(en.steps.back(), "Permitted, by rule red-helps.");
  const Explanation nl = Explain(*bundle, Question(), "nl");
  EXPECT_THAT(nl.steps, Contains("Regel red-helps staat toe."));
  EXPECT_THAT(nl.steps, Contains(HasSubstr("Grondslag: Wet (law), Law art. 1")));
  EXPECT_EQ(nl.steps.back(), "Toegestaan, op regel red-helps.");
}

TEST(Explain, SaysWhatTypeAndGroundAreForWhenTheBundleDoes) {
  BundleFiles files =
      Changed(SmallFiles(), "signal-types.yaml", "    en: Question\n",
              "    en: Question\n    about_nl: Iemand vraagt\n    about_en: Somebody asks\n");
  files = Changed(files, "grounds.yaml", "    en: Law\n",
                  "    en: Law\n    about_nl: De wet mag het\n    about_en: The law lets it\n");
  const auto bundle = MustCompile(files);
  EXPECT_THAT(Explain(*bundle, Question(), "en").steps, Contains("Question: Somebody asks."));
  EXPECT_THAT(Explain(*bundle, Question(), "en").steps, Contains("Law: The law lets it."));
  EXPECT_THAT(Explain(*bundle, Question(), "nl").steps, Contains("Vraag: Iemand vraagt."));
  EXPECT_THAT(Explain(*MustCompile(SmallFiles()), Question(), "en").steps,
              testing::Not(Contains(HasSubstr("lets it"))));
}

TEST(Explain, NamesTheRulesThatFailOnOneThingOnly) {
  const auto bundle = MustCompile(SmallFiles());
  SectionQuestion q = Question();
  q.sender.sector = "blue";
  const Explanation e = Explain(*bundle, q, "en");
  EXPECT_EQ(e.decision.reason, DenyReason::kNoRule);
  EXPECT_THAT(e.steps, Contains("No rule permits this."));
  EXPECT_THAT(e.steps, Contains("Rule red-helps does not match on: sender."));
  EXPECT_EQ(e.steps.back(), "Denied: NO_RULE.");
}

TEST(Explain, NamesTheForbid) {
  const auto bundle = MustCompile(
      Added(SmallFiles(), "rules.yaml", "  - {id: never, effect: forbid, why: too private}\n"));
  const Explanation e = Explain(*bundle, Question(), "nl");
  EXPECT_THAT(e.steps, Contains("Regel never verbiedt: too private."));
  EXPECT_EQ(e.steps.back(), "Geweigerd: FORBIDDEN_BY_RULE.");
}

TEST(Explain, NamesWhatIsUnknown) {
  const auto bundle = MustCompile(SmallFiles());
  SectionQuestion q = Question();
  q.ground = "whim";
  q.attested = {"fancy"};
  q.addressed = FunctionAtArea{"watcher", "village"};
  const Explanation e = Explain(*bundle, q, "en");
  EXPECT_THAT(e.steps, Contains("Unknown: ground 'whim'."));
  EXPECT_THAT(e.steps, Contains("Unknown: condition 'fancy'."));
  EXPECT_THAT(e.steps, Contains("The recipient does not fulfil watcher@village."));
}

TEST(Explain, TellsOfGroundsConditionsStatementsAndShield) {
  const auto bundle = MustCompile(SmallFiles());
  SectionQuestion q = Question();
  q.ground = "emergency";
  EXPECT_THAT(Explain(*bundle, q, "en").steps,
              Contains("Condition Need (urgent-need): not attested."));
  q.category = "mind";
  EXPECT_THAT(Explain(*bundle, q, "en").steps,
              Contains("The ground does not hold for this category."));
  q = Question();
  q.ground = "consent";
  EXPECT_THAT(Explain(*bundle, q, "en").steps, Contains("No consent or objection is known."));
  ConsentFact consent;
  consent.not_after = Millis(200);
  q.statements = std::span(&consent, 1);
  EXPECT_THAT(Explain(*bundle, q, "en").steps,
              Contains("Of 1 statements, 1 consent(s) hold for this exchange and no objection."));
  q.shielded = true;
  EXPECT_THAT(Explain(*bundle, q, "en").steps, Contains(HasSubstr("The subject is shielded")));
  q = Question();
  q.subject_linked = false;
  EXPECT_THAT(Explain(*bundle, q, "en").steps,
              Contains("The subject is not linked to a pseudonym yet."));
}

TEST(Explain, EndsWithTheDecisionThatDecideGives) {
  const auto bundle = MustCompile(SmallFiles());
  for (const char* category : {"money", "mind", "name", "bsn", "address", "gossip"}) {
    for (const char* ground : {"consent", "law", "emergency", "duty", "whim"}) {
      SectionQuestion q = Question();
      q.category = category;
      q.ground = ground;
      for (const bool linked : {true, false}) {
        q.subject_linked = linked;
        const Explanation e = Explain(*bundle, q, "en");
        EXPECT_EQ(e.decision, Decide(*bundle, q)) << category << " " << ground;
        EXPECT_GE(e.steps.size(), 2u);
      }
    }
  }
}

}  // namespace
}  // namespace schakel::policy
