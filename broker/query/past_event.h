// One past event of decisions, decided again from what its records' details say.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/machine/decide_signal.h"
#include "broker/query/bundles.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/record.pb.h"

namespace schakel::query {

struct PastRecord {
  v1::Record record;
  v1::Detail detail;
  bool has_detail = false;
};

// What came out for one question of a detail.
struct Redecided {
  v1::Outcome outcome = v1::OUTCOME_DENIED;
  std::string reason;
};

// Not thread-safe. State and bundles live as long as the object.
class PastDecider {
 public:
  // `by`: the bundle to decide by; unset: the one that each record names.
  PastDecider(const store::StateReader& state, Bundles& bundles, std::optional<ActiveBundle> by)
      : state_(state), bundles_(bundles), by_(std::move(by)) {}

  // For each record of the event and each question of its detail, in their order; nullopt when a
  // statement that was looked at has been destroyed by its term.
  // DATA_LOSS when an input that the details name is not in the state.
  // REQUIRES: all records of one publish or delivery event, each with its detail.
  Result<std::optional<std::vector<std::vector<Redecided>>>> Decide(
      const std::vector<PastRecord>& event);

 private:
  Result<state::v1::OrganisationVersion> EntryAt(const std::string& oin, uint64_t version);
  // nullopt as Decide says.
  Result<std::optional<machine::SubjectStatements>> StatementsAt(
      const policy::CompiledBundle& bundle, const v1::Detail& detail) const;
  Status DecideRecipient(const std::vector<PastRecord>& event,
                         const machine::SignalQuestion& question, uint32_t place,
                         std::vector<std::vector<Redecided>>* out);

  const store::StateReader& state_;
  Bundles& bundles_;
  const std::optional<ActiveBundle> by_;
  machine::Facts facts_;
};

}  // namespace schakel::query
