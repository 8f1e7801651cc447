// The matrix of random bundles says what Decide() says; filters, and what is left out.
#include "policy/engine/matrix.h"

#include <gmock/gmock.h>

#include <tuple>

#include "tests/unit/policy/matrix_reading.h"

namespace schakel::policy {
namespace {

TEST(Matrix, SaysForRandomBundlesWhatDecideSays) {
  const uint32_t seed = 20'12;
  Dice dice(seed);
  size_t permitted = 0;
  size_t excepted = 0;
  size_t asked = 0;
  for (int round = 0; round < 60; ++round) {
    const auto bundle = MustCompile(RandomBundle(&dice, 1 + dice.Roll(12)));
    ASSERT_NE(bundle, nullptr);
    const auto rows = Matrix(*bundle, {});
    for (const MatrixRow& row : rows) excepted += row.except.empty() ? 0 : 1;
    for (int i = 0; i < 60; ++i) {
      SectionQuestion q = RandomQuestion(&dice, *bundle);
      q.attested = AllConditions(*bundle);
      q.statements = std::span(&kConsent, 1);
      for (const auto& [purpose, category, ground] : [&] {
             std::vector<std::tuple<std::string, std::string, std::string>> all;
             for (const char* p : {"help", "watch"}) {
               for (const auto& c : kCategories) {
                 for (const auto& g : kGrounds) all.emplace_back(p, c, g);
               }
             }
             return all;
           }()) {
        q.purpose = purpose;
        q.category = category;
        q.ground = ground;
        const Decision decision = Decide(*bundle, q);
        const MatrixRow* const row = Reading(*bundle, q, AreasMeet).First(rows);
        ++asked;
        permitted += decision.permitted ? 1 : 0;
        ASSERT_EQ(decision.permitted, row != nullptr)
            << "seed " << seed << " round " << round << ": " << purpose << " " << category << " "
            << ground << " " << decision.rule << "\n"
            << bundle->source().rules.DebugString();
        if (row == nullptr) continue;
        ASSERT_EQ(decision.rule, row->rule) << "seed " << seed << " round " << round;
        ASSERT_EQ(decision.obligations == nullptr, !row->obligations.has_value());
      }
    }
  }
  EXPECT_GT(permitted, asked / 50);
  EXPECT_GT(excepted, 100u) << "forbids that no list of sectors says hardly came up";
}

// ---- Filters ----

std::vector<std::string> RulesOf(const std::vector<MatrixRow>& rows) {
  std::vector<std::string> ids;
  for (const auto& row : rows) {
    if (ids.empty() || ids.back() != row.rule) ids.push_back(row.rule);
  }
  return ids;
}

TEST(Matrix, ShowsWhatAPartyMaySendAndReceive) {
  const auto bundle = ReferenceBundle();
  const auto with = [&](std::vector<std::string> senders, std::vector<std::string> recipients,
                        std::vector<std::string> types) {
    return RulesOf(Matrix(*bundle, {std::move(senders), std::move(recipients), std::move(types)}));
  };
  using testing::Contains;
  using testing::ElementsAre;
  using testing::Not;
  EXPECT_THAT(with({}, {}, {"rent-arrears"}),
              ElementsAre("arrears-to-debt-relief", "arrears-by-consent"));
  EXPECT_THAT(with({"police"}, {}, {"rent-arrears"}), ElementsAre());
  EXPECT_THAT(with({"housing"}, {"neighbourhood-team"}, {"rent-arrears", "eviction-notice"}),
              ElementsAre("arrears-by-consent", "eviction-by-consent"));
  // Whoever it is may break the glass; only central access hands nuisance on.
  EXPECT_THAT(with({"housing"}, {}, {}), Contains("distress-break-glass"));
  EXPECT_THAT(with({"neighbour-help"}, {}, {}),
              ElementsAre("distress-break-glass", "distress-to-crisis-care", "test-to-loopback"));
  EXPECT_THAT(with({"safety-house"}, {}, {}), Not(Contains("nuisance-to-neighbourhood-team")));
  EXPECT_THAT(with({"safety-house", "central-access"}, {}, {}),
              Contains("nuisance-to-neighbourhood-team"));
  // An organisation by its number: what it is named in, and by its functions.
  const auto shelter = with({}, {"00000099000000002007"}, {});
  EXPECT_THAT(shelter, ElementsAre("violence-to-women-shelter", "secret-address-to-named",
                                   "test-answer-from-loopback"));
  EXPECT_THAT(with({"00000099000000002003"}, {}, {"aftercare-handover"}),
              ElementsAre("handover-to-local-network", "handover-health"));
  EXPECT_THAT(UnknownNames(*bundle, {{"police", "gossips"}, {"00000099000000002007"}, {"rumour"}}),
              ElementsAre("gossips", "rumour"));
}

TEST(Matrix, LeavesOutWhatAForbidTakesAndNamesTheRest) {
  const auto rows = [](const std::string& rules) {
    return Matrix(*MustCompile(Added(SmallFiles(), "rules.yaml", rules)), {{}, {}, {}});
  };
  const size_t all = rows("").size();
  const auto sector = rows("  - {id: no-blue, effect: forbid, to: {sectors: [blue]}}\n");
  EXPECT_EQ(sector.size(), all) << "the rule names red recipients only";
  EXPECT_TRUE(sector.front().except.empty());
  EXPECT_TRUE(rows("  - {id: no-red, effect: forbid, from: {sectors: [red]}}\n").empty());
  EXPECT_EQ(rows("  - {id: no-money, effect: forbid, categories: [money]}\n").size(),
            static_cast<size_t>(std::count_if(sector.begin(), sector.end(), [](const auto& row) {
              return row.category != "money";
            })));
  const auto function =
      rows("  - {id: no-watcher, effect: forbid, from: {functions: [watcher]}}\n");
  EXPECT_EQ(function.size(), all);
  EXPECT_EQ(function.front().except, std::vector<std::string>{"no-watcher"});
}

TEST(Matrix, LeavesOutRulesThatAnEarlierOneCovers) {
  const auto rules = [](const std::string& more) {
    return RulesOf(Matrix(*MustCompile(Added(SmallFiles(), "rules.yaml", more)), {}));
  };
  const char* const same =
      "  - {id: again, effect: permit, from: {sectors: [red]}, to: {sectors: [red], functions: "
      "[helper]}, grounds: [law], area: same-region}\n";
  EXPECT_EQ(rules(same), std::vector<std::string>{"red-helps"});
  const char* const wider = "  - {id: wider, effect: permit, to: {functions: [helper]}}\n";
  EXPECT_EQ(rules(wider), (std::vector<std::string>{"red-helps", "wider"}));
  // Named, it holds for shielded subjects too.
  const char* const named =
      "  - {id: named, effect: permit, from: {sectors: [red]}, to: {sectors: [red], functions: "
      "[helper], organisations: [\"00000099000000000002\"]}}\n";
  EXPECT_EQ(rules(named), (std::vector<std::string>{"red-helps", "named"}));
}

}  // namespace
}  // namespace schakel::policy
