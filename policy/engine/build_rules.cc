// Rules as columns of bits.
#include <algorithm>
#include <set>
#include <unordered_set>

#include "broker/base/limits.h"
#include "policy/engine/duration.h"
#include "policy/engine/tables.h"

namespace schakel::policy {
namespace {

using Strings = google::protobuf::RepeatedPtrField<std::string>;

void SetBit(Bits* bits, size_t bit) { (*bits)[bit / 64] |= uint64_t{1} << (bit % 64); }

class RuleBuilder {
 public:
  RuleBuilder(const Bundle& bundle, Tables* t, Problems* problems)
      : bundle_(bundle), t_(t), problems_(problems) {}

  void Build() {
    if (bundle_.rules.rules_size() > static_cast<int>(limits::kRulesMax)) {
      problems_->Invalid(kRulesFile, 1,
                         "expected at most " + std::to_string(limits::kRulesMax) + " rules");
      return;
    }
    CollectOrganisations();
    if (organisations_.size() > kNamedOrganisationsMax) {
      problems_->Invalid(kRulesFile, 1,
                         "expected rules to name at most " +
                             std::to_string(kNamedOrganisationsMax) + " organisations");
      return;
    }
    AssignBits();
    MakeColumns();
    for (size_t bit = 0; bit < t_->rule_at.size(); ++bit) {
      if (t_->rule_at[bit] >= 0) AddRule(bundle_.rules.rules(t_->rule_at[bit]), bit);
    }
  }

 private:
  void CollectOrganisations() {
    for (const v1::BundleRule& rule : bundle_.rules.rules()) {
      for (const std::string& oin : rule.from().organisations()) organisations_.insert(oin);
      for (const std::string& oin : rule.to().organisations()) organisations_.insert(oin);
    }
  }

  // Forbids first, so that a decision can stop there.
  void AssignBits() {
    std::unordered_set<std::string_view> ids;
    for (const auto effect : {v1::BUNDLE_RULE_EFFECT_FORBID, v1::BUNDLE_RULE_EFFECT_PERMIT}) {
      for (int i = 0; i < bundle_.rules.rules_size(); ++i) {
        const v1::BundleRule& rule = bundle_.rules.rules(i);
        if (rule.effect() != effect) continue;
        t_->rule_at.push_back(i);
        if (!ids.insert(rule.id()).second) {
          problems_->Invalid(kRulesFile, rule.source_line(),
                             "rule '" + rule.id() + "' stands here twice");
        }
      }
      while (t_->rule_at.size() % 64 != 0) t_->rule_at.push_back(-1);
      if (effect == v1::BUNDLE_RULE_EFFECT_FORBID) t_->forbid_words = t_->rule_at.size() / 64;
    }
    t_->words = t_->rule_at.size() / 64;
  }

  void MakeColumns() {
    const Bits none(t_->words, 0);
    for (SideColumns* side : {&t_->from, &t_->to}) {
      side->any_sector = side->any_function = side->any_organisation = none;
      side->names_organisation = none;
      side->by_sector.assign(t_->sectors.size(), none);
      side->by_function.assign(t_->functions.size(), none);
      for (const std::string& oin : organisations_) {
        if (const auto id = OrganisationId::From(oin)) {
          side->by_organisation.emplace(ToNumber(*id), none);
        }
      }
    }
    t_->by_type.assign(t_->signal_types.size(), none);
    t_->by_purpose.assign(t_->purposes.size(), none);
    t_->by_category.assign(t_->categories.size(), none);
    t_->by_ground.assign(t_->grounds.size(), none);
    t_->by_area.fill(none);
    t_->by_case.fill(none);
    t_->obligations.resize(bundle_.rules.rules_size());
    t_->obliges.resize(bundle_.rules.rules_size());
  }

