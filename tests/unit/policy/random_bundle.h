// Random bundles and questions about them, and how rules match when every rule is looked at in
// words: what the fast forms of the engine are compared with.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "policy/engine/decide.h"
#include "tests/unit/policy/bundle_fixture.h"

namespace schakel::policy {

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

inline const std::vector<std::string> kSectors = {"red", "blue"};
inline const std::vector<std::string> kFunctions = {"helper", "watcher"};
inline const std::vector<std::string> kAreas = {"region", "town", "village", "quarter"};
inline const std::vector<std::string> kOins = {Oin(1).str(), Oin(2).str(), Oin(3).str()};
inline const std::vector<std::string> kCategories = {"money", "mind", "name", "bsn", "address"};
inline const std::vector<std::string> kGrounds = {"consent", "law", "emergency", "duty"};
inline const std::vector<std::string> kRelations = {
    "any", "same-neighbourhood", "same-municipality", "same-subregion", "same-region"};
inline const std::vector<std::string> kCases = {"any", "named", "participants"};

inline std::string RandomParty(Dice* dice) {
  return "{" + dice->List("sectors", kSectors) + dice->List("functions", kFunctions) +
         dice->List("organisations", kOins, true) + "}";
}

inline BundleFiles RandomBundle(Dice* dice, int rules) {
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

inline SectionQuestion RandomQuestion(Dice* dice, const CompiledBundle& bundle) {
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

inline bool Named(const Strings& list, const std::string& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

// An area and what it lies in, by name.
inline std::vector<std::string> ChainOf(const std::string& area) {
  if (area == "quarter") return {"quarter", "town", "region"};
  if (area == "region") return {"region"};
  return {area, "region"};
}

inline bool In(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

inline bool AreasMeet(v1::BundleAreaRelation relation, const SectionQuestion& q) {
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

inline bool PartyMeets(const v1::BundleRuleParty& rule, const Party& party,
                       const std::vector<FunctionAtArea>& functions) {
  const bool function = rule.functions().empty() ||
                        std::any_of(functions.begin(), functions.end(), [&](const auto& f) {
                          return Named(rule.functions(), f.function);
                        });
  return function && Named(rule.sectors(), party.sector) &&
         Named(rule.organisations(), party.oin.str());
}

}  // namespace schakel::policy
