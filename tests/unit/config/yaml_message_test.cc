#include "broker/config/yaml_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schakel/config/v1/broker.pb.h"
#include "schakel/v1/policy_bundle.pb.h"

namespace schakel::config {
namespace {

namespace pb = schakel::v1;
namespace conf = schakel::config::v1;

using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

constexpr const char* kRule = R"(rules:
  - id: a-rule
    effect: permit
    from: {sectors: [police]}
    area: same-municipality
    obligations: {acknowledge_within: 12h, reason_required: true}
)";

// Reads and returns the problems.
template <typename T>
std::vector<Error> ProblemsOf(const std::string& text) {
  T message;
  std::vector<Error> problems;
  const bool ok = ReadYaml("file.yaml", text, &message, &problems);
  EXPECT_EQ(ok, problems.empty());
  return problems;
}

auto Problem(const std::string& place, const std::string& message) {
  return AllOf(Field(&Error::field, place), Field(&Error::message, HasSubstr(message)),
               Field(&Error::reason, "CONFIG_INVALID"));
}

TEST(YamlMessage, ReadsNestedMessagesListsEnumsDurationsAndLines) {
  pb::BundleRuleFile file;
  ASSERT_TRUE(ReadYaml("rules.yaml", kRule, &file).ok());
  ASSERT_EQ(file.rules_size(), 1);
  const pb::BundleRule& rule = file.rules(0);
  EXPECT_EQ(rule.id(), "a-rule");
  EXPECT_EQ(rule.effect(), pb::BUNDLE_RULE_EFFECT_PERMIT);
  EXPECT_EQ(rule.from().sectors(0), "police");
  EXPECT_EQ(rule.area(), pb::BUNDLE_AREA_RELATION_SAME_MUNICIPALITY);
  EXPECT_EQ(rule.obligations().acknowledge_within().seconds(), 12 * 3600);
  EXPECT_TRUE(rule.obligations().reason_required());
  EXPECT_EQ(rule.source_line(), 2u);
}

TEST(YamlMessage, ReadsAMapAsAListWhoseItemsNameTheirKey) {
  pb::BundleFunctionFile file;
  ASSERT_TRUE(ReadYaml("functions.yaml",
                       "functions:\n  debt-relief@dordrecht: \"00000099000000002000\"\n"
                       "  shelter@dordrecht: {oin: \"00000099000000002004\"}\n",
                       &file)
                  .ok());
  ASSERT_EQ(file.functions_size(), 2);
  EXPECT_EQ(file.functions(0).function_at_area(), "debt-relief@dordrecht");
  EXPECT_EQ(file.functions(0).oin(), "00000099000000002000");
  EXPECT_EQ(file.functions(1).oin(), "00000099000000002004");
  EXPECT_EQ(file.functions(1).source_line(), 3u);
}

TEST(YamlMessage, ReadsSizesAndDurationsOfAConfiguration) {
  conf::BrokerConfig file;
  ASSERT_TRUE(ReadYaml("broker.yaml",
                       "reflection: true\ndrain_timeout: 500ms\nstorage: {reserve_bytes: 2GiB}\n",
                       &file)
                  .ok());
  EXPECT_TRUE(file.reflection());
  EXPECT_EQ(file.drain_timeout().nanos(), 500'000'000);
  EXPECT_EQ(file.storage().reserve_bytes(), 2ull << 30);
}

TEST(YamlMessage, ClearsWhatTheMessageHeldBefore) {
  pb::BundleRuleFile file;
  file.add_rules()->set_id("old");
  ASSERT_TRUE(ReadYaml("rules.yaml", kRule, &file).ok());
  EXPECT_EQ(file.rules_size(), 1);
}

TEST(YamlMessage, RefusesAnUnknownKeyAndNamesTheKnownOnes) {
  EXPECT_THAT(
      ProblemsOf<pb::BundleRuleFile>("rules:\n  - id: a\n    effect: permit\n    form: x\n"),
      ElementsAre(Problem("file.yaml:4", "unknown key 'form'; expected one of id, effect")));
}

TEST(YamlMessage, RefusesTheKeyThatOnlyTheReaderSets) {
  const auto problems =
      ProblemsOf<pb::BundleRuleFile>("rules:\n  - id: a\n    effect: permit\n    source_line: 3\n");
  ASSERT_THAT(problems, ElementsAre(Problem("file.yaml:4", "unknown key 'source_line'")));
  EXPECT_THAT(problems[0].message.substr(20), Not(HasSubstr("source_line")));
}

TEST(YamlMessage, RefusesAMissingKeyAtTheItemThatLacksIt) {
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>("rules:\n  - effect: permit\n"),
              ElementsAre(Problem("file.yaml:2", "missing key 'id'")));
  EXPECT_THAT(ProblemsOf<pb::BundleFunctionFile>("functions:\n  a@b: {}\n"),
              ElementsAre(Problem("file.yaml:2", "missing key 'oin'")));
}

