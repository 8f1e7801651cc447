// The reference bundle's content schemas: there is one for all that a rule permits, each is bounded
// and data-minimal, and each takes and refuses what tests/vectors/policy/contents.json says.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <set>

#include "policy/engine/content_schema.h"
#include "policy/engine/matrix.h"
#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

using nlohmann::json;

TEST(ReferenceContents, HaveASchemaForAllThatSomeRulePermits) {
  const auto bundle = ReferenceBundle();
  std::set<std::pair<std::string, std::string>> permitted;
  for (const MatrixRow& row : Matrix(*bundle, {})) {
    permitted.emplace(row.signal_type, row.category);
    const std::string schema(bundle->SchemaId(row.signal_type, row.category));
    EXPECT_TRUE(bundle->schemas().Has(schema)) << row.signal_type << " " << row.category;
  }
  // And nothing that nobody may get: such a category would only invite.
  for (const auto& type : bundle->source().signal_types.signal_types()) {
    for (const auto& entry : type.categories()) {
      EXPECT_TRUE(permitted.contains({type.code(), entry.category()}))
          << type.code() << " carries " << entry.category() << ", which nobody may get";
    }
  }
}

// What is unbounded in a schema; empty when nothing.
std::string Unbounded(const json& schema, const std::string& place) {
  if (schema.contains("enum")) return {};
  const std::string type = schema.value("type", "");
  if (type == "object") {
    if (schema.value("additionalProperties", true)) return place + " takes anything";
    for (const auto& [name, part] : schema["properties"].items()) {
      if (auto found = Unbounded(part, place + "/" + name); !found.empty()) return found;
    }
    return {};
  }
  if (type == "array") {
    if (!schema.contains("maxItems")) return place + " has no maxItems";
    return Unbounded(schema["items"], place + "/items");
  }
  if (type == "string") {
    if (schema.value("format", "") == "date") return {};
    if (!schema.contains("maxLength") || schema["maxLength"] > 2000) return place + " is too long";
    return schema.value("minLength", 0) > 0 ? "" : place + " may be empty";
  }
  if (type == "integer") {
    const bool both = schema.contains("minimum") && schema.contains("maximum");
    return both ? "" : place + " has no bounds";
  }
  return type == "boolean" ? "" : place + " may be of any type";
}

TEST(ReferenceContents, AreBounded) {
  for (const auto& [id, text] : ReferenceBundle()->source().schemas) {
    EXPECT_EQ(Unbounded(json::parse(text), id), "");
  }
  EXPECT_EQ(Unbounded(json::parse(R"({"type": "object", "additionalProperties": false,
                                      "properties": {"a": {"type": "string", "minLength": 1}}})"),
                      "x"),
            "x/a is too long");
}

// The number and the name belong in sections of their own, where rules can tell them apart.
TEST(ReferenceContents, NameNobodyOutsideIdentity) {
  const std::set<std::string> personal = {"name", "family_name", "given_names", "birth_date",
                                          "bsn",  "street",      "postcode",    "email"};
  for (const auto& [id, text] : ReferenceBundle()->source().schemas) {
    if (id.starts_with("identity")) continue;
    const json properties = json::parse(text)["properties"];
    for (const auto& [name, part] : properties.items()) {
      EXPECT_FALSE(personal.contains(name)) << id << " has " << name;
    }
  }
}

json Samples() {
  std::ifstream in(checkout::SourcePath("tests/vectors/policy/contents.json"));
  return json::parse(in);
}

TEST(ReferenceContents, AreTakenAndRefusedAsTheSamplesSay) {
  const auto bundle = ReferenceBundle();
  const json samples = Samples();
  EXPECT_EQ(samples.size(), bundle->source().schemas.size()) << "samples of no schema";
  for (const auto& [id, text] : bundle->source().schemas) {
    ASSERT_TRUE(samples.contains(id)) << id << " has no samples";
    EXPECT_GE(samples[id]["accepted"].size(), 1u) << id;
    EXPECT_GE(samples[id]["refused"].size(), 1u) << id;
    for (const json& content : samples[id]["accepted"]) {
      const auto errors = bundle->schemas().Validate(id, content.dump());
      EXPECT_TRUE(errors.empty()) << id << " " << content << ": " << errors.front().message;
    }
    for (const json& content : samples[id]["refused"]) {
      EXPECT_FALSE(bundle->schemas().Validate(id, content.dump()).empty()) << id << " " << content;
    }
  }
}

// Each property alone: the whole sample is taken, without a required one or with one too many not.
TEST(ReferenceContents, NeedWhatIsRequiredAndTakeNothingElse) {
  const auto bundle = ReferenceBundle();
  const json samples = Samples();
  for (const auto& [id, sample] : samples.items()) {
    const json schema = json::parse(bundle->source().schemas.at(id));
    const json full = sample["accepted"].back();
    EXPECT_EQ(full.size(), schema["properties"].size()) << id << ": a sample of every property";
    EXPECT_GE(schema["required"].size(), 1u) << id << " would take an empty section";
    for (const auto& [name, value] : full.items()) {
      json less = full;
      less.erase(name);
      const auto& required = schema["required"];
      const bool needed = std::find(required.begin(), required.end(), name) != required.end();
      EXPECT_EQ(bundle->schemas().Validate(id, less.dump()).empty(), !needed) << id << " " << name;
      json other = full;
      other[name] = json::object();
      EXPECT_FALSE(bundle->schemas().Validate(id, other.dump()).empty()) << id << " " << name;
    }
    json more = full;
    more["remark"] = "x";
    EXPECT_FALSE(bundle->schemas().Validate(id, more.dump()).empty()) << id;
  }
}

}  // namespace
}  // namespace schakel::policy
