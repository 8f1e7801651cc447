// The columns of bits decide as a plain walk over all rules does, on random bundles and questions.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "policy/engine/decide.h"
#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

using Strings = google::protobuf::RepeatedPtrField<std::string>;

class Dice {
 public:
  explicit Dice(uint32_t seed) : random_(seed) {}
  int Roll(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  const std::string& Pick(const std::vector<std::string>& from) {
    return from[static_cast<size_t>(Roll(static_cast<int>(from.size())))];
  }
  // Empty (any) half of the time, else one or two.
  std::string List(const std::string& key, const std::vector<std::string>& from,
                   bool quoted = false) {
    if (Roll(2)) return {};
    const char* q = quoted ? "\"" : "";
    std::string out = key + ": [" + q + Pick(from) + q;
    if (Roll(2)) out += std::string(", ") + q + Pick(from) + q;
    return out + "], ";
  }

 private:
  std::mt19937 random_;
};

const std::vector<std::string> kSectors = {"red", "blue"};
const std::vector<std::string> kFunctions = {"helper", "watcher"};
const std::vector<std::string> kAreas = {"region", "town", "village", "quarter"};
const std::vector<std::string> kOins = {Oin(1).str(), Oin(2).str(), Oin(3).str()};
const std::vector<std::string> kCategories = {"money", "mind", "name", "bsn", "address"};
const std::vector<std::string> kGrounds = {"consent", "law", "emergency", "duty"};
const std::vector<std::string> kRelations = {"any", "same-neighbourhood", "same-municipality",
                                             "same-subregion", "same-region"};
const std::vector<std::string> kCases = {"any", "named", "participants"};

std::string RandomParty(Dice* dice) {
  return "{" + dice->List("sectors", kSectors) + dice->List("functions", kFunctions) +
         dice->List("organisations", kOins, true) + "}";
}

BundleFiles RandomBundle(Dice* dice, int rules) {
  BundleFiles files = Changed(SmallFiles(), "signal-types.yaml", "[help]", "[help, watch]");
  std::string text = "rules:\n";
  for (int i = 0; i < rules; ++i) {
    text += "  - {id: r" + std::to_string(i) +
            ", effect: " + (dice->Roll(6) ? "permit" : "forbid") + ", from: " + RandomParty(dice) +
            ", to: " + RandomParty(dice) + ", " + dice->List("purposes", {"help", "watch"}) +
            dice->List("categories", kCategories) + dice->List("grounds", kGrounds);
    if (dice->Roll(3) == 0) text += "area: " + dice->Pick(kRelations) + ", ";
    if (dice->Roll(4) == 0) text += "case_relation: " + dice->Pick(kCases) + ", ";
    text += "}\n";
  }
  files["rules.yaml"] = text;
  return files;
}

SectionQuestion RandomQuestion(Dice* dice, const CompiledBundle& bundle) {
  const auto party = [&] {
    Party p{*OrganisationId::From(dice->Pick(kOins)), dice->Pick(kSectors), {}, {}, true};
    for (int i = dice->Roll(3); i > 0; --i) {
      p.functions.push_back({dice->Pick(kFunctions), dice->Pick(kAreas)});
    }
    for (int i = dice->Roll(3); i > 0; --i) p.areas.push_back(dice->Pick(kAreas));
    return p;
  };
  SectionQuestion q{.sender = party(),
                    .recipient = party(),
                    .addressed = std::nullopt,
                    .signal_type = "question",
                    .purpose = dice->Roll(2) ? "help" : "watch",
                    .category = dice->Pick(kCategories),
                    .ground = dice->Pick(kGrounds),
                    .attested = {"urgent-need", "objection-weighed"},
                    .statements = {},
                    .case_id = std::nullopt,
                    .case_relation = static_cast<CaseRelation>(dice->Roll(3))};
  q.shielded = dice->Roll(8) == 0;
  std::vector<FunctionAtArea> held = q.recipient.functions;
  for (const auto& f : bundle.FunctionsOf(q.recipient.oin)) held.push_back(f);
  if (!held.empty() && dice->Roll(2)) {
    q.addressed = held[static_cast<size_t>(dice->Roll(static_cast<int>(held.size())))];
  }
  return q;
}

bool Named(const Strings& list, const std::string& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

// An area and what it lies in, by name.
std::vector<std::string> ChainOf(const std::string& area) {
  if (area == "quarter") return {"quarter", "town", "region"};
  if (area == "region") return {"region"};
  return {area, "region"};
}

bool In(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool AreasMeet(v1::BundleAreaRelation relation, const SectionQuestion& q) {
  if (relation <= v1::BUNDLE_AREA_RELATION_ANY) return true;
  std::vector<std::string> common;
  if (relation == v1::BUNDLE_AREA_RELATION_SAME_NEIGHBOURHOOD) common = {"quarter"};
  if (relation == v1::BUNDLE_AREA_RELATION_SAME_MUNICIPALITY) common = {"town", "village"};
  if (relation == v1::BUNDLE_AREA_RELATION_SAME_REGION) common = {"region"};
  const std::vector<std::string> recipient =
      q.addressed ? std::vector<std::string>{q.addressed->area} : q.recipient.areas;
  for (const auto& r : recipient) {
    for (const auto& s : q.sender.areas) {
      for (const auto& area : common) {
        if (In(ChainOf(r), area) && (In(ChainOf(s), area) || In(ChainOf(area), s))) return true;
      }
    }
  }
  return false;
}

bool PartyMeets(const v1::BundleRuleParty& rule, const Party& party,
                const std::vector<FunctionAtArea>& functions) {
  const bool function = rule.functions().empty() ||
                        std::any_of(functions.begin(), functions.end(), [&](const auto& f) {
                          return Named(rule.functions(), f.function);
                        });
  return function && Named(rule.sectors(), party.sector) &&
         Named(rule.organisations(), party.oin.str());
}

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
