// A row of the matrix before forbids were taken away from it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "policy/engine/tables.h"

namespace schakel::policy {

struct DraftParty {
  std::vector<uint8_t> sectors;  // by sector's code: whether it may be in it
  bool names_sectors = false;
  std::string function;
  std::string organisation;
  // Some party can be of this kind.
  bool Possible() const { return std::count(sectors.begin(), sectors.end(), 1) > 0; }
  bool operator==(const DraftParty&) const = default;
};

struct Draft {
  DraftParty sender;
  DraftParty recipient;
  v1::BundleAreaRelation area = v1::BUNDLE_AREA_RELATION_UNSPECIFIED;
  v1::BundleCaseRelation case_relation = v1::BUNDLE_CASE_RELATION_UNSPECIFIED;
  std::vector<std::string> except;  // forbids that take a part which no list of sectors says
  bool operator==(const Draft&) const = default;

  // Takes away what the forbids take: sectors where that says it, else it notes the exception.
  // False when nothing is left. `sectors`: the bundle's.
  bool TakeAway(const std::vector<const v1::BundleRule*>& forbids, const CodeIndex& sectors);
};

}  // namespace schakel::policy
