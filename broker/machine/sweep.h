// The parts of a sweep: what ended by the active bundle's terms, a day ago at least, is destroyed.
//
// Each part looks at a share of what one command may, from where the last one ended, and says
// whether it got to the end: so none holds back another, and within the records no term does.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "broker/machine/context.h"
#include "broker/machine/facts.h"
#include "policy/engine/retention.h"

namespace schakel::machine {

// Whether what had its end, or its moment, at `from_us` may go by a term now.
bool IsDue(const Context& ctx, uint64_t from_us, Millis keep);

// What one sweep destroys, by rule, until its records are written.
class Destruction {
 public:
  // One of `what` (RecordFacts.swept) that went by `rule`.
  void Count(const char* what, v1::RecordKind kind, const std::string& rule);
  // The record at `index`, or its detail alone: `rest` is what remains in the store.
  void CountRecord(uint64_t index, v1::RecordKind kind, const std::string& rule, bool detail_alone,
                   state::v1::StoredRecord rest);
  bool Has(uint64_t index) const { return rests_.contains(index); }
  // LIMIT: no further rule fits into this command's records.
  bool full() const;
  bool empty() const { return groups_.empty(); }

  // INVARIANT I1: a record for each rule and kind, without subjects, signals and cases; then what
  // remains of the destroyed records, which name it.
  void Write(Context& ctx, const policy::CompiledBundle& bundle);

 private:
  using Key = std::tuple<std::string, v1::RecordKind, std::string>;  // what, kind, rule
  struct Group {
    uint64_t count = 0;
    uint64_t first = 0;
    uint64_t end = 0;
  };
  struct Rest {
    Key group;
    state::v1::StoredRecord record;
  };
  std::map<Key, Group> groups_;
  std::map<uint64_t, Rest> rests_;
};

// Each looks at `share` items at most, and returns whether it got to the end.
//
// Records and details. sweep_records.cc
Result<bool> SweepRecords(Context& ctx, const policy::CompiledBundle& bundle, size_t share,
                          state::v1::SweepState* state, Destruction* out);
// Status, feed and what retries need of signals that ended. sweep_signals.cc
Result<bool> SweepSignals(Context& ctx, const policy::CompiledBundle& bundle, size_t share,
                          Destruction* out);
// Consents and objections that ended. sweep_statements.cc
Result<bool> SweepStatements(Context& ctx, const policy::CompiledBundle& bundle, size_t share,
                             Destruction* out);

}  // namespace schakel::machine
