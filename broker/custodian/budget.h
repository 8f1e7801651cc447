// How many evaluations an organisation has left: durable, counted before anything is evaluated,
// never given back. A custodian that lost count would let one member list every person, so whatever
// can't be counted is refused (ARCHITECTURE.md, Pseudonyms). Key on disk: FORMAT.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/limits.h"
#include "broker/base/result.h"
#include "broker/store/state_reader.h"
#include "broker/store/write_batch.h"

namespace schakel::custodian {

// Days of the long window: today and the 29 before it.
inline constexpr uint32_t kWindowDays = 30;

struct BudgetLimits {
  uint32_t per_day = limits::kBudgetPerDayDefault;  // evaluations in a UTC day
  uint32_t per_30_days = limits::kBudgetPer30DaysDefault;
  bool operator==(const BudgetLimits&) const = default;
};

enum class BudgetScope { kDay, k30Days, kCap };

// What is left of an organisation's own budgets.
struct Remaining {
  uint64_t day = 0;
  uint64_t window = 0;  // of the 30 days that end today
};

// What became of a request to evaluate. A refusal is a value: see Result for what failed.
struct ChargeOutcome {
  bool granted = false;
  // Budgets that the request does not fit in; empty when granted.
  std::vector<BudgetScope> exceeded;
  // When the same request fits, if nobody else spends meanwhile; nullopt: it never does, since it
  // is larger than a budget as a whole. Meaningless when granted.
  std::optional<Micros> resets_at;
  // Budgets that this charge brought to half or more for the first time since they were full.
  std::vector<BudgetScope> half_used;
};

struct BudgetView {
  uint64_t day_used = 0;
  uint64_t window_used = 0;  // in the 30 days that end today
  Micros day_resets{};       // next UTC midnight
};

// Writes the changes of a charge, with what tells of it, in one synced write. Durable when it
// returns OK; after an Error it never succeeds again.
using CommitCharge = std::function<Status(store::Batch changes, const Remaining& left)>;

// The counts of all organisations. Thread-safe.
//
// The day that counts is the later of the clock's and the latest one that something was charged to,
// so a clock that goes back gives nothing back.
class BudgetLedger {
 public:
  // Reads the counts. Errors: those of the store; BUDGETS_CORRUPT when a key or value is not as
  // FORMAT.md says.
  static Result<std::unique_ptr<BudgetLedger>> Open(const store::StateReader& state);

  // Counts `count` evaluations for `organisation`, or refuses the whole of it. Durable when it
  // returns granted: `commit` is called once for what is granted, and never for a refusal. Waits
  // for the disk. An Error means that nothing may be evaluated: the count did not reach the disk
  // for certain; after one of them every later charge fails as well. REQUIRES: count > 0
  Result<ChargeOutcome> Charge(const OrganisationId& organisation, const BudgetLimits& limits,
                               uint32_t cap_per_day, uint32_t count, Micros now,
                               const CommitCharge& commit);

  BudgetView View(const OrganisationId& organisation, Micros now) const;
  // Evaluations of all organisations today.
  uint64_t TotalToday(Micros now) const;
  // By how many days the clock is behind the latest day that was charged to; 0 when it is not.
  uint32_t DaysBehind(Micros now) const;

 private:
  // Evaluations by day (days since 1970-01-01 UTC). INVARIANT: as on disk.
  using Days = std::map<uint32_t, uint32_t>;

  BudgetLedger() = default;
  uint32_t Today(Micros now) const;
  uint64_t Used(const OrganisationId& organisation, uint32_t first, uint32_t last) const;
  uint64_t Total(uint32_t day) const;
  ChargeOutcome Decide(const OrganisationId& organisation, const BudgetLimits& limits,
                       uint32_t cap_per_day, uint32_t count, uint32_t today) const;

  std::mutex charge_mutex_;   // held during a charge, also while it is written; taken first
  mutable std::mutex mutex_;  // guards what follows; never held while something is written
  std::map<OrganisationId, Days> used_;
  uint32_t latest_day_ = 0;
};

}  // namespace schakel::custodian
