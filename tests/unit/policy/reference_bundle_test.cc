// The reference bundle: it is sound, says that it is an example, and does what its own tests say.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "policy/engine/check.h"
#include "policy/engine/content_schema.h"
#include "policy/engine/table_test.h"
#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

TEST(ReferenceBundle, SaysOnTheFirstLineOfEachFileThatItIsAnExample) {
  int files = 0;
  for (const auto& [path, text] : ReferenceFiles()) {
    if (!path.ends_with(".yaml")) continue;
    ++files;
    const std::string line = text.substr(0, text.find('\n'));
    EXPECT_THAT(line, testing::StartsWith("# EXAMPLE")) << path;
    EXPECT_THAT(line, testing::HasSubstr("privacy officer")) << path;
  }
  EXPECT_EQ(files, 6);
}

TEST(ReferenceBundle, HasNoErrorsAndWarnsOnlyOfConsentWithPublicBodies) {
  const auto findings = CheckBundle(ReferenceFiles());
  for (const Finding& finding : findings) {
    EXPECT_EQ(finding.kind, "consent-public-body") << finding.place << ": " << finding.message;
    EXPECT_EQ(finding.severity, Severity::kWarning);
  }
  EXPECT_FALSE(findings.empty());
}

TEST(ReferenceBundle, PassesItsOwnTableTests) {
  const auto outcomes = RunTableTests(*ReferenceBundle());
  EXPECT_GE(outcomes.size(), 25u);
  for (const TestOutcome& outcome : outcomes) {
    EXPECT_TRUE(outcome.passed) << outcome.place << ": " << outcome.name << ": " << outcome.message;
  }
}

TEST(ReferenceBundle, IsReportedWhenARuleIsTakenAway) {
  const auto bundle = MustCompile(Changed(ReferenceFiles(), "rules.yaml",
                                          "grounds: [wgs-debt]\n    obligations: {ack",
                                          "grounds: [consent]\n    obligations: {ack"));
  ASSERT_NE(bundle, nullptr);
  std::vector<std::string> failed;
  for (const TestOutcome& outcome : RunTableTests(*bundle)) {
    if (!outcome.passed) failed.push_back(outcome.name + ": " + outcome.message);
  }
  EXPECT_THAT(failed, testing::Contains(
                          testing::AllOf(testing::HasSubstr("Arrears reach debt relief"),
                                         testing::HasSubstr("expected permit, got no-rule"))));
}

TEST(ReferenceBundle, KnowsTheRegionsMunicipalitiesAndNeighbourhoods) {
  const auto bundle = ReferenceBundle();
  int municipalities = 0;
  for (const v1::BundleArea& area : bundle->source().manifest.areas()) {
    if (area.level() != v1::BUNDLE_AREA_LEVEL_MUNICIPALITY) continue;
    ++municipalities;
    EXPECT_EQ(area.cbs().size(), 4u) << area.code();
  }
  EXPECT_EQ(municipalities, 10);
  EXPECT_TRUE(bundle->KnowsArea("wielwijk"));
  EXPECT_TRUE(bundle->KnowsArea("nieuw-krispijn"));
  EXPECT_EQ(bundle->Resolve(*FunctionAtArea::Parse("debt-relief@Dordrecht")), Oin(2000));
  EXPECT_EQ(bundle->Resolve(*FunctionAtArea::Parse("debt-relief@gorinchem")), std::nullopt);
}

TEST(ReferenceBundle, NamesEveryCodeInDutchAndEnglish) {
  const auto bundle = ReferenceBundle();
  EXPECT_EQ(bundle->NameOf(CodeKind::kCategory, "housing", "nl"), "Huisvesting");
  EXPECT_EQ(bundle->NameOf(CodeKind::kFunction, "aftercare", "nl"), "Nazorg ex-gedetineerden");
  EXPECT_EQ(bundle->NameOf(CodeKind::kLink, "aftercare", "en"), "Outflow and aftercare");
  EXPECT_EQ(bundle->NameOf(CodeKind::kArea, "dordrecht", "en"), "Dordrecht");
  EXPECT_EQ(bundle->NameOf(CodeKind::kGround, "no-such", "en"), "no-such");
}

TEST(ReferenceBundle, HasAContentSchemaForEveryCategoryOfEveryType) {
  const auto bundle = ReferenceBundle();
  std::set<std::string> used;
  for (const v1::BundleSignalType& type : bundle->source().signal_types.signal_types()) {
    for (const v1::BundleTypeCategory& entry : type.categories()) {
      EXPECT_EQ(bundle->SchemaId(type.code(), entry.category()), entry.schema());
      EXPECT_TRUE(bundle->schemas().Has(entry.schema()));
      used.insert(entry.schema());
    }
  }
  EXPECT_GE(bundle->source().signal_types.signal_types_size(), 6);
  EXPECT_EQ(used.size(), bundle->source().schemas.size()) << "a schema that no type uses";
}

TEST(ReferenceBundle, TakesTheContentsThatItsSchemasDescribe) {
  const auto bundle = ReferenceBundle();
  const auto check = [&](const char* id, const char* json) {
    const auto errors = bundle->schemas().Validate(id, json);
    for (const Error& e : errors) ADD_FAILURE() << id << " " << e.field << ": " << e.message;
  };
  check("identity", R"({"family_name": "Jansen", "birth_date": "1980-05-01"})");
  check("identity-bsn", R"({"bsn": "999990019"})");
  check("rent-arrears.finances", R"({"months_in_arrears": 3, "amount_cents": 210000})");
  check("rent-arrears.housing", R"({"tenancy": "social-rent", "minors_in_home": true})");
  check("domestic-violence-report.safety",
        R"({"occurred_on": "2026-01-31", "kinds": ["physical"], "immediate_danger": false})");
}

}  // namespace
}  // namespace schakel::policy
