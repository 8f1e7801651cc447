// How long things are kept: the terms of a bundle, and which of them holds for what.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/engine/compile.h"
#include "schakel/v1/record.pb.h"

namespace schakel::policy {

// A term, and the key of the bundle that gives it, such as `retention.records.publish` or
// `signal-types.rent-arrears.retention`: the rule by which something is destroyed.
struct Term {
  Millis keep{0};
  std::string rule;
  bool operator==(const Term&) const = default;
};

// The bundle's name of a record kind: RECORD_KIND_DENIED_ATTEMPT -> denied-attempt.
std::string RecordKindCode(v1::RecordKind kind);

// Whether records of the kind stay for good: they name nobody, and tell what became of the rest.
bool StaysForGood(v1::RecordKind kind);

// How long a record is kept, counted from its own moment. Of a signal the term of its type, or the
// one that its kind has by name when that is shorter; of everything else the term of its kind, or
// the default. nullopt for a kind that stays for good.
std::optional<Term> RecordTerm(const CompiledBundle& bundle, v1::RecordKind kind,
                               const std::string& signal_type);
// How long its detail is kept, counted from the same moment; nullopt: as long as the record.
std::optional<Term> DetailTerm(const CompiledBundle& bundle, v1::RecordKind kind);
// How long status, feed and retries of a signal are kept, counted from its end.
Term SignalTerm(const CompiledBundle& bundle, const std::string& signal_type);
// The shortest of these.
Millis ShortestSignalTerm(const CompiledBundle& bundle);
// The shortest term by which anything that leads to a person can go from the log.
Term ShortestPersonTerm(const CompiledBundle& bundle);
// How long statements are kept, counted from their end.
Term StatementTerm(const CompiledBundle& bundle);
// All terms in one line, so that two bundles can be told apart by them alone.
std::string TermsText(const CompiledBundle& bundle);
// Every term that a record or a detail can have, each once, the longest first.
std::vector<Millis> RecordTerms(const CompiledBundle& bundle);

}  // namespace schakel::policy
