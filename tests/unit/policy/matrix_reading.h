// How the matrix is read: whether a row speaks of a question. And the two statements and all the
// conditions that let nothing but the parties decide.
#pragma once

#include "policy/engine/matrix.h"
#include "tests/unit/policy/random_bundle.h"

namespace schakel::policy {

inline std::vector<FunctionAtArea> AllFunctions(const CompiledBundle& bundle, const Party& party) {
  std::vector<FunctionAtArea> functions = party.functions;
  for (const auto& f : bundle.FunctionsOf(party.oin)) functions.push_back(f);
  return functions;
}

inline bool IsOf(const MatrixParty& kind, const Party& party,
                 const std::vector<FunctionAtArea>& in) {
  const bool function =
      kind.function.empty() ||
      std::any_of(in.begin(), in.end(), [&](const auto& f) { return f.function == kind.function; });
  return function &&
         std::find(kind.sectors.begin(), kind.sectors.end(), party.sector) != kind.sectors.end() &&
         (kind.organisation.empty() || kind.organisation == party.oin.str());
}

using AreaCheck = bool (*)(v1::BundleAreaRelation, const SectionQuestion&);

inline bool CaseMeets(v1::BundleCaseRelation asked, const SectionQuestion& q) {
  return static_cast<int>(q.case_relation) >= std::max(0, static_cast<int>(asked) - 1);
}

// A question with the matrix's rows that speak of it, in words.
class Reading {
 public:
  Reading(const CompiledBundle& bundle, const SectionQuestion& q, AreaCheck areas)
      : bundle_(bundle), q_(q), areas_(areas) {
    sender_ = AllFunctions(bundle, q.sender);
    recipient_ =
        q.addressed ? std::vector<FunctionAtArea>{*q.addressed} : AllFunctions(bundle, q.recipient);
  }

  bool Covers(const MatrixRow& row) const {
    return row.category == q_.category && row.ground == q_.ground &&
           row.signal_type == q_.signal_type &&
           std::find(row.purposes.begin(), row.purposes.end(), q_.purpose) != row.purposes.end() &&
           IsOf(row.sender, q_.sender, sender_) && IsOf(row.recipient, q_.recipient, recipient_) &&
           (!q_.shielded || !row.recipient.organisation.empty()) && areas_(row.area, q_) &&
           CaseMeets(row.case_relation, q_) &&
           std::none_of(row.except.begin(), row.except.end(),
                        [&](const auto& id) { return Forbids(id); });
  }

  template <typename Rows>
  const MatrixRow* First(const Rows& rows) const {
    for (const auto& row : rows) {
      if (Covers(row)) return &row;
    }
    return nullptr;
  }

 private:
  bool Forbids(const std::string& id) const {
    for (const v1::BundleRule& rule : bundle_.source().rules.rules()) {
      if (rule.id() != id) continue;
      return PartyMeets(rule.from(), q_.sender, sender_) &&
             PartyMeets(rule.to(), q_.recipient, recipient_) && areas_(rule.area(), q_) &&
             CaseMeets(rule.case_relation(), q_);
    }
    ADD_FAILURE() << "no rule " << id;
    return false;
  }

  const CompiledBundle& bundle_;
  const SectionQuestion& q_;
  AreaCheck areas_;
  std::vector<FunctionAtArea> sender_;
  std::vector<FunctionAtArea> recipient_;
};

// Everything that a row may ask for beside its parties is given, so that only parties decide.
inline std::vector<std::string> AllConditions(const CompiledBundle& bundle) {
  std::vector<std::string> all = {"objection-weighed"};
  for (const auto& condition : bundle.source().manifest.conditions()) {
    all.push_back(condition.code());
  }
  return all;
}

inline ConsentFact Statement(StatementKind kind) {
  ConsentFact fact;
  fact.kind = kind;
  fact.not_after = Millis(1);
  return fact;
}

inline const ConsentFact kConsent = Statement(StatementKind::kConsent);
inline const ConsentFact kObjection = Statement(StatementKind::kObjection);

}  // namespace schakel::policy
