// Test traffic: a ground whose subjects stand for nobody.
#include <gmock/gmock.h>

#include <set>

#include "policy/engine/check.h"
#include "policy/engine/decide.h"
#include "policy/engine/explain.h"
#include "policy/engine/matrix.h"
#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

BundleFiles WithTests(const std::string& more = "signal_types: [question]",
                      const std::string& categories = "money: {article_6: f}") {
  return Added(SmallFiles(), "grounds.yaml",
               "  trial:\n    nl: Proef\n    en: Trial\n    article: Law art. 9\n    nobody: true\n"
               "    " +
                   more + "\n    categories:\n      " + categories + "\n");
}

// From somebody without authority to somebody without.
SectionQuestion TestSignal() {
  SectionQuestion q{.sender = {Oin(1), "red", {}, {"town"}, false},
                    .recipient = {Oin(2), "red", {}, {"town"}, false}};
  q.addressed = FunctionAtArea{"helper", "town"};
  q.signal_type = "question";
  q.purpose = "help";
  q.category = "money";
  q.ground = "trial";
  q.subject_linked = false;
  return q;
}

TEST(Nobody, NeedsNoAuthorityOfWhoeverReceives) {
  const auto bundle = MustCompile(WithTests());
  EXPECT_TRUE(Decide(*bundle, TestSignal()).permitted);
  SectionQuestion law = TestSignal();
  law.ground = "law";
  EXPECT_EQ(Decide(*bundle, law).reason, DenyReason::kBsnAuthorityMissing)
      << "of every other ground an unlinked subject is somebody";
}

TEST(Nobody, IsNoPersonWithAPseudonym) {
  SectionQuestion q = TestSignal();
  q.subject_linked = true;
  q.sender.bsn_authority = q.recipient.bsn_authority = true;
  const auto decision = Decide(*MustCompile(WithTests()), q);
  EXPECT_EQ(decision.reason, DenyReason::kGroundNotApplicable);
  EXPECT_FALSE(decision.subject_dependent) << "the sender knows that it is linked";
}

TEST(Nobody, IsExplained) {
  const auto bundle = MustCompile(WithTests());
  EXPECT_THAT(Explain(*bundle, TestSignal(), "en").steps,
              Contains(HasSubstr("stands for nobody: this is test traffic")));
  SectionQuestion linked = TestSignal();
  linked.subject_linked = true;
  EXPECT_THAT(Explain(*bundle, linked, "nl").steps,
              Contains(HasSubstr("geldt niet voor een gekoppelde betrokkene")));
  SectionQuestion law = TestSignal();
  law.ground = "law";
  EXPECT_THAT(Explain(*bundle, law, "en").steps, Not(Contains(HasSubstr("nobody"))));
}

// It must not become a way for data of persons to those who may not link them.
TEST(Nobody, CarriesNothingThatCouldBeAboutSomebody) {
  const auto refused = [](const BundleFiles& files, const std::string& why) {
    EXPECT_THAT(CheckBundle(files), Contains(Field(&Finding::message, HasSubstr(why))));
    EXPECT_FALSE(CompileFiles(files).ok());
  };
  EXPECT_FALSE(HasErrors(CheckBundle(WithTests())));
  const std::string types = "signal_types: [question]";
  refused(WithTests("objection: blocks"), "name its signal types");
  refused(WithTests(types + "\n    kind: consent"), "be no consent");
  refused(WithTests(types, "name: {article_6: f}"), "not 'name'");
  refused(WithTests(types, "bsn: {article_6: f}"), "not 'bsn'");
  refused(WithTests(types, "address: {article_6: f}"), "not 'address'");
  refused(WithTests(types, "mind: {article_6: f, exception: none}"), "not 'mind'");
}

// A ground that is added later is forbidden to it too, or this says so.
TEST(Nobody, IsWhomAllThatTheLoopbackGetsAndSendsIsAbout) {
  const auto bundle = ReferenceBundle();
  std::set<std::string> of_persons;
  for (const auto& ground : bundle->source().grounds.grounds()) {
    if (!ground.nobody()) of_persons.insert(ground.code());
  }
  EXPECT_EQ(of_persons.size() + 1, static_cast<size_t>(bundle->source().grounds.grounds_size()));
  int found = 0;
  for (const auto& rule : bundle->source().rules.rules()) {
    if (!rule.id().starts_with("loopback-")) continue;
    ++found;
    EXPECT_EQ(rule.effect(), v1::BUNDLE_RULE_EFFECT_FORBID);
    EXPECT_EQ(std::set<std::string>(rule.grounds().begin(), rule.grounds().end()), of_persons)
        << rule.id();
  }
  EXPECT_EQ(found, 2);
  for (const auto& row : Matrix(*bundle, {{}, {"loopback"}, {}})) {
    EXPECT_TRUE(row.nobody) << row.rule;
  }
}

}  // namespace
}  // namespace schakel::policy
