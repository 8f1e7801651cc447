#include "broker/query/replay.h"

#include "broker/base/limits.h"
#include "broker/crypto/policy_format.h"
#include "tests/unit/query/query_fixture.h"

namespace schakel::query {
namespace {

using schakel::testing::ReferenceBundle;
using schakel::testing::ReferenceWithRules;
using schakel::testing::ReferenceWithVersion;

class ReplayTest : public QueryTest {
 protected:
  Scope Region() { return Scope::Region(f.machine().meta().tree_size()); }

  v1::ReplayResponse Run(const v1::ReplayRequest& request) {
    auto response = Replay(state(), bundles, Region(), request);
    EXPECT_TRUE(response.ok()) << response.error().message;
    return response.ok() ? *response : v1::ReplayResponse();
  }
  // All pages in one.
  v1::ReplayResponse RunAll(v1::ReplayRequest request, int* pages = nullptr) {
    v1::ReplayResponse all;
    do {
      auto page = Run(request);
      all.set_recomputed(all.recomputed() + page.recomputed());
      all.set_destroyed(all.destroyed() + page.destroyed());
      all.mutable_differences()->MergeFrom(page.differences());
      request.set_first_index(page.next_index());
      if (pages != nullptr) ++*pages;
    } while (request.first_index() != 0);
    return all;
  }
  // Questions in the details of what stands.
  uint64_t Questions() {
    uint64_t count = 0;
    for (const auto& record : f.Records()) {
      if (!record.detail_commitment().empty()) {
        count += static_cast<uint64_t>(f.DetailOf(record.index()).questions_size());
      }
    }
    return count;
  }
  void Activate(const ReferenceBundle& bundle) {
    machine::ActivatePolicy activate{bundle.bytes, bundle.digest, bundle.compiled};
    ASSERT_FALSE(f.DoAs(sample::kRegistrar, std::move(activate)).refused);
  }
  static ReferenceBundle WithoutFinances() {
    return ReferenceWithRules(
        "\n  - id: no-finances-of-tenants\n    effect: forbid\n"
        "    to: {functions: [debt-relief]}\n    signal_types: [rent-arrears]\n"
        "    categories: [finances]\n    why: a test\n");
  }
  // The reference bundle with debt-relief@dordrecht given to another organisation.
  static ReferenceBundle WithDebtReliefElsewhere() {
    auto files = crypto::ParsePolicyBundle(schakel::testing::Reference().bytes);
    SCHAKEL_CHECK(files.ok(), "the reference bundle parses");
    policy::BundleFiles map;
    for (auto& file : *files) {
      const std::string line = "debt-relief@dordrecht: \"" + sample::kDebtRelief.str();
      size_t at = file.content.find(line);
      if (file.path == "functions.yaml" && at != Bytes::npos) {
        file.content.replace(at, line.size(), "debt-relief@dordrecht: \"" + sample::kCare.str());
      }
      map[file.path] = file.content;
    }
    auto bytes = crypto::EncodePolicyBundle(*files);
    auto compiled = policy::CompileFiles(map);
    SCHAKEL_CHECK(bytes.ok() && compiled.ok(), "the changed bundle compiles");
    return {*bytes, crypto::PolicyDigest(*bytes), *compiled};
  }
};

TEST_F(ReplayTest, FindsEveryDecisionEqual) {
  PlayStory(Linked("a"));
  auto all = RunAll({});
  EXPECT_GT(all.recomputed(), 20u);
  EXPECT_EQ(all.recomputed(), Questions());
  EXPECT_EQ(all.differences_size(), 0);
  EXPECT_EQ(all.destroyed(), 0u);
}

TEST_F(ReplayTest, FindsThemEqualWhateverChangedSince) {
  PlayStory(Linked("a"));
  Activate(WithoutFinances());
  auto police = f.OrganisationOf(sample::kPolice);
  police.set_sector("care");
  machine::AdmitOrganisation admit;
  *admit.request.mutable_organisation() = police;
  admit.request.set_expected_version(1);
  ASSERT_FALSE(f.DoAs(sample::kRegistrar, admit).refused);
  f.Record(
      {.recorder = sample::kTeam, .subject = Linked("a"), .kind = v1::STATEMENT_KIND_OBJECTION});
  PlayStory(Linked("b"));
  auto all = RunAll({});
  EXPECT_EQ(all.recomputed(), Questions());
  EXPECT_EQ(all.differences_size(), 0);
}

TEST_F(ReplayTest, FindsWhatAnotherBundleWouldHaveDecidedOtherwise) {
  PlayStory(Linked("a"));
  auto stricter = WithoutFinances();
  Activate(stricter);
  v1::ReplayRequest request;
  request.set_digest(stricter.digest.str());
  auto all = RunAll(request);
  EXPECT_EQ(all.recomputed(), Questions());
  // The arrears' finances: as they were published, and as they were delivered.
  ASSERT_EQ(all.differences_size(), 2);
  for (const auto& difference : all.differences()) {
    EXPECT_EQ(difference.then(), v1::OUTCOME_PERMITTED);
    EXPECT_EQ(difference.then_reason(), "");
    EXPECT_EQ(difference.now(), v1::OUTCOME_DENIED);
    EXPECT_EQ(difference.now_reason(), "FORBIDDEN_BY_RULE");
    EXPECT_EQ(difference.recipient(), 0u);
    auto detail = f.DetailOf(difference.index());
    bool finances = false;
    for (const auto& question : detail.questions()) {
      finances |= question.section() == difference.section() && question.category() == "finances";
    }
    EXPECT_TRUE(finances);
  }
  EXPECT_EQ(f.Records()[all.differences(0).index()].kind(), v1::RECORD_KIND_PUBLISH);
  EXPECT_EQ(f.Records()[all.differences(1).index()].kind(), v1::RECORD_KIND_DELIVERY);

  auto same_rules = ReferenceWithVersion("2026.2");
  Activate(same_rules);
  request.set_digest(same_rules.digest.str());
  EXPECT_EQ(RunAll(request).differences_size(), 0);
}

TEST_F(ReplayTest, SaysWhenAFunctionWouldHaveLainElsewhere) {
  f.Accept(f.Arrears());
  auto moved = WithDebtReliefElsewhere();
  Activate(moved);
  v1::ReplayRequest request;
  request.set_digest(moved.digest.str());
  auto all = RunAll(request);
  EXPECT_EQ(all.recomputed(), 3u);
  ASSERT_EQ(all.differences_size(), 3);
  EXPECT_EQ(all.differences(0).now_reason(), "FUNCTION_UNRESOLVED");
}

TEST_F(ReplayTest, GivesTheSameInSmallPagesAndFromWithinAnEvent) {
  PlayStory(Linked("a"));
  auto stricter = WithoutFinances();
  Activate(stricter);
  v1::ReplayRequest request;
  request.set_digest(stricter.digest.str());
  auto whole = RunAll(request);
  request.set_page_size(1);
  int pages = 0;
  auto paged = RunAll(request, &pages);
  EXPECT_GT(pages, 5);
  EXPECT_EQ(paged.SerializeAsString(), whole.SerializeAsString());

  // The second record of the household's event alone.
  auto household = f.RecordsOf(v1::RECORD_KIND_PUBLISH).back();
  ASSERT_EQ(household.event_id(), f.Records()[household.index() - 1].event_id());
  v1::ReplayRequest within;
  within.set_first_index(household.index());
  within.set_page_size(1);
  auto page = Run(within);
  EXPECT_EQ(page.recomputed(),
            static_cast<uint64_t>(f.DetailOf(household.index()).questions_size()));
  EXPECT_EQ(page.differences_size(), 0);
}

TEST_F(ReplayTest, CountsWhatWasDestroyed) {
  PlayStory(Linked("a"));
  const auto decisions =
      f.RecordsOf(v1::RECORD_KIND_PUBLISH).size() + f.RecordsOf(v1::RECORD_KIND_DELIVERY).size();
  f.AdvanceAndSweep(std::chrono::hours(24 * 1827));
  auto all = RunAll({});
  EXPECT_EQ(all.recomputed(), 0u);
  EXPECT_EQ(all.destroyed(), decisions);
}

TEST_F(ReplayTest, LooksAtABoundedPartOfTheLogAtATime) {
  while (f.machine().meta().tree_size() < limits::kScanPerQueryMax + 10) {
    f.Do(machine::AcceptTime{});
  }
  f.Accept(f.Arrears());
  auto first = Run({});
  EXPECT_EQ(first.recomputed(), 0u);
  EXPECT_EQ(first.next_index(), limits::kScanPerQueryMax - 1);  // one look at where it begins
  int pages = 0;
  EXPECT_EQ(RunAll({}, &pages).recomputed(), 3u);
  EXPECT_EQ(pages, 2);
}

TEST_F(ReplayTest, KeepsToTheScopeOfWhoAsks) {
  PlayStory(Linked("a"));
  auto own = ScopeOfMember(state(), sample::kAuditor);
  ASSERT_TRUE(own.ok());
  EXPECT_FALSE(own->region());
  auto police = Replay(state(), bundles, *own, {});
  ASSERT_TRUE(police.ok());
  uint64_t questions = 0;
  for (const auto& record : f.RecordsOf(v1::RECORD_KIND_PUBLISH)) {
    if (record.organisation() == sample::kPolice.str()) {
      questions += static_cast<uint64_t>(f.DetailOf(record.index()).questions_size());
    }
  }
  EXPECT_EQ(police->recomputed(), questions);
  EXPECT_TRUE(ScopeOfMember(state(), sample::kRegistrar)->region());
  EXPECT_TRUE(ScopeOfMember(state(), sample::kRegionAuditor)->region());
  f.Advance(std::chrono::hours(24 * 366));
  f.Do(machine::AcceptTime{});
  EXPECT_FALSE(ScopeOfMember(state(), sample::kRegionAuditor)->region());
  EXPECT_EQ(ScopeOfMember(state(), sample::Oin("00000099000000009999")).error().reason,
            "NOT_FOUND");
}

TEST_F(ReplayTest, RefusesUnknownBundlesAndPagesThatAreTooLarge) {
  v1::ReplayRequest request;
  request.set_digest(Bytes(32, 'x'));
  EXPECT_EQ(Replay(state(), bundles, Region(), request).error().reason, "NOT_FOUND");
  request.set_digest("short");
  EXPECT_EQ(Replay(state(), bundles, Region(), request).error().field, "digest");
  request.clear_digest();
  request.set_page_size(1001);
  EXPECT_EQ(Replay(state(), bundles, Region(), request).error().field, "page_size");
  request.set_page_size(1);
  request.set_first_index(1'000'000);
  auto beyond = Replay(state(), bundles, Region(), request);
  ASSERT_TRUE(beyond.ok());
  EXPECT_EQ(beyond->recomputed(), 0u);
  EXPECT_EQ(beyond->next_index(), 0u);
}

}  // namespace
}  // namespace schakel::query
