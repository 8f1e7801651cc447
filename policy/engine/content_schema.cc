#include "policy/engine/content_schema.h"

#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
// Without this, valijson ends the process on a schema that it does not like.
#define VALIJSON_USE_EXCEPTIONS 1
// valijson's headers are not written for our warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

namespace schakel::policy {
namespace {

using Json = nlohmann::json;

// LIMIT: 32 levels and 4,096 bytes a text. The library checks dates with a backtracking regular
// expression, whose depth grows with the text.
constexpr int kDepthMax = 32;
constexpr size_t kTextBytesMax = 4096;
constexpr size_t kErrorsMax = 20;

// Parses strictly: no key twice (two readers could see two things), bounded depth. nullopt
// otherwise.
std::optional<Json> ParseStrict(BytesView text) {
  std::vector<std::set<std::string>> keys;
  bool bad = false;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kDepthMax) bad = true;
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.empty() &&
        !keys.back().insert(value.get<std::string>()).second) {
      bad = true;
    }
    return !bad;
  };
  Json json = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (bad || json.is_discarded()) return std::nullopt;
  return json;
}

bool HasLongText(const Json& json) {
  if (json.is_string()) return json.get_ref<const std::string&>().size() > kTextBytesMax;
  if (!json.is_structured()) return false;
  for (const auto& item : json) {
    if (HasLongText(item)) return true;
  }
  return false;
}

// What our own rules refuse in a schema; empty when nothing.
std::string SchemaProblem(const Json& schema, const std::string& place) {
  if (schema.is_boolean()) return "expected an object at " + place;
  if (!schema.is_object()) return {};
  for (const char* refused : {"pattern", "patternProperties"}) {
    if (schema.contains(refused))
      return std::string("'") + refused + "' is not allowed, at " + place;
  }
  if (const auto ref = schema.find("$ref"); ref != schema.end()) {
    if (!ref->is_string() || !ref->get_ref<const std::string&>().starts_with("#")) {
      return "expected $ref to stay within the file, at " + place;
    }
  }
  const auto type = schema.find("type");
  if (type != schema.end() && *type == "object" &&
      (!schema.contains("additionalProperties") || schema["additionalProperties"] != false)) {
    return "expected 'additionalProperties: false' in the object at " + place;
  }
  for (const auto& [key, value] : schema.items()) {
    const bool named = key == "properties" || key == "definitions";
    const bool listed =
        value.is_array() && (key == "allOf" || key == "anyOf" || key == "oneOf" || key == "items");
    const bool single = value.is_object() && !named && key != "const" && key != "default";
    if (named || listed) {
      for (const auto& [name, part] : value.items()) {
        if (auto problem = SchemaProblem(part, place + "/" + key + "/" + name); !problem.empty()) {
          return problem;
        }
      }
    } else if (single) {
      if (auto problem = SchemaProblem(value, place + "/" + key); !problem.empty()) return problem;
    }
  }
  return {};
}

// The library's path, `<root>` `[name]` `[3]`, as a JSON pointer (RFC 6901).
std::string Pointer(const std::vector<std::string>& context) {
  std::string out;
  for (std::string part : context) {
    if (part == "<root>") continue;
    if (part.size() >= 2 && part.front() == '[' && part.back() == ']') {
      part = part.substr(1, part.size() - 2);
    }
    out += '/';
    for (char c : part) {
      if (c == '~') {
        out += "~0";
      } else if (c == '/') {
        out += "~1";
      } else {
        out += c;
      }
    }
  }
  return out;
}

// Names that come from the content, not from the schema, are left out.
std::string SafeMessage(const std::string& description) {
  if (description.find("additionalProperties") != std::string::npos) {
    return "a property that the schema does not know";
  }
  return description;
}

Error ContentError(std::string pointer, std::string message) {
  return InvalidArgument("CONTENT_INVALID", std::move(pointer), std::move(message));
}

}  // namespace

struct ContentSchemas::Impl {
  std::map<std::string, std::unique_ptr<valijson::Schema>, std::less<>> schemas;
};

ContentSchemas::ContentSchemas(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ContentSchemas::~ContentSchemas() = default;

std::unique_ptr<ContentSchemas> ContentSchemas::Create(const std::map<std::string, Bytes>& schemas,
                                                       std::vector<Error>* problems) {
  const size_t before = problems->size();
  auto impl = std::make_unique<Impl>();
  for (const auto& [id, text] : schemas) {
    const auto report = [&, file = "schemas/" + id + ".json"](const std::string& message) {
      problems->push_back(InvalidArgument("BUNDLE_INVALID", file, message));
    };
    const auto json = ParseStrict(text);
    if (!json || !json->is_object()) {
      report("expected a JSON object, without a key twice and at most 32 levels deep");
      continue;
    }
    if (json->value("type", Json()) != "object") {
      report("expected \"type\": \"object\" at the top");
      continue;
    }
    if (const std::string problem = SchemaProblem(*json, "#"); !problem.empty()) {
      report(problem);
      continue;
    }
    try {
      auto schema = std::make_unique<valijson::Schema>();
      valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
      parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(*json), *schema);
      impl->schemas.emplace(id, std::move(schema));
    } catch (const std::exception& e) {
      report(std::string("expected a JSON Schema (draft 7): ") + e.what());
    }
  }
  if (problems->size() > before) return nullptr;
  return std::unique_ptr<ContentSchemas>(new ContentSchemas(std::move(impl)));
}

bool ContentSchemas::Has(std::string_view id) const {
  return impl_->schemas.find(id) != impl_->schemas.end();
}

std::vector<Error> ContentSchemas::Validate(std::string_view id, BytesView json) const {
  const auto schema = impl_->schemas.find(id);
  if (schema == impl_->schemas.end()) {
    return {ContentError("", "the bundle has no schema of this id")};
  }
  const auto content = ParseStrict(json);
  if (!content) {
    return {ContentError("", "expected JSON, without a key twice and at most 32 levels deep")};
  }
  if (HasLongText(*content)) {
    return {ContentError("", "expected texts of at most 4096 bytes")};
  }
  std::vector<Error> errors;
  valijson::ValidationResults results;
  try {
    valijson::Validator validator;
    const valijson::adapters::NlohmannJsonAdapter target(*content);
    if (validator.validate(*schema->second, target, &results)) return {};
  } catch (const std::exception&) {
    // Its message may repeat the content.
    return {ContentError("", "the content cannot be checked against the schema")};
  }
  for (const auto& result : results) {
    if (errors.size() == kErrorsMax) break;
    errors.push_back(ContentError(Pointer(result.context), SafeMessage(result.description)));
  }
  if (errors.empty()) errors.push_back(ContentError("", "the content does not meet the schema"));
  return errors;
}

}  // namespace schakel::policy
