#include "clients/cli/secret_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace schakel::cli {
namespace {

std::string Compact(const std::string& text) {
  std::ostringstream out;
  WriteCompactJson(out, text);
  return out.str();
}

std::string Pretty(const std::string& text) {
  std::ostringstream out;
  WritePrettyJson(out, text, 2);
  return out.str();
}

TEST(SecretJson, IsShownOnOneLine) {
  EXPECT_EQ(Compact("{ \"a b\" : [ 1,\n 2 ], \"c\\\" d\" : \"x  y\" }"),
            "{\"a b\":[1,2],\"c\\\" d\":\"x  y\"}");
}

TEST(SecretJson, IsShownOverSeveralLines) {
  EXPECT_EQ(Pretty(R"({"a":1,"b":{"c":[],"d":[true,"x:y,z"]}})"),
            "  {\n"
            "    \"a\": 1,\n"
            "    \"b\": {\n"
            "      \"c\": [],\n"
            "      \"d\": [\n"
            "        true,\n"
            "        \"x:y,z\"\n"
            "      ]\n"
            "    }\n"
            "  }\n");
}

TEST(SecretJson, KeepsItsMeaning) {
  const std::string text = R"({"text":"a\\","n":-1.5e3,"l":[{},[[]],null,"\u00e9é"],"e":""})";
  EXPECT_EQ(nlohmann::json::parse(Compact(text)), nlohmann::json::parse(text));
  EXPECT_EQ(nlohmann::json::parse(Pretty(text)), nlohmann::json::parse(text));
}

TEST(SecretJson, LetsNoControlCharacterThrough) {
  EXPECT_EQ(Compact("{\"a\":\"x\x1b[2J\"}"), "{\"a\":\"x[2J\"}");
}

}  // namespace
}  // namespace schakel::cli
