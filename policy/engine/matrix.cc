#include "policy/engine/matrix.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "policy/engine/matrix_draft.h"
#include "policy/engine/rule_terms.h"
#include "policy/engine/tables.h"

namespace schakel::policy {
namespace {

using Strings = google::protobuf::RepeatedPtrField<std::string>;

// What a row is about, in numbers.
struct Cell {
  Code type, category, ground;
  bool operator<(const Cell& o) const {
    return std::tie(type, category, ground) < std::tie(o.type, o.category, o.ground);
  }
};

bool Contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

bool ContainsAll(const std::vector<std::string>& list, const std::vector<std::string>& items) {
  return std::all_of(items.begin(), items.end(),
                     [&](const auto& item) { return Contains(list, item); });
}

bool PartyCovers(const MatrixParty& wide, const MatrixParty& narrow) {
  return ContainsAll(wide.sectors, narrow.sectors) &&
         (wide.function.empty() || wide.function == narrow.function) &&
         (wide.organisation.empty() || wide.organisation == narrow.organisation);
}

// Whether every exchange of `later` is one of `earlier` too; both of one cell.
bool RowCovers(const MatrixRow& earlier, const MatrixRow& later) {
  // For a shielded subject only a rule that names the recipient counts.
  const bool names =
      later.recipient.organisation.empty() || !earlier.recipient.organisation.empty();
  return names && ContainsAll(earlier.purposes, later.purposes) &&
         PartyCovers(earlier.sender, later.sender) &&
         PartyCovers(earlier.recipient, later.recipient) && TakesArea(earlier.area, later.area) &&
         TakesCase(earlier.case_relation, later.case_relation) &&
         ContainsAll(later.except, earlier.except);
}

class Builder {
 public:
  explicit Builder(const CompiledBundle& bundle)
      : bundle_(bundle), source_(bundle.source()), t_(bundle.tables()) {}

  std::vector<MatrixRow> Run() {
    for (size_t bit = t_.forbid_words * 64; bit < t_.rule_at.size(); ++bit) {
      if (t_.rule_at[bit] >= 0) AddRule(bit);
    }
    return std::move(rows_);
  }

 private:
  static Code Size(const CodeIndex& index) { return static_cast<Code>(index.size()); }

  void AddRule(size_t bit) {
    for (Code type = 0; type < Size(t_.signal_types); ++type) {
      if (!HasBit(t_.by_type[type], bit)) continue;
      for (Code category = 0; category < Size(t_.categories); ++category) {
        if (!HasBit(t_.by_category[category], bit) || !t_.TypeHasCategory(type, category)) continue;
        for (Code ground = 0; ground < Size(t_.grounds); ++ground) {
          if (HasBit(t_.by_ground[ground], bit)) AddCell(bit, {type, category, ground});
        }
      }
    }
  }

  // The kinds of party that a rule's `from` or `to` names; `allowed`: which sectors may be meant.
  std::vector<DraftParty> PartiesOf(const v1::BundleRuleParty& rule, const SideColumns& side,
                                    size_t bit, const std::vector<uint8_t>* allowed) const {
    DraftParty all;
    all.names_sectors = !rule.sectors().empty();
    for (Code sector = 0; sector < Size(t_.sectors); ++sector) {
      all.sectors.push_back(HasBit(side.by_sector[sector], bit) &&
                            (allowed == nullptr || (*allowed)[sector]));
    }
    const std::vector<std::string> functions = OrNone(rule.functions());
    const std::vector<std::string> organisations = OrNone(rule.organisations());
    std::vector<DraftParty> parties;
    for (const std::string& function : functions) {
      for (const std::string& organisation : organisations) {
        all.function = function;
        all.organisation = organisation;
        const bool by_sector = all.names_sectors && function.empty() && organisation.empty();
        if (!by_sector) {
          if (all.Possible()) parties.push_back(all);
          continue;
        }
        for (size_t sector = 0; sector < all.sectors.size(); ++sector) {
          if (!all.sectors[sector]) continue;
          DraftParty one = all;
          std::fill(one.sectors.begin(), one.sectors.end(), 0);
          one.sectors[sector] = 1;
          parties.push_back(std::move(one));
        }
      }
    }
    return parties;
  }

  static std::vector<std::string> OrNone(const Strings& codes) {
    if (codes.empty()) return {""};
    return {codes.begin(), codes.end()};
  }

  void AddCell(size_t bit, const Cell& cell) {
    const v1::BundleRule& rule = source_.rules.rules(t_.rule_at[bit]);
    const GroundTable& ground = t_.ground[cell.ground];
    if (!ground.signal_types[cell.type] || !ground.categories[cell.category]) return;
    for (const DraftParty& sender : PartiesOf(rule.from(), t_.from, bit, &ground.sectors)) {
      for (const DraftParty& recipient : PartiesOf(rule.to(), t_.to, bit, nullptr)) {
        AddDraft(bit, cell, {sender, recipient, rule.area(), rule.case_relation(), {}});
      }
    }
  }

  // Purposes for which the same is left stand in one row.
  void AddDraft(size_t bit, const Cell& cell, const Draft& draft) {
    std::vector<std::pair<Draft, std::vector<std::string>>> left;
    for (Code purpose = 0; purpose < Size(t_.purposes); ++purpose) {
      if (!HasBit(t_.by_purpose[purpose], bit) || !t_.TypeHasPurpose(cell.type, purpose) ||
          !t_.ground[cell.ground].purposes[purpose]) {
        continue;
      }
      Draft mine = draft;
      if (!mine.TakeAway(ForbidsOf(cell, purpose), t_.sectors)) continue;
      const auto same = std::find_if(left.begin(), left.end(),
                                     [&](const auto& other) { return other.first == mine; });
      const std::string& code = t_.purposes.code(purpose);
      if (same == left.end()) {
        left.push_back({std::move(mine), {code}});
      } else {
        same->second.push_back(code);
      }
    }
    for (auto& [mine, purposes] : left) AddRow(bit, cell, mine, std::move(purposes));
  }

