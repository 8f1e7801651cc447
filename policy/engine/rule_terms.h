// How the terms of two rules lie to each other, for what reasons about rules without a question.
#pragma once

#include "schakel/v1/policy_bundle.pb.h"

namespace schakel::policy {

// Whether `wide` holds wherever `narrow` does.
inline bool TakesArea(v1::BundleAreaRelation wide, v1::BundleAreaRelation narrow) {
  if (wide <= v1::BUNDLE_AREA_RELATION_ANY || wide == narrow) return true;
  if (narrow <= v1::BUNDLE_AREA_RELATION_ANY) return false;
  // Not every municipality lies in a subregion, but each lies in the region.
  return wide == v1::BUNDLE_AREA_RELATION_SAME_REGION ||
         (wide == v1::BUNDLE_AREA_RELATION_SAME_MUNICIPALITY &&
          narrow == v1::BUNDLE_AREA_RELATION_SAME_NEIGHBOURHOOD);
}

inline bool TakesCase(v1::BundleCaseRelation wide, v1::BundleCaseRelation narrow) {
  return wide <= v1::BUNDLE_CASE_RELATION_ANY || wide <= narrow;
}

}  // namespace schakel::policy