TEST(YamlMessage, RefusesAKeyThatStandsThereTwice) {
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>("rules:\n  - id: a\n    effect: permit\n    id: b\n"),
              ElementsAre(Problem("file.yaml:4", "key 'id' stands here twice")));
  EXPECT_THAT(ProblemsOf<pb::BundleFunctionFile>("functions:\n"
                                                 "  a@b: \"00000099000000002000\"\n"
                                                 "  a@b: \"00000099000000002001\"\n"),
              ElementsAre(Problem("file.yaml:3", "key 'a@b' stands here twice")));
}

TEST(YamlMessage, RefusesWrongTypes) {
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>("rules: none\n"),
              ElementsAre(Problem("file.yaml:1", "expected a list; found 'none'")));
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>("rules: [text]\n"),
              ElementsAre(Problem("file.yaml:1", "expected a map with the keys id, effect")));
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>("rules:\n  - id: [a]\n    effect: permit\n"),
              ElementsAre(Problem("file.yaml:2", "key 'id': expected one value; found a list")));
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>("just text\n"),
              ElementsAre(Problem("file.yaml:1", "expected a map with the keys rules")));
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>(
                  "rules:\n  - id: a\n    effect: permit\n    from: {sectors: police}\n"),
              ElementsAre(Problem("file.yaml:4", "key 'sectors': expected a list")));
}

TEST(YamlMessage, RefusesABooleanThatIsNotTrueOrFalse) {
  for (const char* bad : {"yes", "True", "1", "\"true\""}) {
    EXPECT_THAT(ProblemsOf<conf::BrokerConfig>(std::string("reflection: ") + bad),
                ElementsAre(Problem("file.yaml:1", "expected true or false")))
        << bad;
  }
}

TEST(YamlMessage, RefusesAnUnknownEnumValueAndNamesTheKnownOnes) {
  EXPECT_THAT(
      ProblemsOf<pb::BundleRuleFile>("rules:\n  - id: a\n    effect: PERMIT\n"),
      ElementsAre(Problem("file.yaml:3", "expected one of permit, forbid; found 'PERMIT'")));
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>("rules:\n  - id: a\n    effect: unspecified\n"),
              ElementsAre(Problem("file.yaml:3", "expected one of permit, forbid")));
}

TEST(YamlMessage, RefusesNumbersOutOfRange) {
  const auto epoch = [](const std::string& value) {
    return ProblemsOf<pb::BundleKeyDocument>("epoch: " + value +
                                             "\ndigest: " + std::string(64, 'a') + "\n");
  };
  EXPECT_TRUE(epoch("1").empty());
  EXPECT_TRUE(epoch("4294967295").empty());
  for (const char* bad : {"0", "-1", "4294967296", "1.5", "one", "\"1\""}) {
    EXPECT_THAT(epoch(bad),
                ElementsAre(Problem("file.yaml:1", "expected a whole number from 1 to 4294967295")))
        << bad;
  }
}

TEST(YamlMessage, RefusesDurationsAndSizesOutOfRangeOrForm) {
  const auto keep = [](const std::string& value) {
    return ProblemsOf<pb::BundleRecordRetention>("kind: publish\nkeep: " + value + "\n");
  };
  EXPECT_TRUE(keep("1d").empty());
  EXPECT_THAT(keep("23h"), ElementsAre(Problem("file.yaml:2", "expected at least 1d")));
  EXPECT_THAT(keep("7301d"), ElementsAre(Problem("file.yaml:2", "expected at most 7300d")));
  EXPECT_THAT(keep("1y"), ElementsAre(Problem("file.yaml:2", "expected a duration such as")));
  EXPECT_THAT(ProblemsOf<conf::BrokerConfig>("storage: {reserve_bytes: lots}\n"),
              ElementsAre(Problem("file.yaml:1", "expected a size such as 64KiB, 256MiB or 1GiB")));
}

TEST(YamlMessage, RefusesTooFewAndTooManyItems) {
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>("rules: []\n"),
              ElementsAre(Problem("file.yaml:1", "expected at least 1 items; found 0")));
  std::string three = "name: a\nversion: b\nregion: c.d\nkey_documents:\n";
  for (const char* epoch : {"1", "2", "3"}) {
    three += std::string("  - {epoch: ") + epoch + ", digest: " + std::string(64, 'a') + "}\n";
  }
  EXPECT_THAT(ProblemsOf<pb::BundleManifest>(three),
              testing::Contains(Problem("file.yaml:5", "at most 2 items; found 3")));
}

