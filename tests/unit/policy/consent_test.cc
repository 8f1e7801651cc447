// The five axes: which statement beats which, what an objection covers, what a statement matches.
// The fast form in resolve.h is held against the same rules written out here.
#include "policy/engine/consent.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "policy/engine/resolve.h"
#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {
namespace {

CaseId Case(uint8_t n) {
  CaseId id;
  id.bytes.fill(n);
  return id;
}

// A party axis of each level that matches the red organisation 2, helper@town.
PartyAxis AxisOf(int level) {
  switch (level) {
    case 1:
      return PartyAxis::Sector("red");
    case 2:
      return PartyAxis::Function("helper");
    case 3:
      return PartyAxis::Organisation(Oin(2));
    default:
      return PartyAxis::Any();
  }
}

using Levels = std::array<int, 5>;  // sender, recipient 0..3; case, category, purpose 0..1

Axes AxesOf(const Levels& levels) {
  Axes axes;
  axes.sender = AxisOf(levels[0]);
  axes.recipient = AxisOf(levels[1]);
  if (levels[2]) axes.case_id = Case(7);
  if (levels[3]) axes.category = "money";
  if (levels[4]) axes.purpose = "help";
  return axes;
}

std::vector<Levels> AllLevels() {
  std::vector<Levels> out;
  for (int s = 0; s < 4; ++s)
    for (int r = 0; r < 4; ++r)
      for (int c = 0; c < 2; ++c)
        for (int d = 0; d < 2; ++d)
          for (int p = 0; p < 2; ++p) out.push_back({s, r, c, d, p});
  return out;
}

ConsentFact Fact(StatementKind kind, const Axes& axes) {
  ConsentFact fact;
  fact.kind = kind;
  fact.axes = axes;
  fact.not_before = Millis(100);
  fact.not_after = Millis(200);
  return fact;
}

// The transfer that AxesOf matches in every combination.
struct Setting {
  std::shared_ptr<const CompiledBundle> bundle = MustCompile(SmallFiles());
  Party sender{Oin(2), "red", {}, {}, true};
  Party recipient{Oin(2), "red", {}, {}, true};
  EnvelopeFacts envelope;
  Pair pair;
  Code category;

  Setting() {
    envelope.signal_type = bundle->SignalType("question");
    envelope.purpose = bundle->Purpose("help");
    envelope.case_id = Case(7);
    envelope.now = Millis(150);
    category = bundle->Category("money");
    pair = bundle->Meet(bundle->Intern(sender), bundle->Intern(recipient), std::nullopt);
  }

