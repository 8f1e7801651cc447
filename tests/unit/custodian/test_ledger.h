// A ledger whose charges go straight into a store, without a log.
#pragma once

#include <memory>

#include "broker/custodian/budget.h"
#include "broker/store/testing/memory_state.h"

namespace schakel::custodian {

class TestLedger {
 public:
  // Fails as BudgetLedger::Open. `store` outlives the object.
  static Result<std::unique_ptr<TestLedger>> Open(store::testing::MemoryState& store) {
    SCHAKEL_ASSIGN(auto ledger, BudgetLedger::Open(store));
    return std::unique_ptr<TestLedger>(new TestLedger(store, std::move(ledger)));
  }

  Result<ChargeOutcome> Charge(const OrganisationId& who, const BudgetLimits& limits, uint32_t cap,
                               uint32_t count, Micros now) {
    return ledger_->Charge(who, limits, cap, count, now,
                           [this](const store::Batch& changes, const Remaining& left) {
                             last_left = left;
                             return store_.Commit(changes, store_.position() + 1);
                           });
  }
  BudgetView View(const OrganisationId& who, Micros now) const { return ledger_->View(who, now); }
  uint64_t TotalToday(Micros now) const { return ledger_->TotalToday(now); }
  uint32_t DaysBehind(Micros now) const { return ledger_->DaysBehind(now); }

  Remaining last_left;  // of the last granted charge

 private:
  TestLedger(store::testing::MemoryState& store, std::unique_ptr<BudgetLedger> ledger)
      : store_(store), ledger_(std::move(ledger)) {}

  store::testing::MemoryState& store_;
  const std::unique_ptr<BudgetLedger> ledger_;
};

}  // namespace schakel::custodian