  void AddRule(const v1::BundleRule& rule, size_t bit) {
    AddParty(rule, rule.from(), &t_->from, bit);
    AddParty(rule, rule.to(), &t_->to, bit);
    AddCodes(rule, rule.signal_types(), t_->signal_types, "signal type", &t_->by_type, bit);
    AddCodes(rule, rule.purposes(), t_->purposes, "purpose", &t_->by_purpose, bit);
    AddCodes(rule, rule.grounds(), t_->grounds, "ground", &t_->by_ground, bit);
    AddCategories(rule, bit);
    const auto area = rule.area() == v1::BUNDLE_AREA_RELATION_UNSPECIFIED
                          ? v1::BUNDLE_AREA_RELATION_ANY
                          : rule.area();
    SetBit(&t_->by_area[area], bit);
    AddCase(rule, bit);
    AddObligations(rule, static_cast<size_t>(t_->rule_at[bit]));
  }

  void AddParty(const v1::BundleRule& rule, const v1::BundleRuleParty& party, SideColumns* side,
                size_t bit) {
    AddCodes(rule, party.sectors(), t_->sectors, "sector", &side->by_sector, bit);
    if (party.sectors().empty()) SetBit(&side->any_sector, bit);
    AddCodes(rule, party.functions(), t_->functions, "function", &side->by_function, bit);
    if (party.functions().empty()) SetBit(&side->any_function, bit);
    if (party.organisations().empty()) {
      SetBit(&side->any_organisation, bit);
      for (auto& [oin, column] : side->by_organisation) SetBit(&column, bit);
      return;
    }
    SetBit(&side->names_organisation, bit);
    for (const std::string& oin : party.organisations()) {
      if (const auto id = OrganisationId::From(oin)) {
        SetBit(&side->by_organisation.at(ToNumber(*id)), bit);
      }
    }
  }

  void AddCodes(const v1::BundleRule& rule, const Strings& codes, const CodeIndex& index,
                std::string_view what, std::vector<Bits>* columns, size_t bit) {
    if (codes.empty()) {
      for (Bits& column : *columns) SetBit(&column, bit);
    }
    for (const std::string& code : codes) {
      const Code at = index.Find(code);
      if (at == kUnknown) {
        problems_->Unknown(kRulesFile, rule.source_line(), what, code);
      } else {
        SetBit(&(*columns)[at], bit);
      }
    }
  }

  void AddCategories(const v1::BundleRule& rule, size_t bit) {
    if (!rule.categories().empty() || rule.effect() == v1::BUNDLE_RULE_EFFECT_FORBID) {
      AddCodes(rule, rule.categories(), t_->categories, "category", &t_->by_category, bit);
      return;
    }
    // An address goes only where a rule says so in so many words.
    for (size_t i = 0; i < t_->categories.size(); ++i) {
      if (t_->category_kind[i] != v1::BUNDLE_CATEGORY_KIND_IDENTITY_ADDRESS) {
        SetBit(&t_->by_category[i], bit);
      }
    }
  }

  void AddCase(const v1::BundleRule& rule, size_t bit) {
    size_t least = 0;
    if (rule.case_relation() == v1::BUNDLE_CASE_RELATION_NAMED) least = 1;
    if (rule.case_relation() == v1::BUNDLE_CASE_RELATION_PARTICIPANTS) least = 2;
    for (size_t i = least; i < t_->by_case.size(); ++i) SetBit(&t_->by_case[i], bit);
  }

  void AddObligations(const v1::BundleRule& rule, size_t place) {
    if (!rule.has_obligations()) return;
    if (rule.effect() == v1::BUNDLE_RULE_EFFECT_FORBID) {
      problems_->Invalid(kRulesFile, rule.source_line(), "expected no obligations in a forbid");
    }
    const v1::BundleObligations& source = rule.obligations();
    Obligations& out = t_->obligations[place];
    if (source.has_acknowledge_within())
      out.acknowledge_within = ToMillis(source.acknowledge_within());
    if (source.has_retention()) out.retention = ToMillis(source.retention());
    if (source.has_notify_subject_within()) {
      out.notify_subject_within = ToMillis(source.notify_subject_within());
    }
    out.reason_required = source.reason_required();
    t_->obliges[place] = true;
  }

  const Bundle& bundle_;
  Tables* t_;
  Problems* problems_;
  std::set<std::string> organisations_;
};

}  // namespace

void BuildRules(const Bundle& bundle, Tables* t, Problems* problems) {
  RuleBuilder(bundle, t, problems).Build();
}

}  // namespace schakel::policy