  Resolution Resolve(const std::vector<ConsentFact>& facts) const {
    std::vector<InternedStatement> statements;
    for (const ConsentFact& fact : facts) statements.push_back(bundle->Intern(fact));
    return ResolveStatements(pair, envelope, category, statements);
  }
};

TEST(Consent, BeatsIsTheProductOrderOverAllPairsOfAxes) {
  int beats = 0;
  for (const Levels& a : AllLevels()) {
    for (const Levels& b : AllLevels()) {
      bool at_least = true;
      bool more = false;
      for (size_t i = 0; i < a.size(); ++i) {
        at_least = at_least && a[i] >= b[i];
        more = more || a[i] > b[i];
      }
      ASSERT_EQ(Beats(AxesOf(a), AxesOf(b)), at_least && more)
          << testing::PrintToString(a) << testing::PrintToString(b);
      ASSERT_FALSE(Beats(AxesOf(a), AxesOf(b)) && Beats(AxesOf(b), AxesOf(a)));
      beats += at_least && more;
    }
  }
  // 10 * 10 * 3 * 3 * 3 comparable pairs, less the 128 equal ones.
  EXPECT_EQ(beats, 2700 - 128);
}

TEST(Consent, EveryPairOfConsentAndObjectionComesOutByTheOrder) {
  const Setting setting;
  for (const Levels& consent : AllLevels()) {
    for (const Levels& objection : AllLevels()) {
      const Resolution got = setting.Resolve({Fact(StatementKind::kConsent, AxesOf(consent)),
                                              Fact(StatementKind::kObjection, AxesOf(objection))});
      // The consent stands alone only when it beats the objection; whatever is unbeaten, objects.
      const bool consent_wins = Beats(AxesOf(consent), AxesOf(objection));
      const bool objection_wins = Beats(AxesOf(objection), AxesOf(consent));
      ASSERT_EQ(got.objection, !consent_wins)
          << testing::PrintToString(consent) << testing::PrintToString(objection);
      ASSERT_EQ(got.consents.empty(), objection_wins);
    }
  }
}

TEST(Consent, OnlyStatementsThatMatchTheTransferTakePart) {
  const Setting setting;
  const auto none = [&](Axes axes) {
    return setting.Resolve({Fact(StatementKind::kConsent, axes)}).consents.empty();
  };
  EXPECT_FALSE(none({}));
  EXPECT_TRUE(none({.sender = PartyAxis::Sector("blue")}));
  EXPECT_TRUE(none({.sender = PartyAxis::Sector("green")}));
  EXPECT_TRUE(none({.sender = PartyAxis::Function("watcher")}));
  EXPECT_TRUE(none({.sender = PartyAxis::Organisation(Oin(3))}));
  EXPECT_TRUE(none({.recipient = PartyAxis::Function("helper", "village")}));
  EXPECT_FALSE(none({.recipient = PartyAxis::Function("helper", "town")}));
  EXPECT_TRUE(none({.case_id = Case(8)}));
  EXPECT_TRUE(none({.category = "mind"}));
  EXPECT_TRUE(none({.category = "no-such"}));
  EXPECT_TRUE(none({.purpose = "watch"}));
}

TEST(Consent, IsInForceToTheMillisecond) {
  ConsentFact fact = Fact(StatementKind::kConsent, {});
  EXPECT_FALSE(InForce(fact, Millis(99)));
  EXPECT_TRUE(InForce(fact, Millis(100)));
  EXPECT_TRUE(InForce(fact, Millis(199)));
  EXPECT_FALSE(InForce(fact, Millis(200)));
  fact.withdrawn_at = Millis(180);
  EXPECT_FALSE(InForce(fact, Millis(150)));
  Setting setting;
  for (const int64_t now : {99, 100, 199, 200}) {
    setting.envelope.now = Millis(now);
    const Resolution got = setting.Resolve({Fact(StatementKind::kConsent, {})});
    EXPECT_EQ(!got.consents.empty(), now >= 100 && now < 200) << now;
  }
}

TEST(Consent, AnEndedObjectionNoLongerObjects) {
  const Setting setting;
  ConsentFact objection = Fact(StatementKind::kObjection, {});
  objection.not_after = Millis(150);
  EXPECT_FALSE(setting.Resolve({objection}).objection);
  objection.not_after = Millis(151);
  EXPECT_TRUE(setting.Resolve({objection}).objection);
  objection.withdrawn_at = Millis(101);
  EXPECT_FALSE(setting.Resolve({objection}).objection);
}

TEST(Consent, SaysWhyThereIsNone) {
  const Setting setting;
  ConsentFact expired = Fact(StatementKind::kConsent, {});
  expired.not_after = Millis(150);
  ConsentFact withdrawn = Fact(StatementKind::kConsent, {});
  withdrawn.withdrawn_at = Millis(120);
  ConsentFact future = Fact(StatementKind::kConsent, {});
  future.not_before = Millis(151);
  EXPECT_EQ(setting.Resolve({}).missing, DenyReason::kNoConsent);
  EXPECT_EQ(setting.Resolve({future}).missing, DenyReason::kNoConsent);
  EXPECT_EQ(setting.Resolve({expired}).missing, DenyReason::kConsentExpired);
  EXPECT_EQ(setting.Resolve({withdrawn, expired}).missing, DenyReason::kConsentWithdrawn);
  EXPECT_EQ(setting.Resolve({expired, withdrawn}).missing, DenyReason::kConsentWithdrawn);
}

TEST(Consent, NamesEveryUnbeatenConsent) {
  const Setting setting;
  const Resolution got = setting.Resolve({Fact(StatementKind::kConsent, {}),
                                          Fact(StatementKind::kConsent, {.category = "money"}),
                                          Fact(StatementKind::kConsent, {.purpose = "help"}),
                                          Fact(StatementKind::kConsent, {.purpose = "watch"})});
  EXPECT_EQ(got.consents, (std::vector<uint16_t>{1, 2}));
}

TEST(Consent, ReadsAConsentNarrowlyAndAnObjectionWidelyWhenAFunctionIsAddressed) {
  Setting setting;
  setting.recipient.functions = {{"watcher", "town"}};
  const FunctionAtArea helper{"helper", "town"};
  setting.pair = setting.bundle->Meet(setting.bundle->Intern(setting.sender),
                                      setting.bundle->Intern(setting.recipient), helper);
  const Axes for_watchers{.recipient = PartyAxis::Function("watcher")};
  EXPECT_TRUE(setting.Resolve({Fact(StatementKind::kConsent, for_watchers)}).consents.empty());
  EXPECT_TRUE(setting.Resolve({Fact(StatementKind::kObjection, for_watchers)}).objection);
  const Axes for_helpers{.recipient = PartyAxis::Function("helper")};
  EXPECT_FALSE(setting.Resolve({Fact(StatementKind::kConsent, for_helpers)}).consents.empty());
}

TEST(Consent, FastFormAgreesWithTheWordsOnRandomStatements) {
  Setting setting;
  setting.sender.functions = {{"watcher", "village"}};
  const uint32_t seed = 20260101;
  std::mt19937 random(seed);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto axis = [&]() -> PartyAxis {
    const PartyAxis all[] = {PartyAxis::Any(),
                             PartyAxis::Sector("red"),
                             PartyAxis::Sector("blue"),
                             PartyAxis::Function("helper"),
                             PartyAxis::Function("watcher"),
                             PartyAxis::Function("helper", "town"),
                             PartyAxis::Function("watcher", "village"),
                             PartyAxis::Function("watcher", "nowhere"),
                             PartyAxis::Organisation(Oin(2)),
                             PartyAxis::Organisation(Oin(3))};
    return all[pick(10)];
  };
  for (int run = 0; run < 20'000; ++run) {
    std::optional<FunctionAtArea> addressed;
    if (pick(2)) addressed = FunctionAtArea{"helper", "town"};
    setting.pair = setting.bundle->Meet(setting.bundle->Intern(setting.sender),
                                        setting.bundle->Intern(setting.recipient), addressed);
    std::vector<ConsentFact> facts;
    for (int i = pick(5); i >= 0; --i) {
      Axes axes{axis(), axis(), std::nullopt, "", ""};
      if (pick(3) == 0) axes.case_id = Case(static_cast<uint8_t>(7 + pick(2)));
      if (pick(2)) axes.category = pick(2) ? "money" : "mind";
      if (pick(2)) axes.purpose = pick(2) ? "help" : "watch";
      ConsentFact fact = Fact(pick(2) ? StatementKind::kConsent : StatementKind::kObjection, axes);
      fact.not_before = Millis(100 + pick(80));
      if (pick(6) == 0) fact.withdrawn_at = Millis(140);
      facts.push_back(fact);
    }
    // The textbook form: filter, then look who is unbeaten.
    Party sender = setting.sender;
    sender.functions.push_back({"helper", "town"});
    Party recipient = setting.recipient;
    recipient.functions.push_back({"helper", "town"});
    const Transfer transfer{&sender, &recipient, addressed, Case(7), "money", "help"};
    bool objection = false;
    std::vector<uint16_t> consents;
    for (size_t i = 0; i < facts.size(); ++i) {
      const auto takes_part = [&](const ConsentFact& f) {
        return InForce(f, Millis(150)) && Matches(f.kind, f.axes, transfer);
      };
      if (!takes_part(facts[i])) continue;
      bool beaten = false;
      for (const ConsentFact& other : facts) {
        beaten = beaten || (takes_part(other) && Beats(other.axes, facts[i].axes));
      }
      if (beaten) continue;
      if (facts[i].kind == StatementKind::kObjection)
        objection = true;
      else
        consents.push_back(static_cast<uint16_t>(i));
    }
    const Resolution got = setting.Resolve(facts);
    ASSERT_EQ(got.objection, objection) << "seed " << seed << " run " << run;
    ASSERT_EQ(got.consents, consents) << "seed " << seed << " run " << run;
  }
}

// Organisation 2 is red and helper@town, as in the small bundle.
class SmallDirectory final : public Containment {
 public:
  bool InSector(const OrganisationId& oin, std::string_view sector) const override {
    return oin == Oin(2) && sector == "red";
  }
  bool InFunction(const OrganisationId& oin, std::string_view function) const override {
    return oin == Oin(2) && (function == "helper" || function == "helper@town");
  }
};

TEST(Covers, EachPartyAxisByAnyEqualityAndContainment) {
  const SmallDirectory directory;
  const PartyAxis any = PartyAxis::Any();
  const PartyAxis red = PartyAxis::Sector("red");
  const PartyAxis blue = PartyAxis::Sector("blue");
  const PartyAxis helper = PartyAxis::Function("helper");
  const PartyAxis helper_town = PartyAxis::Function("helper", "town");
  const PartyAxis helper_village = PartyAxis::Function("helper", "village");
  const PartyAxis two = PartyAxis::Organisation(Oin(2));
  const PartyAxis three = PartyAxis::Organisation(Oin(3));
  const std::vector<PartyAxis> all = {any, red,  blue, helper, helper_town, helper_village,
                                      two, three};
  // Row: the objection's axis; column: the consent's.
  const std::vector<std::string> table = {
      // any red blue helper h@town h@village two three
      "11111111",  // any
      "01000010",  // red contains organisation 2
      "00100000",  // blue
      "00011110",  // helper contains helper@... and organisation 2
      "00001010",  // helper@town contains organisation 2
      "00000100",  // helper@village
      "00000010",  // organisation 2
      "00000001",  // organisation 3
  };
  for (size_t o = 0; o < all.size(); ++o) {
    for (size_t c = 0; c < all.size(); ++c) {
      const bool expected = table[o][c] == '1';
      EXPECT_EQ(Covers({.sender = all[o]}, {.sender = all[c]}, directory), expected)
          << all[o].value << " / " << all[c].value;
      EXPECT_EQ(Covers({.recipient = all[o]}, {.recipient = all[c]}, directory), expected)
          << all[o].value << " / " << all[c].value;
    }
  }
}

TEST(Covers, CaseCategoryAndPurposeByAnyOrEquality) {
  const SmallDirectory directory;
  const Axes any;
  const Axes narrow{.case_id = Case(1), .category = "money", .purpose = "help"};
  EXPECT_TRUE(Covers(any, any, directory));
  EXPECT_TRUE(Covers(any, narrow, directory));
  EXPECT_TRUE(Covers(narrow, narrow, directory));
  EXPECT_FALSE(Covers(narrow, any, directory));
  EXPECT_FALSE(Covers({.case_id = Case(2)}, narrow, directory));
  EXPECT_FALSE(Covers({.category = "mind"}, narrow, directory));
  EXPECT_FALSE(Covers({.purpose = "watch"}, narrow, directory));
}

TEST(Covers, NeedsEveryAxis) {
  const SmallDirectory directory;
  const Axes consent{.sender = PartyAxis::Sector("red"), .category = "money"};
  EXPECT_TRUE(Covers({.sender = PartyAxis::Sector("red")}, consent, directory));
  EXPECT_FALSE(
      Covers({.sender = PartyAxis::Sector("red"), .category = "mind"}, consent, directory));
  EXPECT_FALSE(
      Covers({.sender = PartyAxis::Sector("blue"), .category = "money"}, consent, directory));
}

}  // namespace
}  // namespace schakel::policy
