#include "policy/engine/check.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <tuple>

#include "policy/engine/compile.h"
#include "policy/engine/duration.h"
#include "policy/engine/retention.h"
#include "policy/engine/rule_terms.h"
#include "policy/engine/tables.h"

namespace schakel::policy {
namespace {

using Strings = google::protobuf::RepeatedPtrField<std::string>;

// One (signal type, purpose, category, ground) for which a rule can be asked.
struct Cell {
  Code type, purpose, category, ground;
};

class Checker {
 public:
  Checker(const CompiledBundle& bundle, std::vector<Finding>* out)
      : bundle_(bundle), source_(bundle.source()), t_(bundle.tables()), out_(out) {}

  void Run() {
    for (size_t bit = 0; bit < t_.rule_at.size(); ++bit) {
      if (t_.rule_at[bit] >= 0) CheckRule(bit);
    }
    CheckTypes();
    CheckGrounds();
    CheckOutcomes();
    CheckStatementTerm();
  }

 private:
  const v1::BundleRule& Rule(size_t bit) const { return source_.rules.rules(t_.rule_at[bit]); }

  void Report(Severity severity, const char* kind, const char* file, uint32_t line,
              std::string message) {
    out_->push_back({severity, kind, std::string(file) + ":" + std::to_string(line), message});
  }

  void CheckRule(size_t bit) {
    const v1::BundleRule& rule = Rule(bit);
    const std::vector<Cell> cells = CellsOf(bit);
    const std::string party = PartyProblem(rule);
    if (cells.empty() || !party.empty()) {
      Report(Severity::kError, "rule-never-matches", kRulesFile, rule.source_line(),
             "rule '" + rule.id() + "' can never match: " +
                 (party.empty() ? "no signal type and ground allow what it names" : party));
      return;
    }
    if (rule.effect() != v1::BUNDLE_RULE_EFFECT_PERMIT) return;
    const std::vector<Cell> open = NotShadowed(bit, cells);
    if (open.empty()) {
      Report(Severity::kError, "rule-shadowed", kRulesFile, rule.source_line(),
             "rule '" + rule.id() + "' is shadowed: forbids take all that it permits");
    }
    for (const Cell& cell : open) has_recipient_.insert(cell.type);
    CheckExceptions(rule, cells);
    CheckConsent(rule, cells);
  }

  // What a question that meets the rule can be about.
  std::vector<Cell> CellsOf(size_t bit) const {
    std::vector<Cell> cells;
    for (Code type = 0; type < Size(t_.signal_types); ++type) {
      if (!HasBit(t_.by_type[type], bit)) continue;
      for (Code purpose = 0; purpose < Size(t_.purposes); ++purpose) {
        if (!HasBit(t_.by_purpose[purpose], bit) || !t_.TypeHasPurpose(type, purpose)) continue;
        for (Code category = 0; category < Size(t_.categories); ++category) {
          if (!HasBit(t_.by_category[category], bit) || !t_.TypeHasCategory(type, category)) {
            continue;
          }
          for (Code ground = 0; ground < Size(t_.grounds); ++ground) {
            if (HasBit(t_.by_ground[ground], bit) &&
                SomeSenderMayClaim(bit, ground, type, purpose, category)) {
              cells.push_back({type, purpose, category, ground});
            }
          }
        }
      }
    }
    return cells;
  }

  static Code Size(const CodeIndex& index) { return static_cast<Code>(index.size()); }

  bool SomeSenderMayClaim(size_t bit, Code ground, Code type, Code purpose, Code category) const {
    for (Code sector = 0; sector < Size(t_.sectors); ++sector) {
      if (HasBit(t_.from.by_sector[sector], bit) &&
          t_.GroundHolds(ground, sector, type, purpose, category)) {
        return true;
      }
    }
    return false;
  }

  // Why no sender or recipient can meet the rule; empty when one can.
  std::string PartyProblem(const v1::BundleRule& rule) const {
    for (const auto* party : {&rule.from(), &rule.to()}) {
      if (party->functions().empty()) continue;
      const bool held = std::any_of(t_.holders.begin(), t_.holders.end(), [&](const auto& holder) {
        return MayBe(*party, holder.first, holder.second);
      });
      if (!held) return "nobody in functions.yaml fulfils its functions";
    }
    if (!rule.to().functions().empty() && !AreaCanHold(rule)) {
      return "no holder of its recipient's functions works for so small an area";
    }
    return {};
  }