  std::vector<const v1::BundleRule*> ForbidsOf(const Cell& cell, Code purpose) const {
    std::vector<const v1::BundleRule*> forbids;
    for (size_t bit = 0; bit < t_.forbid_words * 64; ++bit) {
      if (t_.rule_at[bit] >= 0 && HasBit(t_.by_type[cell.type], bit) &&
          HasBit(t_.by_purpose[purpose], bit) && HasBit(t_.by_category[cell.category], bit) &&
          HasBit(t_.by_ground[cell.ground], bit)) {
        forbids.push_back(&source_.rules.rules(t_.rule_at[bit]));
      }
    }
    return forbids;
  }

  MatrixParty PartyOf(const DraftParty& draft) const {
    MatrixParty party;
    for (size_t i = 0; i < draft.sectors.size(); ++i) {
      if (draft.sectors[i]) party.sectors.push_back(t_.sectors.code(i));
    }
    party.any_sector = party.sectors.size() == t_.sectors.size();
    party.names_sectors = draft.names_sectors;
    party.function = draft.function;
    party.organisation = draft.organisation;
    return party;
  }

  void AddRow(size_t bit, const Cell& cell, const Draft& draft, std::vector<std::string> purposes) {
    const auto place = static_cast<size_t>(t_.rule_at[bit]);
    const v1::BundleGround& ground = source_.grounds.grounds(cell.ground);
    MatrixRow row;
    row.sender = PartyOf(draft.sender);
    row.recipient = PartyOf(draft.recipient);
    row.signal_type = t_.signal_types.code(cell.type);
    row.category = t_.categories.code(cell.category);
    row.ground = ground.code();
    row.purposes = std::move(purposes);
    row.conditions.assign(ground.conditions().begin(), ground.conditions().end());
    row.bsn_authority = t_.category_kind[cell.category] == v1::BUNDLE_CATEGORY_KIND_IDENTITY_BSN;
    row.nobody = t_.ground[cell.ground].nobody;
    row.consent = t_.ground[cell.ground].consent;
    row.objection = t_.ground[cell.ground].objection;
    row.area = std::max(draft.area, v1::BUNDLE_AREA_RELATION_ANY);
    row.case_relation = std::max(draft.case_relation, v1::BUNDLE_CASE_RELATION_ANY);
    if (t_.obliges[place]) row.obligations = t_.obligations[place];
    row.except = draft.except;
    row.rule = source_.rules.rules(static_cast<int>(place)).id();
    auto& same_cell = by_cell_[cell];
    const bool covered = std::any_of(same_cell.begin(), same_cell.end(), [&](size_t earlier) {
      return RowCovers(rows_[earlier], row);
    });
    if (covered) return;
    same_cell.push_back(rows_.size());
    rows_.push_back(std::move(row));
  }

  const CompiledBundle& bundle_;
  const Bundle& source_;
  const Tables& t_;
  std::vector<MatrixRow> rows_;
  std::map<Cell, std::vector<size_t>> by_cell_;  // places in rows_
};

// Whether a party of a row may be the one that a filter names.
bool Fits(const CompiledBundle& bundle, const MatrixParty& party, const std::string& name) {
  const bool plain = party.function.empty() && party.organisation.empty();
  const bool anybody = plain && party.any_sector;
  if (const auto oin = OrganisationId::From(name)) {
    if (!party.organisation.empty()) return party.organisation == name;
    const auto held = bundle.FunctionsOf(*oin);
    return anybody || std::any_of(held.begin(), held.end(), [&](const FunctionAtArea& f) {
             return f.function == party.function;
           });
  }
  const bool by_sector = (plain || party.names_sectors) && Contains(party.sectors, name);
  return by_sector || party.function == name || (anybody && bundle.KnowsFunction(name));
}

bool FitsOne(const CompiledBundle& bundle, const MatrixParty& party,
             const std::vector<std::string>& names) {
  return names.empty() || std::any_of(names.begin(), names.end(), [&](const std::string& name) {
           return Fits(bundle, party, name);
         });
}

}  // namespace

std::vector<MatrixRow> Matrix(const CompiledBundle& bundle, const MatrixFilter& filter) {
  std::vector<MatrixRow> rows = Builder(bundle).Run();
  const auto left_out = [&](const MatrixRow& row) {
    return !FitsOne(bundle, row.sender, filter.senders) ||
           !FitsOne(bundle, row.recipient, filter.recipients) ||
           (!filter.signal_types.empty() && !Contains(filter.signal_types, row.signal_type));
  };
  rows.erase(std::remove_if(rows.begin(), rows.end(), left_out), rows.end());
  return rows;
}

std::vector<std::string> UnknownNames(const CompiledBundle& bundle, const MatrixFilter& filter) {
  std::vector<std::string> unknown;
  for (const auto* parties : {&filter.senders, &filter.recipients}) {
    for (const std::string& name : *parties) {
      const bool known = bundle.KnowsSector(name) || bundle.KnowsFunction(name) ||
                         OrganisationId::From(name).has_value();
      if (!known) unknown.push_back(name);
    }
  }
  for (const std::string& type : filter.signal_types) {
    if (bundle.FindSignalType(type) == nullptr) unknown.push_back(type);
  }
  return unknown;
}

}  // namespace schakel::policy
