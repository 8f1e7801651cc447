// How areas lie to each other, and who fulfils which function where.
#include <optional>

#include "policy/engine/tables.h"

namespace schakel::policy {
namespace {

// The relation that asks for a common area of a level.
int RelationOf(v1::BundleAreaLevel level) {
  switch (level) {
    case v1::BUNDLE_AREA_LEVEL_NEIGHBOURHOOD:
      return v1::BUNDLE_AREA_RELATION_SAME_NEIGHBOURHOOD;
    case v1::BUNDLE_AREA_LEVEL_MUNICIPALITY:
      return v1::BUNDLE_AREA_RELATION_SAME_MUNICIPALITY;
    case v1::BUNDLE_AREA_LEVEL_SUBREGION:
      return v1::BUNDLE_AREA_RELATION_SAME_SUBREGION;
    case v1::BUNDLE_AREA_LEVEL_REGION:
      return v1::BUNDLE_AREA_RELATION_SAME_REGION;
    default:
      return v1::BUNDLE_AREA_RELATION_UNSPECIFIED;
  }
}

class AreaTree {
 public:
  AreaTree(const v1::BundleManifest& manifest, const Tables& t) : areas_(manifest.areas()) {
    for (const v1::BundleArea& area : areas_) parent_.push_back(t.areas.Find(area.parent()));
  }

  // Itself and everything in which it lies.
  std::vector<Code> Chain(Code area) const {
    std::vector<Code> chain;
    for (; area != kUnknown; area = parent_[area]) chain.push_back(area);
    return chain;
  }

  bool LiesIn(Code area, Code larger) const {
    for (; area != kUnknown; area = parent_[area]) {
      if (area == larger) return true;
    }
    return false;
  }

  // Which relations hold from a sender in one area to a recipient in another.
  uint8_t Mask(Code sender, Code recipient) const {
    uint8_t mask =
        (1u << v1::BUNDLE_AREA_RELATION_ANY) | (1u << v1::BUNDLE_AREA_RELATION_UNSPECIFIED);
    for (const Code common : Chain(recipient)) {
      // The sender works in that area: within it, or for something larger of which it is a part.
      if (LiesIn(sender, common) || LiesIn(common, sender)) {
        mask = static_cast<uint8_t>(mask | (1u << RelationOf(areas_[common].level())));
      }
    }
    return mask;
  }

 private:
  const google::protobuf::RepeatedPtrField<v1::BundleArea>& areas_;
  std::vector<Code> parent_;
};

bool CheckArea(const v1::BundleArea& area, const v1::BundleManifest& manifest, const Tables& t,
               Problems* problems) {
  if (area.level() == v1::BUNDLE_AREA_LEVEL_REGION) {
    if (area.parent().empty()) return true;
    problems->Invalid(kManifestFile, area.source_line(), "expected a region to have no parent");
    return false;
  }
  const Code parent = t.areas.Find(area.parent());
  if (parent == kUnknown) {
    problems->Unknown(kManifestFile, area.source_line(), "parent area", area.parent());
    return false;
  }
  // Levels grow towards the region, so there can be no circle.
  if (manifest.areas(parent).level() <= area.level()) {
    problems->Invalid(kManifestFile, area.source_line(),
                      "expected area '" + area.code() + "' to lie in an area of a higher level");
    return false;
  }
  return true;
}

}  // namespace

void BuildAreas(const Bundle& bundle, Tables* t, Problems* problems) {
  const v1::BundleManifest& manifest = bundle.manifest;
  // With a duplicate code, places and codes no longer agree; that is reported already.
  bool sound =
      t->areas.size() == static_cast<size_t>(manifest.areas_size()) && t->areas.size() <= kCodesMax;
  for (const v1::BundleArea& area : manifest.areas()) {
    sound = CheckArea(area, manifest, *t, problems) && sound;
  }
  if (!sound) return;
  const AreaTree tree(manifest, *t);
  const auto n = static_cast<Code>(t->areas.size());
  t->area_mask.reserve(static_cast<size_t>(n) * n);
  for (Code sender = 0; sender < n; ++sender) {
    for (Code recipient = 0; recipient < n; ++recipient) {
      t->area_mask.push_back(tree.Mask(sender, recipient));
    }
  }
}

void BuildFunctions(const Bundle& bundle, Tables* t, Problems* problems) {
  for (const v1::BundleFunctionHolder& holder : bundle.functions.functions()) {
    const uint32_t line = holder.source_line();
    const auto function = FunctionAtArea::Parse(holder.function_at_area());
    const auto oin = OrganisationId::From(holder.oin());
    if (!function || !oin) {
      problems->Invalid(kFunctionsFile, line, "expected function@area and an OIN");
      continue;
    }
    if (t->functions.Find(function->function) == kUnknown) {
      problems->Unknown(kFunctionsFile, line, "function", function->function);
    }
    if (t->areas.Find(function->area) == kUnknown) {
      problems->Unknown(kFunctionsFile, line, "area", function->area);
    }
    if (!t->holders.emplace(*function, *oin).second) {
      problems->Invalid(kFunctionsFile, line, "'" + function->str() + "' stands here twice");
    }
    t->functions_of[oin->str()].push_back(*function);
  }
}

}  // namespace schakel::policy