  static bool Contains(const Strings& list, const std::string& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
  }

  static bool MayBe(const v1::BundleRuleParty& party, const FunctionAtArea& function,
                    const OrganisationId& oin) {
    return Contains(party.functions(), function.function) &&
           (party.organisations().empty() || Contains(party.organisations(), oin.str()));
  }

  // Whether the rule's area relation holds to some holder's area from that area itself.
  bool AreaCanHold(const v1::BundleRule& rule) const {
    for (const auto& [function, oin] : t_.holders) {
      if (!MayBe(rule.to(), function, oin)) continue;
      const Code area = t_.areas.Find(function.area);
      if ((t_.area_mask[area * t_.areas.size() + area] >> rule.area()) & 1) return true;
    }
    return false;
  }

  std::vector<Cell> NotShadowed(size_t permit, const std::vector<Cell>& cells) const {
    std::vector<size_t> wider;
    for (size_t bit = 0; bit < t_.forbid_words * 64; ++bit) {
      if (t_.rule_at[bit] >= 0 && TakesParties(Rule(bit), Rule(permit))) wider.push_back(bit);
    }
    std::vector<Cell> open;
    for (const Cell& cell : cells) {
      const bool taken = std::any_of(wider.begin(), wider.end(), [&](size_t bit) {
        return HasBit(t_.by_type[cell.type], bit) && HasBit(t_.by_purpose[cell.purpose], bit) &&
               HasBit(t_.by_category[cell.category], bit) && HasBit(t_.by_ground[cell.ground], bit);
      });
      if (!taken) open.push_back(cell);
    }
    return open;
  }

  // Whether every sender, recipient, area and case that meets the permit meets the forbid.
  static bool TakesParties(const v1::BundleRule& forbid, const v1::BundleRule& permit) {
    return TakesParty(forbid.from(), permit.from()) && TakesParty(forbid.to(), permit.to()) &&
           TakesArea(forbid.area(), permit.area()) &&
           TakesCase(forbid.case_relation(), permit.case_relation());
  }

  static bool TakesParty(const v1::BundleRuleParty& forbid, const v1::BundleRuleParty& permit) {
    return TakesList(forbid.sectors(), permit.sectors()) &&
           TakesList(forbid.functions(), permit.functions()) &&
           TakesList(forbid.organisations(), permit.organisations());
  }

  static bool TakesList(const Strings& forbid, const Strings& permit) {
    if (forbid.empty()) return true;
    return !permit.empty() && std::all_of(permit.begin(), permit.end(),
                                          [&](const auto& item) { return Contains(forbid, item); });
  }

  void CheckExceptions(const v1::BundleRule& rule, const std::vector<Cell>& cells) {
    std::set<std::pair<Code, Code>> reported;
    for (const Cell& cell : cells) {
      const v1::BundleCategory& category = source_.manifest.categories(cell.category);
      if (!category.special() || !reported.emplace(cell.ground, cell.category).second) continue;
      const v1::BundleGround& ground = source_.grounds.grounds(cell.ground);
      for (const v1::BundleGroundCategory& entry : ground.categories()) {
        if (entry.category() != category.code() || !entry.exception().empty()) continue;
        Report(Severity::kError, "missing-exception", kRulesFile, rule.source_line(),
               "rule '" + rule.id() + "' permits '" + category.code() + "' under '" +
                   ground.code() + "', which names no exception of AVG art. 9(2) or 10 for it");
      }
    }
  }

  void CheckConsent(const v1::BundleRule& rule, const std::vector<Cell>& cells) {
    const bool consent = std::any_of(cells.begin(), cells.end(), [&](const Cell& cell) {
      return t_.ground[cell.ground].consent;
    });
    if (!consent) return;
    for (const auto& [party, role] :
         {std::pair(&rule.from(), "sender"), std::pair(&rule.to(), "recipient")}) {
      if (!MayBePublic(*party)) continue;
      Report(Severity::kWarning, "consent-public-body", kRulesFile, rule.source_line(),
             "rule '" + rule.id() + "' rests on consent while its " + role +
                 " may be a public body; a person is seldom free to refuse one (AVG recital 43)");
    }
  }

