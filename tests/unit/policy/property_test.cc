// The columns of bits decide as a plain walk over all rules does, on random bundles and questions.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "tests/unit/policy/random_bundle.h"

namespace schakel::policy {
namespace {

// The textbook form: every rule, one after another, in words. Covers what rules decide; the rest of
// a decision has tests of its own.
Decision Naive(const CompiledBundle& bundle, const SectionQuestion& q) {
  const auto all = [&](const Party& party) {
    std::vector<FunctionAtArea> functions = party.functions;
    for (const auto& f : bundle.FunctionsOf(party.oin)) functions.push_back(f);
    return functions;
  };
  const auto in = q.addressed ? std::vector<FunctionAtArea>{*q.addressed} : all(q.recipient);
  std::string permit, named, forbid;
  for (const v1::BundleRule& rule : bundle.source().rules.rules()) {
    const bool forbids = rule.effect() == v1::BUNDLE_RULE_EFFECT_FORBID;
    const int least = std::max(0, static_cast<int>(rule.case_relation()) - 1);
    const bool matches = PartyMeets(rule.from(), q.sender, all(q.sender)) &&
                         PartyMeets(rule.to(), q.recipient, in) &&
                         Named(rule.purposes(), q.purpose) && Named(rule.grounds(), q.ground) &&
                         Named(rule.categories(), q.category) &&
                         (forbids || q.category != "address" || !rule.categories().empty()) &&
                         AreasMeet(rule.area(), q) && static_cast<int>(q.case_relation) >= least;
    if (!matches) continue;
    if (forbids && forbid.empty()) forbid = rule.id();
    if (!forbids && permit.empty()) permit = rule.id();
    if (!forbids && named.empty() && !rule.to().organisations().empty()) named = rule.id();
  }
  static std::string rule;
  rule.clear();
  Decision d;
  if (!forbid.empty()) {
    d.reason = DenyReason::kForbiddenByRule;
    rule = forbid;
  } else if (permit.empty()) {
    d.reason = DenyReason::kNoRule;
  } else if (q.shielded && named.empty()) {
    d.reason = DenyReason::kShielded;
  } else {
    rule = q.shielded ? named : permit;
    if (q.ground == "consent") d.reason = DenyReason::kNoConsent;
  }
  d.rule = rule;
  d.permitted = d.reason == DenyReason::kNone;
  return d;
}

TEST(Property, ColumnsDecideAsAWalkOverAllRules) {
  const uint32_t seed = 4711;
  Dice dice(seed);
  std::map<DenyReason, int> seen;
  for (int round = 0; round < 40; ++round) {
    // Sizes around the edges of a word of 64 rules.
    const int rules = 1 + dice.Roll(200);
    const auto bundle = MustCompile(RandomBundle(&dice, rules));
    ASSERT_NE(bundle, nullptr);
    for (int i = 0; i < 500; ++i) {
      const SectionQuestion q = RandomQuestion(&dice, *bundle);
      const Decision got = Decide(*bundle, q);
      ++seen[got.reason];
      if (got.reason == DenyReason::kGroundNotApplicable) continue;  // decided before any rule
      const Decision expected = Naive(*bundle, q);
      ASSERT_EQ(ReasonName(got.reason), ReasonName(expected.reason))
          << "seed " << seed << " round " << round << " question " << i;
      ASSERT_EQ(got.rule, expected.rule) << "seed " << seed << " round " << round;
    }
  }
  for (const DenyReason reason :
       {DenyReason::kNone, DenyReason::kForbiddenByRule, DenyReason::kNoRule, DenyReason::kShielded,
        DenyReason::kNoConsent, DenyReason::kGroundNotApplicable}) {
    EXPECT_GT(seen[reason], 20) << ReasonName(reason) << " hardly ever came out";
  }
}

TEST(Property, AConsentOrRuleMoreNeverTurnsAForbidIntoAPermit) {
  const uint32_t seed = 99;
  Dice dice(seed);
  for (int round = 0; round < 20; ++round) {
    BundleFiles files = RandomBundle(&dice, 30);
    const auto before = MustCompile(files);
    files = Added(files, "rules.yaml", "  - {id: all-goes, effect: permit}\n");
    const auto after = MustCompile(files);
    for (int i = 0; i < 200; ++i) {
      const SectionQuestion q = RandomQuestion(&dice, *before);
      if (Decide(*before, q).reason != DenyReason::kForbiddenByRule) continue;
      ASSERT_EQ(Decide(*after, q).reason, DenyReason::kForbiddenByRule) << "seed " << seed;
    }
  }
}

// Median time of a decision on interned facts.
double MedianNanos(const CompiledBundle& bundle, const SectionQuestion& q, const Pair& pair) {
  EnvelopeFacts envelope;
  envelope.signal_type = bundle.SignalType(q.signal_type);
  envelope.purpose = bundle.Purpose(q.purpose);
  const Code category = bundle.Category(q.category);
  const Code ground = bundle.Ground(q.ground);
  std::vector<double> times;
  size_t permitted = 0;
  for (int i = 0; i < 101; ++i) {
    const auto start = std::chrono::steady_clock::now();
    for (int k = 0; k < 20; ++k) {
      permitted += Decide(bundle, pair, envelope, category, ground, 0, {}).permitted;
    }
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    times.push_back(took.count() / 20);
  }
  EXPECT_TRUE(permitted == 0 || permitted == 101u * 20u);
  std::nth_element(times.begin(), times.begin() + 50, times.end());
  return times[50];
}

double MedianNanos(const CompiledBundle& bundle, const SectionQuestion& q) {
  return MedianNanos(bundle, q,
                     bundle.Meet(bundle.Intern(q.sender), bundle.Intern(q.recipient), q.addressed));
}

// The bound here is ten times the target, so that a busy machine or a sanitizer does not fail it;
// the benchmark measures the target itself.
TEST(Property, ADecisionTakesAboutAMicrosecondAlsoAmongTenThousandRules) {
  Dice dice(1);
  const auto small = ReferenceBundle();
  const SectionQuestion arrears{
      .sender = {Oin(1000), "housing", {}, {"dordrecht"}, false},
      .recipient = {Oin(2000), "social-services", {}, {"drechtsteden"}, true},
      .addressed = FunctionAtArea{"debt-relief", "dordrecht"},
      .signal_type = "rent-arrears",
      .purpose = "prevent-eviction",
      .category = "finances",
      .ground = "wgs-debt",
      .attested = {},
      .statements = {},
      .case_id = std::nullopt};
  ASSERT_TRUE(Decide(*small, arrears).permitted);
  const double reference = MedianNanos(*small, arrears);
  const auto large = MustCompile(RandomBundle(&dice, 10'000));
  ASSERT_NE(large, nullptr);
  // The slowest of many questions: one that looks at every rule and finds none.
  double ten_thousand = 0;
  for (int i = 0; i < 100; ++i) {
    SectionQuestion q = RandomQuestion(&dice, *large);
    ten_thousand = std::max(ten_thousand, MedianNanos(*large, q));
  }
  SectionQuestion nobody = RandomQuestion(&dice, *large);
  nobody.category = "address";
  nobody.ground = "law";
  Pair pair =
      large->Meet(large->Intern(nobody.sender), large->Intern(nobody.recipient), std::nullopt);
  std::fill(pair.rules.begin(), pair.rules.end(), 0);
  ten_thousand = std::max(ten_thousand, MedianNanos(*large, nobody, pair));
  RecordProperty("reference_nanos", std::to_string(reference));
  RecordProperty("ten_thousand_rules_nanos", std::to_string(ten_thousand));
  std::printf("median decision: %.0f ns reference bundle, %.0f ns with 10,000 rules\n", reference,
              ten_thousand);
  EXPECT_LT(reference, 10'000);
  EXPECT_LT(ten_thousand, 30'000);
}

}  // namespace
}  // namespace schakel::policy
