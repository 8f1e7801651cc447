// Step one of a decision: words to numbers.
#include <algorithm>

#include "policy/engine/tables.h"

namespace schakel::policy {
namespace {

void AndWith(Bits* bits, const Bits& other) {
  for (size_t i = 0; i < bits->size(); ++i) (*bits)[i] &= other[i];
}

void OrWith(Bits* bits, const Bits& other) {
  for (size_t i = 0; i < bits->size(); ++i) (*bits)[i] |= other[i];
}

// Rules of one side that a party matches. `functions`: in which it takes part.
Bits SideBits(const Tables& t, const SideColumns& side, const InternedParty& party,
              std::span<const InternedParty::FunctionArea> functions) {
  Bits bits = side.any_function;
  for (const auto& held : functions) {
    if (held.function != kUnknown) OrWith(&bits, side.by_function[held.function]);
  }
  if (party.sector == kUnknown) return Bits(t.words, 0);
  AndWith(&bits, side.by_sector[party.sector]);
  const auto named = side.by_organisation.find(party.oin);
  AndWith(&bits, named == side.by_organisation.end() ? side.any_organisation : named->second);
  return bits;
}

InternedStatement::Axis InternAxis(const Tables& t, const PartyAxis& axis) {
  InternedStatement::Axis out;
  out.level = axis.level;
  if (axis.level == PartyAxisLevel::kSector) out.code = t.sectors.Find(axis.value);
  if (axis.level == PartyAxisLevel::kFunction) {
    const size_t at = axis.value.find('@');
    out.code = t.functions.Find(std::string_view(axis.value).substr(0, at));
    out.has_area = at != std::string::npos;
    if (out.has_area) out.area = t.areas.Find(std::string_view(axis.value).substr(at + 1));
  }
  if (axis.level == PartyAxisLevel::kOrganisation) {
    const auto oin = OrganisationId::From(axis.value);
    // No organisation has this number.
    out.oin = oin ? ToNumber(*oin) : OinNumber{~uint64_t{0}, ~uint64_t{0}};
  }
  return out;
}

}  // namespace

OinNumber ToNumber(const OrganisationId& oin) {
  OinNumber out{};
  for (size_t i = 0; i < 20; ++i) {
    out[i / 10] = out[i / 10] * 10 + static_cast<uint64_t>(oin.str()[i] - '0');
  }
  return out;
}

Bits Tables::SenderBits(const InternedParty& sender) const {
  return SideBits(*this, from, sender, sender.functions);
}

Bits Tables::RecipientBits(const InternedParty& recipient,
                           const std::optional<InternedParty::FunctionArea>& addressed) const {
  if (addressed) return SideBits(*this, to, recipient, std::span(&*addressed, 1));
  return SideBits(*this, to, recipient, recipient.functions);
}

Bits Tables::AreaBits(const InternedParty& sender, const InternedParty& recipient,
                      const std::optional<InternedParty::FunctionArea>& addressed) const {
  const auto targets = addressed ? std::span<const Code>(&addressed->area, 1)
                                 : std::span<const Code>(recipient.areas);
  unsigned mask = 1u << v1::BUNDLE_AREA_RELATION_ANY;
  for (const Code s : sender.areas) {
    for (const Code r : targets) {
      if (s != kUnknown && r != kUnknown) mask |= area_mask[s * areas.size() + r];
    }
  }
  Bits bits(words, 0);
  for (size_t relation = 0; relation < kAreaRelations; ++relation) {
    if ((mask >> relation) & 1) OrWith(&bits, by_area[relation]);
  }
  return bits;
}

ConditionSet CompiledBundle::Conditions(std::span<const std::string> attested) const {
  ConditionSet set = 0;
  for (const std::string& condition : attested) {
    const Code at = tables_->conditions.Find(condition);
    set |= at == kUnknown ? kUnknownCondition : ConditionSet{1} << at;
  }
  return set;
}

InternedParty CompiledBundle::Intern(const Party& party) const {
  InternedParty out;
  out.oin = ToNumber(party.oin);
  out.sector = tables_->sectors.Find(party.sector);
  out.bsn_authority = party.bsn_authority;
  const auto add = [&](const std::vector<FunctionAtArea>& functions) {
    for (const FunctionAtArea& f : functions) {
      const InternedParty::FunctionArea held{tables_->functions.Find(f.function),
                                             tables_->areas.Find(f.area)};
      if (std::find(out.functions.begin(), out.functions.end(), held) == out.functions.end()) {
        out.functions.push_back(held);
      }
    }
  };
  add(party.functions);
  const auto table = tables_->functions_of.find(party.oin.str());
  if (table != tables_->functions_of.end()) add(table->second);
  for (const std::string& area : party.areas) out.areas.push_back(tables_->areas.Find(area));
  out.as_sender = tables_->SenderBits(out);
  return out;
}

InternedStatement CompiledBundle::Intern(const ConsentFact& fact) const {
  InternedStatement out;
  out.kind = fact.kind;
  out.withdrawn = fact.withdrawn_at.has_value();
  out.sender = InternAxis(*tables_, fact.axes.sender);
  out.recipient = InternAxis(*tables_, fact.axes.recipient);
  out.case_id = fact.axes.case_id;
  out.any_category = fact.axes.category.empty();
  out.any_purpose = fact.axes.purpose.empty();
  out.category = Category(fact.axes.category);
  out.purpose = Purpose(fact.axes.purpose);
  out.not_before = fact.not_before;
  out.not_after = fact.not_after;
  return out;
}

Pair CompiledBundle::Meet(const InternedParty& sender, const InternedParty& recipient,
                          const std::optional<FunctionAtArea>& addressed) const {
  Pair pair;
  pair.sender = sender;
  pair.recipient = recipient;
  if (addressed) {
    pair.addressed = InternedParty::FunctionArea{tables_->functions.Find(addressed->function),
                                                 tables_->areas.Find(addressed->area)};
    pair.resolved = pair.addressed->function != kUnknown && pair.addressed->area != kUnknown &&
                    std::find(recipient.functions.begin(), recipient.functions.end(),
                              *pair.addressed) != recipient.functions.end();
  }
  pair.rules = sender.as_sender;
  AndWith(&pair.rules, tables_->RecipientBits(recipient, pair.addressed));
  AndWith(&pair.rules, tables_->AreaBits(sender, recipient, pair.addressed));
  return pair;
}

}  // namespace schakel::policy