  bool MayBePublic(const v1::BundleRuleParty& party) const {
    const Strings& sectors = source_.manifest.public_sectors();
    if (party.sectors().empty()) return !sectors.empty();
    return std::any_of(party.sectors().begin(), party.sectors().end(),
                       [&](const auto& sector) { return Contains(sectors, sector); });
  }

  void CheckTypes() {
    for (const v1::BundleSignalType& type : source_.signal_types.signal_types()) {
      CheckStalled(type);
      if (has_recipient_.contains(t_.signal_types.Find(type.code()))) continue;
      Report(Severity::kError, "type-without-recipient", kSignalTypesFile, type.source_line(),
             "no rule lets anybody receive signal type '" + type.code() + "'");
    }
  }

  // When the chain director is to see a waiting signal is for the region to say, type by type.
  void CheckStalled(const v1::BundleSignalType& type) {
    if (type.has_stalled_after()) return;
    const bool never = ToMillis(type.expires_max()) <= bundle_.StalledAfter(type.code());
    Report(Severity::kWarning, "stalled-unsaid", kSignalTypesFile, type.source_line(),
           "signal type '" + type.code() + "' does not say stalled_after, so 7d is taken: " +
               (never ? "it expires before that, so it never counts as stalled"
                      : "is that how long one may wait before the chain director sees it?"));
  }

  void CheckGrounds() {
    for (const v1::BundleGround& ground : source_.grounds.grounds()) {
      if (ground.kind() == v1::BUNDLE_GROUND_KIND_CONSENT || !ground.article().empty()) continue;
      Report(Severity::kError, "ground-without-article", kGroundsFile, ground.source_line(),
             "statutory ground '" + ground.code() + "' names no article");
    }
  }

  void CheckOutcomes() {
    std::set<std::string> reported;
    for (const v1::BundleSignalType& type : source_.signal_types.signal_types()) {
      for (const std::string& code : bundle_.OutcomesOf(type.code())) reported.insert(code);
    }
    for (const v1::BundleCode& outcome : source_.manifest.outcomes()) {
      if (reported.contains(outcome.code())) continue;
      Report(Severity::kWarning, "outcome-never-reported", kManifestFile, outcome.source_line(),
             "no signal type has outcome '" + outcome.code() + "'");
    }
  }

  // A decision is recomputed from the statements that it relied on.
  void CheckStatementTerm() {
    const Millis statements = StatementTerm(bundle_).keep;
    for (const v1::BundleSignalType& type : source_.signal_types.signal_types()) {
      Millis longest{0};
      for (const auto kind : {v1::RECORD_KIND_PUBLISH, v1::RECORD_KIND_DELIVERY}) {
        const Millis record = RecordTerm(bundle_, kind, type.code())->keep;
        const auto detail = DetailTerm(bundle_, kind);
        longest = std::max(longest, detail ? std::min(detail->keep, record) : record);
      }
      if (longest <= statements) continue;
      Report(Severity::kWarning, "statements-too-short", kManifestFile, 1,
             "retention.statements is shorter than the details of decisions on '" + type.code() +
                 "' are kept: in between, decisions that rested on consent can't be recomputed");
    }
  }

  const CompiledBundle& bundle_;
  const Bundle& source_;
  const Tables& t_;
  std::vector<Finding>* out_;
  std::set<Code> has_recipient_;
};

// File and line of a place, for sorting.
std::pair<std::string, int> PlaceOf(const Finding& finding) {
  const size_t colon = finding.place.rfind(':');
  int line = 0;
  if (colon != std::string::npos) {
    const char* end = finding.place.data() + finding.place.size();
    std::from_chars(finding.place.data() + colon + 1, end, line);
  }
  return {finding.place.substr(0, colon), line};
}

}  // namespace

std::vector<Finding> CheckBundle(const BundleFiles& files) {
  std::vector<Finding> findings;
  std::vector<Error> problems;
  std::shared_ptr<const CompiledBundle> compiled;
  if (const auto bundle = ParseBundle(files, &problems)) compiled = Compile(*bundle, &problems);
  for (const Error& problem : problems) {
    const char* kind = problem.reason == "UNKNOWN_CODE" ? "unknown-code" : "invalid";
    findings.push_back({Severity::kError, kind, problem.field, problem.message});
  }
  if (compiled) Checker(*compiled, &findings).Run();
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return PlaceOf(a) < PlaceOf(b); });
  return findings;
}

bool HasErrors(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& f) { return f.severity == Severity::kError; });
}

}  // namespace schakel::policy
