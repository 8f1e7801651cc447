// `policy matrix`: who may send what to whom, on what ground, read from the rules, so that a region
// sees at once what it agreed on. It says what Decide() would say: a row is there when, and only
// when, parties of its kind may exchange, given what the row asks for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/engine/compile.h"

namespace schakel::policy {

// A kind of party. An organisation is of this kind when everything that is given holds for it.
struct MatrixParty {
  std::vector<std::string> sectors;  // it is in one of these; never empty
  bool any_sector = false;           // `sectors` holds all of them
  bool names_sectors = false;        // the rule itself says so, not what is left by its ground
  std::string function;              // it fulfils it (as recipient: is addressed in it); or empty
  std::string organisation;          // it has this OIN; or empty
  bool operator==(const MatrixParty&) const = default;
};

// A permit rule, for one kind of sender and recipient, signal type, category and ground.
struct MatrixRow {
  MatrixParty sender;
  MatrixParty recipient;
  std::string signal_type;
  std::string category;
  std::string ground;
  std::vector<std::string> purposes;    // for each of these
  std::vector<std::string> conditions;  // the sender attests all of these
  // Sender and recipient both have BSN authority. (For an unlinked subject the recipient always,
  // unless the row is about nobody.)
  bool bsn_authority = false;
  bool nobody = false;   // for subjects that stand for nobody: unlinked ones only
  bool consent = false;  // a consent in force is needed
  v1::BundleObjectionEffect objection = v1::BUNDLE_OBJECTION_EFFECT_BLOCKS;
  v1::BundleAreaRelation area = v1::BUNDLE_AREA_RELATION_ANY;
  v1::BundleCaseRelation case_relation = v1::BUNDLE_CASE_RELATION_ANY;
  std::optional<Obligations> obligations;
  // Ids of forbids that take some parties of these kinds, by more than their sectors.
  std::vector<std::string> except;
  std::string rule;  // id of the permit
  bool operator==(const MatrixRow&) const = default;
};

// What to leave out; empty lists leave nothing out. A party is named by its sector, function or
// OIN; a row is kept when one of the names fits:
//   sector    rows that need no function or organisation, and those whose rule names the sector
//   function  rows that need it, and those for any party at all
//   OIN       rows that name it, those for a function that it fulfils, and those for any party
struct MatrixFilter {
  std::vector<std::string> senders;
  std::vector<std::string> recipients;
  std::vector<std::string> signal_types;
};

// The rows, in the order of the rules. A row that an earlier one covers wholly is left out: the
// first permit decides. Identity goes only with another section about the same subject (decide.h);
// for a shielded subject only rows count whose recipient is an organisation.
std::vector<MatrixRow> Matrix(const CompiledBundle& bundle, const MatrixFilter& filter);

// The names in a filter that are no sector, function, OIN or signal type of the bundle.
std::vector<std::string> UnknownNames(const CompiledBundle& bundle, const MatrixFilter& filter);

}  // namespace schakel::policy
