// The parts of StateAt, a file each.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "broker/machine/outcome.h"
#include "broker/query/bundles.h"
#include "broker/query/page_token.h"
#include "broker/query/scope.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/audit.pb.h"

namespace schakel::query {

// What a page of a look at the past is made from.
struct PastPage {
  const store::StateReader& state;
  const Scope& scope;
  machine::Moment moment;
  uint64_t tree_size = 0;  // that the first page saw: what came later is not told of
  uint32_t rows_max = 0;
  Bytes from;  // where it begins, as the page before returned it; empty for the first
};

// The last of versions 1..count of which `had` says that the moment has them; 0 when it has none.
// REQUIRES: it has a beginning of them. `had` gives a Result<bool>.
template <typename Had>
Result<uint64_t> LastVersion(uint64_t count, Had&& had) {
  if (count == 0) return uint64_t{0};
  SCHAKEL_ASSIGN(const bool newest, had(count));
  if (newest) return count;  // mostly
  uint64_t low = 0;
  uint64_t high = count - 1;
  while (low < high) {
    const uint64_t middle = high - (high - low) / 2;
    SCHAKEL_ASSIGN(const bool has, had(middle));
    if (has) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

// The bundle that was active. policy_at.cc
Result<v1::PolicyAt> ActiveAt(const PastPage& page, Bundles& bundles);

// Organisations as they stood, or the one of `oin`; where the next page begins, empty at the end.
// directory_at.cc
Result<Bytes> FillOrganisations(const PastPage& page, const policy::CompiledBundle& bundle,
                                const std::string& oin, v1::GetStateAtResponse* out);

// Statements of the request's subject or recorder; where the next page begins. statements_at.cc
Result<Bytes> FillStatements(const PastPage& page, const v1::GetStateAtRequest& request,
                             v1::GetStateAtResponse* out);

// Sums of what sweeps destroyed, within the limits of a page. swept.cc
class SweptSums {
 public:
  explicit SweptSums(const PastPage& page) : page_(page) {}

  // Adds the sweeps under keys [begin, end) of family local (keys::SweepIndex). Returns the key
  // where there was no more room; empty when it got to the end.
  Result<Bytes> Add(const Bytes& begin, const Bytes& end);
  // Scope own gets no numbers.
  void Fill(v1::GetStateAtResponse* out);

 private:
  using Key = std::tuple<std::string, int, std::string, Bytes>;  // what, kind, rule, bundle

  Status AddOne(uint64_t index, bool* full);

  const PastPage& page_;
  size_t looked_ = 0;
  std::map<Key, v1::SweptSum> sums_;
};
// All that had been destroyed; where the next page begins. swept.cc
Result<Bytes> FillSwept(const PastPage& page, v1::GetStateAtResponse* out);

}  // namespace schakel::query
