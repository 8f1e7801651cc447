// Which records a reader may open.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "broker/machine/outcome.h"
#include "schakel/v1/record.pb.h"

namespace schakel::query {

// Immutable.
class Scope {
 public:
  // What the machine granted in the command that recorded the look.
  static Scope Of(const machine::QueryGrant& grant);
  // All records before `tree_size`: for the registrar's recomputing.
  static Scope Region(uint64_t tree_size);

  // Whether one of the organisations is the party to the record; always in a region's scope.
  bool Covers(const v1::Record& record) const;
  // Whether records of this party may be read at all.
  bool CoversParty(const std::string& oin) const;

  bool region() const { return region_; }
  const std::set<std::string>& organisations() const { return organisations_; }
  // Records at and after it are out of every scope.
  uint64_t tree_size() const { return tree_size_; }
  // own or region: as the record of the look and the answer say it.
  const char* name() const { return region_ ? "region" : "own"; }

 private:
  bool region_ = false;
  std::set<std::string> organisations_;
  uint64_t tree_size_ = 0;
};

}  // namespace schakel::query
