#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "broker/base/ids.h"
#include "tests/support/paths.h"

namespace schakel {
namespace {

nlohmann::json Load(const std::string& name) {
  std::ifstream in(checkout::SourcePath("tests/vectors/identifiers/") + name);
  EXPECT_TRUE(in.good()) << name;
  return nlohmann::json::parse(in);
}

TEST(IdentifierVectors, TheElfproefAgrees) {
  const auto cases = Load("elfproef-cases.json");
  EXPECT_EQ(cases.size(), 110u);
  for (const auto& c : cases) {
    EXPECT_EQ(PassesElfproef(c["bsn"].get<std::string>()), c["valid"].get<bool>()) << c;
  }
  const auto published = Load("rvig-test-bsn.json");
  EXPECT_EQ(published["valid"].size(), 783u);
  for (const auto& bsn : published["valid"]) EXPECT_TRUE(PassesElfproef(bsn.get<std::string>()));
  for (const auto& bsn : published["present_but_failing_elfproef"]) {
    EXPECT_FALSE(PassesElfproef(bsn.get<std::string>()));
  }
}

TEST(IdentifierVectors, TheOinSchemeAgrees) {
  const auto vectors = Load("oin-cases.json");
  EXPECT_EQ(vectors["cases"].size(), 15u);
  for (const auto& c : vectors["cases"]) {
    const auto oin = OrganisationId::From(c["oin"].get<std::string>());
    EXPECT_EQ(oin && FollowsOinScheme(*oin), c["valid"].get<bool>()) << c;
  }
  for (const auto& [prefix, name] : vectors["prefixes"].items()) {
    EXPECT_TRUE(FollowsOinScheme(*OrganisationId::From(prefix + "123456780000"))) << name;
  }
}

}  // namespace
}  // namespace schakel
