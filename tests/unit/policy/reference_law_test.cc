// What the reference bundle says of the law is complete: each ground its article, each category how
// AVG art. 6, 9 and 10 and professional secrecy are met, and each warning of `policy check` a
// reason.
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "policy/engine/check.h"
#include "policy/engine/table_test.h"
#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

TEST(ReferenceGrounds, NameTheirArticle) {
  std::set<std::string> codes;
  for (const auto& ground : ReferenceBundle()->source().grounds.grounds()) {
    codes.insert(ground.code());
    EXPECT_THAT(ground.article(), testing::HasSubstr(" ")) << ground.code();
    EXPECT_NE(ground.objection(), v1::BUNDLE_OBJECTION_EFFECT_UNSPECIFIED) << ground.code();
  }
  for (const char* code : {"consent", "wgs-zvh", "wmo-veilig-thuis", "wgs-debt", "jeugdwet-index",
                           "wpg-partnership", "pbw-aftercare", "vital-interest"}) {
    EXPECT_TRUE(codes.contains(code)) << code << " is in the design";
  }
}

TEST(ReferenceGrounds, SayHowEachCategoryIsCovered) {
  const auto bundle = ReferenceBundle();
  for (const auto& ground : bundle->source().grounds.grounds()) {
    for (const auto& entry : ground.categories()) {
      const std::string place = ground.code() + " " + entry.category();
      EXPECT_EQ(entry.article_6() == "a", ground.kind() == v1::BUNDLE_GROUND_KIND_CONSENT) << place;
      const auto* category = bundle->FindCategory(entry.category());
      ASSERT_NE(category, nullptr) << place;
      EXPECT_EQ(category->special(), !entry.exception().empty()) << place;
      // Criminal data falls under AVG art. 10, health under art. 9; health also under secrecy.
      if (entry.category() == "safety") {
        EXPECT_THAT(entry.exception(), testing::HasSubstr("AVG art. 10 with ")) << place;
      }
      if (entry.category().ends_with("-health")) {
        EXPECT_THAT(entry.exception(), testing::HasSubstr("AVG art. 9(2)(")) << place;
        EXPECT_NE(entry.secrecy(), "") << place;
      }
    }
  }
}

TEST(ReferenceGrounds, OfLandlordsHaveNoCitizenServiceNumber) {
  for (const auto& entry : ReferenceBundle()->FindGround("wgs-debt")->categories()) {
    EXPECT_NE(entry.category(), "identity-bsn");
  }
}

TEST(ReferenceGrounds, AreEachPermittedAndDeniedBySomeTableTest) {
  const auto bundle = ReferenceBundle();
  std::set<std::string> permits;
  std::set<std::string> denials;
  for (const auto& test : bundle->source().tests.tests()) {
    (test.expect() == "permit" ? permits : denials).insert(test.ground());
  }
  for (const auto& ground : bundle->source().grounds.grounds()) {
    EXPECT_TRUE(permits.contains(ground.code())) << ground.code();
    EXPECT_TRUE(denials.contains(ground.code())) << ground.code();
  }
}

// Consent of a person to a public body, or from one, is doubtful (AVG recital 43). Why each rule
// that rests on it does so all the same; whoever adds one must say it here.
const std::map<std::string, const char*>& ReasonsForConsent() {
  static const char* const kAlso = "another ground carries it; consent only where the person wants";
  static const char* const kHelp = "the person asks for help that nobody can order or withhold";
  static const char* const kMore = "the law lets less go; the person decides whether more does";
  static const char* const kNarrow = "the recipient helps, and refusing changes nothing else";
  static const std::map<std::string, const char*> reasons = {
      {"arrears-by-consent", kMore},
      {"eviction-by-consent", kHelp},
      {"nuisance-to-central-access", kAlso},
      {"nuisance-police-data", kAlso},
      {"nuisance-to-neighbourhood-team", kAlso},
      {"violence-to-women-shelter", kAlso},
      {"release-health-by-consent", kMore},
      {"avoidance-to-team", kHelp},
      {"avoidance-health", kHelp},
      {"avoidance-to-neighbours", kNarrow},
      {"youth-by-consent", kMore},
      {"debt-by-consent", kHelp},
      {"homelessness-by-consent", kHelp},
      {"carer-early", kHelp},
      {"carer-to-neighbours", kNarrow},
      {"help-to-team", kHelp},
      {"help-to-neighbours", kNarrow},
      {"handover-health", kMore},
      {"relapse-by-consent", "agreed beforehand, in a plan of the person's own"},
      {"neglect-to-team", kHelp},
      {"neglect-to-landlord", "keeps a lease; without it the landlord just hears nothing"},
      {"substance-use-to-team", kNarrow},
      {"gambling-to-debt-relief", kHelp},
      {"absence-to-youth-team", kMore},
      {"plan-by-consent",
       "the plan is the person's; the partnership's own ground carries the rest"},
      {"plan-to-landlord", kNarrow},
  };
  return reasons;
}

TEST(ReferenceBundle, WarnsOnlyOfConsentWithPublicBodiesForReasonsGivenHere) {
  std::set<std::string> warned;
  for (const Finding& finding : CheckBundle(ReferenceFiles())) {
    EXPECT_EQ(finding.kind, "consent-public-body") << finding.place << ": " << finding.message;
    EXPECT_EQ(finding.severity, Severity::kWarning);
    const size_t from = finding.message.find('\'') + 1;
    const std::string rule = finding.message.substr(from, finding.message.find('\'', from) - from);
    EXPECT_TRUE(ReasonsForConsent().contains(rule)) << rule << " gives no reason";
    warned.insert(rule);
  }
  for (const auto& [rule, reason] : ReasonsForConsent()) {
    EXPECT_TRUE(warned.contains(rule)) << rule << " no longer needs its reason";
  }
}

}  // namespace
}  // namespace schakel::policy