TEST(YamlMessage, RefusesNullAndEmptyText) {
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>("rules:\n"),
              ElementsAre(Problem("file.yaml:1", "has no value; leave it out instead")));
  EXPECT_THAT(ProblemsOf<pb::BundleRecordRetention>("kind: \"\"\nkeep: 1d\n"),
              ElementsAre(Problem("file.yaml:1", "expected text; leave the key out instead")));
}

TEST(YamlMessage, RefusesTextOfTheWrongFormOrLength) {
  EXPECT_THAT(ProblemsOf<pb::BundleFunctionFile>("functions:\n  a@b: \"123\"\n"),
              ElementsAre(Problem("file.yaml:2", "expected an OIN: 20 digits; found '123'")));
  EXPECT_THAT(ProblemsOf<pb::BundleResponsible>("name: " + std::string(1001, 'a')),
              ElementsAre(Problem("file.yaml:1", "expected at most 1000 bytes")));
}

TEST(YamlMessage, ListsAllMistakesInTheOrderOfTheFile) {
  const auto problems = ProblemsOf<pb::BundleRuleFile>(
      "rules:\n  - id: A\n    effect: allow\n  - effect: permit\n    to: 3\n");
  EXPECT_THAT(problems, ElementsAre(Problem("file.yaml:2", "expected a code"),
                                    Problem("file.yaml:3", "expected one of permit, forbid"),
                                    Problem("file.yaml:5", "expected a map"),
                                    Problem("file.yaml:4", "missing key 'id'")));
  pb::BundleRuleFile file;
  const Status joined = ReadYaml("f", "rules:\n  - id: A\n    effect: allow\n", &file);
  ASSERT_FALSE(joined.ok());
  EXPECT_THAT(joined.error().message, HasSubstr("(and 1 more)"));
}

TEST(YamlMessage, RefusesWhatIsNoYamlOrMoreThanOneDocument) {
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>("rules: [\n  - a: b: c\n"),
              ElementsAre(Field(&Error::message, HasSubstr("expected YAML"))));
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>(std::string(kRule) + "---\n" + kRule),
              ElementsAre(Problem("file.yaml:1", "expected one YAML document")));
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>(""),
              ElementsAre(Problem("file.yaml:1", "expected one YAML document")));
}

TEST(YamlMessage, RefusesAliasesWhichCouldMultiply) {
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>("rules:\n  - &a {id: a, effect: permit}\n  - *a\n"),
              ElementsAre(Problem("file.yaml:3", "expected no alias")));
  EXPECT_FALSE(ProblemsOf<pb::BundleRuleFile>("&a rules: &b\n  - *b\n  - *b\n").empty());
}

TEST(YamlMessage, StopsAtAMillionValues) {
  std::string text = "rules:\n  - id: a\n    effect: permit\n    signal_types: [";
  for (int i = 0; i < 1'000'000; ++i) text += "b,";
  EXPECT_THAT(ProblemsOf<pb::BundleRuleFile>(text + "]\n"),
              testing::Contains(Problem("file.yaml:4", "at most 1,000,000 values")));
}

TEST(YamlMessage, StopsAfterAHundredMistakes) {
  std::string text = "rules:\n";
  for (int i = 0; i < 500; ++i) text += "  - {id: X, effect: permit}\n";
  const auto problems = ProblemsOf<pb::BundleRuleFile>(text);
  ASSERT_EQ(problems.size(), 100u);
  EXPECT_THAT(problems.back().message, HasSubstr("too many mistakes"));
}

TEST(YamlMessage, RefusesAStartOnWhichTheParserFindsDocumentsWithoutEnd) {
  EXPECT_FALSE(ProblemsOf<pb::BundleRuleFile>(",ules:\n  - id: a\n").empty());
}

TEST(YamlMessage, RefusesDeepNesting) {
  EXPECT_FALSE(ProblemsOf<pb::BundleRuleFile>("rules: " + std::string(5000, '[')).empty());
}

TEST(YamlMessage, NeverFailsToAnswerOnMutatedInput) {
  const std::string original = kRule;
  uint32_t seed = 12345;
  for (int run = 0; run < 5000; ++run) {
    SCOPED_TRACE(run);
    std::string text = original;
    for (int k = 0; k < 3; ++k) {
      seed = seed * 1664525u + 1013904223u;
      text[(seed >> 8) % text.size()] =
          static_cast<char>("[]{}:-,&*!\"'\n\t #a0\x01\xff"[(seed >> 3) % 20]);
    }
    pb::BundleRuleFile file;
    std::vector<Error> problems;
    const bool ok = ReadYaml("f", text, &file, &problems);
    ASSERT_EQ(ok, problems.empty());
    for (const Error& problem : problems) ASSERT_THAT(problem.field, testing::StartsWith("f:"));
  }
}

}  // namespace
}  // namespace schakel::config
