// The reference bundle: it is sound, says that it is an example, and does what its own tests say.
#include <gmock/gmock.h>

#include <set>

#include "broker/base/limits.h"
#include "broker/crypto/policy_format.h"
#include "policy/engine/content_schema.h"
#include "policy/engine/pack.h"
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

TEST(ReferenceBundle, PassesItsOwnTableTests) {
  const auto outcomes = RunTableTests(*ReferenceBundle());
  EXPECT_GE(outcomes.size(), 80u);
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
  // Outside the Drechtsteden another social service helps; volunteers there are in Dordrecht only.
  EXPECT_EQ(bundle->Resolve(*FunctionAtArea::Parse("debt-relief@gorinchem")), Oin(2010));
  EXPECT_EQ(bundle->Resolve(*FunctionAtArea::Parse("neighbour-help@gorinchem")), std::nullopt);
}

TEST(ReferenceBundle, HasTheFunctionsThatEveryMunicipalityNeeds) {
  const auto bundle = ReferenceBundle();
  for (const v1::BundleArea& area : bundle->source().manifest.areas()) {
    if (area.level() != v1::BUNDLE_AREA_LEVEL_MUNICIPALITY) continue;
    for (const char* function :
         {"neighbourhood-team", "youth-team", "central-access", "debt-relief", "wmo-desk",
          "domestic-violence-centre", "shelter", "ambulatory-care", "addiction-care", "crisis-care",
          "carer-support", "probation", "aftercare", "local-care-network", "landlord",
          "community-police", "school-attendance"}) {
      EXPECT_TRUE(bundle->Resolve({function, area.code()})) << function << "@" << area.code();
    }
  }
  for (const auto& holder : bundle->source().functions.functions()) {
    EXPECT_THAT(holder.oin(), testing::StartsWith("00000099")) << "fictitious numbers only";
  }
}

TEST(ReferenceBundle, FitsInItsLimitWithRoomForScenarios) {
  const auto files = SelectFiles(ReferenceFiles());
  ASSERT_TRUE(files.ok());
  std::vector<crypto::PolicyFile> list;
  for (const auto& [path, content] : *files) list.push_back({path, content});
  const auto packed = crypto::EncodePolicyBundle(std::move(list));
  ASSERT_TRUE(packed.ok());
  EXPECT_LT(packed->size(), limits::kBundleBytesMax / 4);
  EXPECT_LT(files->size(), limits::kBundleFilesMax / 4);
}

class Names {
 public:
  explicit Names(const CompiledBundle& bundle) : bundle_(bundle) {}

  // Names and descriptions stand there in both languages. Words that both languages share are few;
  // sentences are never the same.
  template <typename Items>
  void Check(CodeKind kind, const Items& items) {
    for (const auto& item : items) {
      EXPECT_EQ(bundle_.NameOf(kind, item.code(), "nl"), item.nl());
      EXPECT_EQ(bundle_.NameOf(kind, item.code(), "en"), item.en());
      const std::string nl = bundle_.AboutOf(kind, item.code(), "nl");
      const std::string en = bundle_.AboutOf(kind, item.code(), "en");
      EXPECT_THAT(nl, testing::HasSubstr(" ")) << item.code();
      EXPECT_THAT(en, testing::HasSubstr(" ")) << item.code();
      EXPECT_NE(nl, en) << item.code();
      EXPECT_FALSE(nl.ends_with('.') || en.ends_with('.')) << item.code();
    }
  }

 private:
  const CompiledBundle& bundle_;
};

TEST(ReferenceBundle, NamesAndDescribesEveryCodeInDutchAndEnglish) {
  const auto bundle = ReferenceBundle();
  const Bundle& source = bundle->source();
  Names names(*bundle);
  names.Check(CodeKind::kSector, source.manifest.sectors());
  names.Check(CodeKind::kCategory, source.manifest.categories());
  names.Check(CodeKind::kPurpose, source.manifest.purposes());
  names.Check(CodeKind::kLink, source.manifest.links());
  names.Check(CodeKind::kFunction, source.manifest.functions());
  names.Check(CodeKind::kCondition, source.manifest.conditions());
  names.Check(CodeKind::kGround, source.grounds.grounds());
  names.Check(CodeKind::kSignalType, source.signal_types.signal_types());
  EXPECT_EQ(bundle->NameOf(CodeKind::kLink, "aftercare", "en"), "Outflow and aftercare");
  EXPECT_EQ(bundle->NameOf(CodeKind::kArea, "dordrecht", "en"), "Dordrecht");
  EXPECT_EQ(bundle->NameOf(CodeKind::kGround, "no-such", "en"), "no-such");
  EXPECT_EQ(bundle->AboutOf(CodeKind::kGround, "no-such", "en"), "");
}

TEST(ReferenceBundle, HasTheSignalTypesOfPractice) {
  const auto bundle = ReferenceBundle();
  EXPECT_GE(bundle->source().signal_types.signal_types_size(), 20);
  for (const char* type : {"rent-arrears",
                           "eviction-notice",
                           "nuisance-report",
                           "domestic-violence-report",
                           "release-from-detention",
                           "person-in-distress",
                           "care-avoidance",
                           "debt",
                           "homelessness-threat",
                           "youth-concern",
                           "carer-overburdened",
                           "request-for-help",
                           "shelter-intake",
                           "address-secrecy",
                           "aftercare-handover",
                           "relapse-risk",
                           "neglect-of-home",
                           "substance-use",
                           "gambling",
                           "elder-abuse"}) {
    EXPECT_NE(bundle->FindSignalType(type), nullptr) << type;
  }
  std::set<std::string> links;
  for (const auto& type : bundle->source().signal_types.signal_types()) links.insert(type.link());
  EXPECT_EQ(links.size(), 6u) << "every link of the chain has a type";
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
  EXPECT_EQ(used.size(), bundle->source().schemas.size()) << "a schema that no type uses";
}

}  // namespace
}  // namespace schakel::policy
