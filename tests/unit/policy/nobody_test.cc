// Test traffic: a ground whose subjects stand for nobody.
#include <gmock/gmock.h>

#include "policy/engine/check.h"
#include "policy/engine/decide.h"
#include "policy/engine/explain.h"
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
SectionQuestion Question() {
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
  EXPECT_TRUE(Decide(*bundle, Question()).permitted);
  SectionQuestion law = Question();
  law.ground = "law";
  EXPECT_EQ(Decide(*bundle, law).reason, DenyReason::kBsnAuthorityMissing)
      << "of every other ground an unlinked subject is somebody";
}

TEST(Nobody, IsNoPersonWithAPseudonym) {
  SectionQuestion q = Question();
  q.subject_linked = true;
  q.sender.bsn_authority = q.recipient.bsn_authority = true;
  const auto decision = Decide(*MustCompile(WithTests()), q);
  EXPECT_EQ(decision.reason, DenyReason::kGroundNotApplicable);
  EXPECT_FALSE(decision.subject_dependent) << "the sender knows that it is linked";
}

TEST(Nobody, IsExplained) {
  const auto bundle = MustCompile(WithTests());
  EXPECT_THAT(Explain(*bundle, Question(), "en").steps,
              Contains(HasSubstr("stands for nobody: this is test traffic")));
  SectionQuestion linked = Question();
  linked.subject_linked = true;
  EXPECT_THAT(Explain(*bundle, linked, "nl").steps,
              Contains(HasSubstr("geldt niet voor een gekoppelde betrokkene")));
  SectionQuestion law = Question();
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

}  // namespace
}  // namespace schakel::policy
