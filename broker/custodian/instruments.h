// What a custodian tells its operator: metrics and log events. Organisations and counts only; no
// element, no answer. INVARIANT I5.
#pragma once

#include <map>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/custodian/budget.h"
#include "broker/transport/log.h"
#include "broker/transport/metrics.h"

namespace schakel::custodian {

// "day", "30-days" or "cap".
std::string_view ScopeName(BudgetScope scope);

// Thread-safe.
class Instruments {
 public:
  // Both must outlive it.
  Instruments(transport::Metrics* metrics, transport::Logger* log);

  void Evaluated(const OrganisationId& organisation, uint32_t count, BytesView trace_id);
  void BudgetExhausted(const OrganisationId& organisation, uint32_t count,
                       const std::vector<BudgetScope>& scopes, BytesView trace_id);
  // The alarm: half of a budget is used.
  void HalfUsed(const OrganisationId& organisation, BudgetScope scope);
  // A charge that could not be written: nothing is evaluated any more.
  void ChargeFailed(const Error& error);
  void EvaluationFailed(const Error& error, BytesView trace_id);
  // The members file was read again; `problems` is empty when it holds now.
  void MembersRead(const std::vector<Error>& problems);

  // The store was put back to an older state: nothing is evaluated until `recover`.
  void RestoredCopy(std::string_view why);
  // A head or a count of refusals could not be written.
  void LogFailed(const Error& error);

  // Parts of a member's budgets that are used, of 1.
  struct BudgetUse {
    OrganisationId organisation;
    double day = 0;
    double window = 0;  // of 30 days
  };
  // What is looked at each second.
  struct Levels {
    size_t members = 0;
    size_t members_over_half = 0;  // of a day's or of 30 days' budget
    double cap_used = 0;           // of 1
    bool members_file_current = true;
    uint32_t clock_days_behind = 0;
    std::vector<BudgetUse> uses;  // of all members
    uint64_t log_size = 0;
    bool restored = false;
  };
  void Show(const Levels& levels);

 private:
  prometheus::Counter& Exhausted(BudgetScope scope);
  prometheus::Counter& Half(BudgetScope scope);
  void ShowUse(const OrganisationId& organisation, BudgetScope scope, double used);

  transport::Metrics* const metrics_;
  transport::Logger* const log_;
  prometheus::Counter& evaluations_;
  prometheus::Counter& charge_failures_;
  prometheus::Counter& reloads_failed_;
  prometheus::Gauge& members_;
  prometheus::Gauge& members_over_half_;
  prometheus::Gauge& cap_used_;
  prometheus::Gauge& members_file_current_;
  prometheus::Gauge& clock_days_behind_;
  prometheus::Gauge& log_size_;
  prometheus::Gauge& restored_;
  prometheus::Counter& log_failures_;
  std::atomic<uint32_t> last_days_behind_{0};
  std::mutex uses_mutex_;  // guards uses_
  // Series that are shown: of members that used half of a budget since the start.
  std::map<std::pair<OrganisationId, BudgetScope>, prometheus::Gauge*> uses_;
};

}  // namespace schakel::custodian
