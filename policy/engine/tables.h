// The numbers behind a CompiledBundle: code indexes and, for every value of every dimension of a
// rule, a column of bits with one bit a rule. A question's rules are the AND of its columns.
//
// Bits of forbids fill the first `forbid_words` words, bits of permits the rest, each in file
// order.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/engine/compile.h"
#include "policy/engine/decide.h"

namespace schakel::policy {

using Bits = std::vector<uint64_t>;

// A list of codes and the way back.
class CodeIndex {
 public:
  // False when it is there already.
  bool Add(const std::string& code) {
    const bool added = map_.emplace(code, static_cast<Code>(codes_.size())).second;
    if (added) codes_.push_back(code);
    return added;
  }
  Code Find(std::string_view code) const {
    const auto it = map_.find(code);
    return it == map_.end() ? kUnknown : it->second;
  }
  size_t size() const { return codes_.size(); }
  const std::string& code(size_t i) const { return codes_[i]; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  std::unordered_map<std::string, Code, Hash, std::equal_to<>> map_;
  std::vector<std::string> codes_;
};

// An OIN as two numbers of 10 digits.
using OinNumber = std::array<uint64_t, 2>;
OinNumber ToNumber(const OrganisationId& oin);

// What is needed of a ground to decide; indexed by code.
struct GroundTable {
  bool consent = false;
  v1::BundleObjectionEffect objection = v1::BUNDLE_OBJECTION_EFFECT_BLOCKS;
  ConditionSet conditions = 0;
  std::string_view article;
  std::vector<uint8_t> sectors, signal_types, purposes, categories;  // whether it holds for each
};

// The columns of one side of the rules, `from` or `to`.
struct SideColumns {
  Bits any_sector, any_function, any_organisation;  // rules that do not look at it
  std::vector<Bits> by_sector, by_function;         // including those that do not look at it
  std::map<OinNumber, Bits> by_organisation;        // likewise
  Bits names_organisation;                          // rules that name organisations
};

// LIMIT: codes in one list, and organisations that rules name: columns cost a bit per rule each.
inline constexpr size_t kCodesMax = 1000;
inline constexpr size_t kNamedOrganisationsMax = 4096;
// LIMIT: conditions are bits of one number, of which one means unknown and one objection-weighed.
inline constexpr size_t kConditionsMax = 62;

inline constexpr size_t kAreaRelations = 6;  // by value of BundleAreaRelation
inline constexpr ConditionSet kUnknownCondition = ConditionSet{1} << 63;
inline constexpr std::string_view kObjectionWeighed = "objection-weighed";

struct Tables {
  CodeIndex signal_types, purposes, categories, grounds, sectors, functions, areas, conditions;

  size_t forbid_words = 0;
  size_t words = 0;
  std::vector<int> rule_at;  // bit -> place in rules.yaml; -1 for bits that fill up a word
  std::vector<Obligations> obligations;  // by place in rules.yaml
  std::vector<bool> obliges;             // whether there are any

  SideColumns from, to;
  std::vector<Bits> by_type, by_purpose, by_category, by_ground;
  std::array<Bits, kAreaRelations> by_area;  // rules that ask for that relation
  std::array<Bits, 3> by_case;               // by CaseRelation: rules that are content with it

  std::vector<GroundTable> ground;
  std::vector<v1::BundleCategoryKind> category_kind;
  std::vector<uint8_t> type_purpose, type_category;  // [type * size + code]
  std::vector<uint8_t> area_mask;  // [sender's * size + recipient's]: bit r = relation r holds
  ConditionSet objection_weighed = 0;

  std::map<FunctionAtArea, OrganisationId> holders;
  std::map<std::string, std::vector<FunctionAtArea>> functions_of;  // by OIN
  // Dutch and English name.
  std::map<std::pair<CodeKind, std::string>, std::pair<std::string, std::string>> names;
  // What a code is for, likewise; of those that say it.
  std::map<std::pair<CodeKind, std::string>, std::pair<std::string, std::string>> abouts;

  bool TypeHasPurpose(Code type, Code purpose) const {
    return type_purpose[type * purposes.size() + purpose] != 0;
  }
  bool TypeHasCategory(Code type, Code category) const {
    return type_category[type * categories.size() + category] != 0;
  }
  bool GroundHolds(Code ground_code, Code sector, Code type, Code purpose, Code category) const {
    const GroundTable& g = ground[ground_code];
    return g.sectors[sector] && g.signal_types[type] && g.purposes[purpose] &&
           g.categories[category];
  }

  // Rules whose `from` the sender matches.
  Bits SenderBits(const InternedParty& sender) const;
  // Rules whose `to` the recipient matches, in the function by which it was addressed.
  Bits RecipientBits(const InternedParty& recipient,
                     const std::optional<InternedParty::FunctionArea>& addressed) const;
  // Rules whose area relation holds.
  Bits AreaBits(const InternedParty& sender, const InternedParty& recipient,
                const std::optional<InternedParty::FunctionArea>& addressed) const;
};

inline bool HasBit(const Bits& bits, size_t bit) { return (bits[bit / 64] >> (bit % 64)) & 1; }

// Collects problems as `file:line`. Reason UNKNOWN_CODE for codes that are not in their list, else
// BUNDLE_INVALID.
class Problems {
 public:
  explicit Problems(std::vector<Error>* out) : out_(out) {}
  void Invalid(const char* file, uint32_t line, std::string message);
  void Unknown(const char* file, uint32_t line, std::string_view what, std::string_view code);

 private:
  std::vector<Error>* out_;
};

// The stages of filling the tables, in this order.
void BuildCodes(const Bundle& bundle, Tables* t, Problems* problems);      // build_codes.cc
void BuildAreas(const Bundle& bundle, Tables* t, Problems* problems);      // build_areas.cc
void BuildGrounds(const Bundle& bundle, Tables* t, Problems* problems);    // build_codes.cc
void BuildTypes(const Bundle& bundle, Tables* t, Problems* problems);      // build_codes.cc
void BuildFunctions(const Bundle& bundle, Tables* t, Problems* problems);  // build_areas.cc
void BuildRules(const Bundle& bundle, Tables* t, Problems* problems);      // build_rules.cc
void BuildRetention(const Bundle& bundle, Problems* problems);             // retention.cc

}  // namespace schakel::policy
