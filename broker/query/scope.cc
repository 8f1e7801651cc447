#include "broker/query/scope.h"

namespace schakel::query {

Scope Scope::Of(const machine::QueryGrant& grant) {
  Scope scope;
  scope.region_ = grant.region;
  scope.organisations_.insert(grant.organisations.begin(), grant.organisations.end());
  // The broker's own acts have no party: an empty OIN never opens them.
  scope.organisations_.erase("");
  scope.tree_size_ = grant.tree_size;
  return scope;
}

Scope Scope::Region(uint64_t tree_size) {
  Scope scope;
  scope.region_ = true;
  scope.tree_size_ = tree_size;
  return scope;
}

bool Scope::Covers(const v1::Record& record) const {
  return record.index() < tree_size_ && CoversParty(record.organisation());
}

bool Scope::CoversParty(const std::string& oin) const {
  return region_ || organisations_.count(oin) > 0;
}

}  // namespace schakel::query
