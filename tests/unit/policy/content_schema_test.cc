#include "policy/engine/content_schema.h"

#include <gmock/gmock.h>

namespace schakel::policy {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSchema = R"({
  "type": "object", "additionalProperties": false, "required": ["months", "since"],
  "properties": {
    "months": {"type": "integer", "minimum": 0, "maximum": 120},
    "since": {"type": "string", "format": "date"},
    "kinds": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2},
    "who": {"type": "object", "additionalProperties": false,
            "properties": {"a/b~c": {"type": "string", "maxLength": 3}}}
  }})";

std::unique_ptr<ContentSchemas> Schemas(const std::string& text, std::vector<Error>* problems) {
  return ContentSchemas::Create({{"arrears", text}}, problems);
}

std::vector<Error> Validate(BytesView json) {
  std::vector<Error> problems;
  const auto schemas = Schemas(kSchema, &problems);
  EXPECT_TRUE(problems.empty());
  return schemas->Validate("arrears", json);
}

TEST(ContentSchema, TakesWhatFits) {
  EXPECT_TRUE(Validate(R"({"months": 3, "since": "2026-02-28"})").empty());
  EXPECT_TRUE(Validate(R"({"months": 0, "since": "2026-02-28", "kinds": ["a", "b"],
                           "who": {"a/b~c": "abc"}})")
                  .empty());
}

TEST(ContentSchema, PointsAtTheWrongValue) {
  EXPECT_THAT(Validate(R"({"months": 121, "since": "2026-02-28"})"),
              testing::Contains(Field(&Error::field, "/months")));
  EXPECT_THAT(Validate(R"({"months": "3", "since": "2026-02-28"})"),
              testing::Contains(Field(&Error::field, "/months")));
  EXPECT_THAT(Validate(R"({"months": 3, "since": "yesterday"})"),
              testing::Contains(Field(&Error::field, "/since")));
  EXPECT_THAT(Validate(R"({"months": 3, "since": "2026-02-28", "kinds": ["a", "c"]})"),
              testing::Contains(Field(&Error::field, "/kinds/1")));
  EXPECT_THAT(Validate(R"({"months": 3, "since": "2026-02-28", "who": {"a/b~c": "long"}})"),
              testing::Contains(Field(&Error::field, "/who/a~1b~0c")));
  EXPECT_THAT(Validate(R"({"months": 3})"),
              ElementsAre(Field(&Error::message, HasSubstr("'since'"))));
}

TEST(ContentSchema, RefusesWhatTheSchemaDoesNotKnowWithoutRepeatingIt) {
  const auto errors = Validate(R"({"months": 3, "since": "2026-02-28", "999990019": "secret"})");
  ASSERT_FALSE(errors.empty());
  for (const Error& e : errors) {
    EXPECT_EQ(e.reason, "CONTENT_INVALID");
    EXPECT_THAT(e.message, Not(HasSubstr("999990019")));
    EXPECT_THAT(e.message, Not(HasSubstr("secret")));
  }
}

TEST(ContentSchema, RefusesWhatIsNoStrictJson) {
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string("{} {}"), std::string("\xff"), deep,
        std::string(R"({"months": 3, "months": 4, "since": "2026-02-28"})"),
        std::string(R"({"who": {"a/b~c": "x", "a/b~c": "y"}, "months": 3, "since": "2026-02-28"})"),
        "{\"months\": 3, \"since\": \"" + std::string(5000, '1') + "\"}"}) {
    EXPECT_FALSE(Validate(bad).empty()) << bad.substr(0, 80);
  }
}

TEST(ContentSchema, KnowsItsIds) {
  std::vector<Error> problems;
  const auto schemas = Schemas(kSchema, &problems);
  EXPECT_TRUE(schemas->Has("arrears"));
  EXPECT_FALSE(schemas->Has("other"));
  EXPECT_FALSE(schemas->Validate("other", "{}").empty());
}

TEST(ContentSchema, RefusesSchemasThatAreOpenForeignOrCostly) {
  const auto refused = [](const std::string& text) {
    std::vector<Error> problems;
    EXPECT_EQ(Schemas(text, &problems), nullptr) << text;
    EXPECT_EQ(problems.size(), 1u) << text;
    if (problems.empty()) return std::string();
    EXPECT_EQ(problems[0].field, "schemas/arrears.json");
    return problems[0].message;
  };
  EXPECT_THAT(refused("no json"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(refused("[]"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(refused("{}"), HasSubstr("\"type\": \"object\""));
  EXPECT_THAT(refused(R"({"type": "object"})"), HasSubstr("additionalProperties: false"));
  EXPECT_THAT(refused(R"({"type": "object", "additionalProperties": false,
                          "properties": {"a": {"type": "object"}}})"),
              HasSubstr("#/properties/a"));
  EXPECT_THAT(refused(R"({"type": "object", "additionalProperties": false,
                          "properties": {"a": {"type": "string", "pattern": "(a*)*"}}})"),
              HasSubstr("'pattern' is not allowed"));
  EXPECT_THAT(refused(R"({"type": "object", "additionalProperties": false, "properties":
                          {"a": {"anyOf": [{"$ref": "http://elsewhere.example/x"}]}}})"),
              HasSubstr("$ref"));
  EXPECT_THAT(refused(R"({"type": "object", "additionalProperties": false, "minProperties": "x"})"),
              HasSubstr("expected a JSON Schema"));
}

TEST(ContentSchema, AllowsAPropertyThatIsCalledPattern) {
  std::vector<Error> problems;
  EXPECT_NE(Schemas(R"({"type": "object", "additionalProperties": false,
                        "properties": {"pattern": {"type": "string"}}})",
                    &problems),
            nullptr);
}

}  // namespace
}  // namespace schakel::policy
