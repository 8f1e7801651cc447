#include "broker/custodian/instruments.h"

namespace schakel::custodian {

using transport::LogKey;

std::string_view ScopeName(BudgetScope scope) {
  switch (scope) {
    case BudgetScope::kDay:
      return "day";
    case BudgetScope::k30Days:
      return "30-days";
    case BudgetScope::kCap:
      return "cap";
  }
  return "";
}

Instruments::Instruments(transport::Metrics* metrics, transport::Logger* log)
    : metrics_(metrics),
      log_(log),
      evaluations_(metrics->Counter("schakel_custodian_evaluations_total",
                                    "Elements that were evaluated and charged for. Unit: "
                                    "elements. Do: nothing; its rate is the load.")),
      charge_failures_(metrics->Counter("schakel_custodian_charge_failures_total",
                                        "Charges that did not reach the disk for certain. Unit: "
                                        "charges. Alert: SchakelCustodianChargeFails.")),
      reloads_failed_(metrics->Counter("schakel_custodian_members_reload_failures_total",
                                       "Readings of the members file that found mistakes. Unit: "
                                       "readings. Alert: SchakelMembersFileRefused.")),
      members_(metrics->Gauge("schakel_custodian_members",
                              "Members of the members file. Unit: members. Do: nothing; "
                              "when it falls by itself, look at the file.")),
      members_over_half_(
          metrics->Gauge("schakel_custodian_members_over_half",
                         "Members that used half of a budget or more. Unit: members. "
                         "Alert: SchakelBudgetHalfUsed.")),
      cap_used_(metrics->Gauge("schakel_custodian_cap_used_ratio",
                               "Part of the day's cap over all members that is used. Unit: "
                               "ratio, 0 to 1. Alert: SchakelCustodianCapNear.")),
      members_file_current_(
          metrics->Gauge("schakel_custodian_members_file_current",
                         "1 while the members file that is in use is the newest one. Unit: 0 "
                         "or 1. Alert: SchakelMembersFileRefused.")),
      clock_days_behind_(
          metrics->Gauge("schakel_custodian_clock_days_behind",
                         "Days by which the clock is behind the latest day charged to. Unit: "
                         "days. Alert: SchakelCustodianClockBehind.")),
      log_size_(metrics->Gauge("schakel_custodian_log_size",
                               "Records in the custodian's own log. Unit: "
                               "records. Do: nothing; it grows with each call.")),
      restored_(metrics->Gauge("schakel_custodian_restored",
                               "1 while an old copy of the store is in place: nothing is "
                               "evaluated until schakel-custodian recover was run. Unit: 0 or 1. "
                               "Alert: SchakelCustodianRestored.")),
      log_failures_(metrics->Counter("schakel_custodian_log_failures_total",
                                     "Heads, notes and counts of refusals that could not be "
                                     "written. Unit: failures. Alert: SchakelCustodianLogFails.")) {
  // All series are there from the start, so that an alarm rule sees a rise from 0.
  for (const auto scope : {BudgetScope::kDay, BudgetScope::k30Days, BudgetScope::kCap}) {
    Exhausted(scope);
    Half(scope);
  }
}

prometheus::Counter& Instruments::Exhausted(BudgetScope scope) {
  return metrics_->Counter("schakel_custodian_budget_exhausted_total",
                           "Requests refused since a budget was used up. Unit: requests. Alert: "
                           "SchakelBudgetExhausted.",
                           {{"scope", std::string(ScopeName(scope))}});
}

prometheus::Counter& Instruments::Half(BudgetScope scope) {
  return metrics_->Counter("schakel_custodian_budget_half_used_total",
                           "How often half of a budget was reached. Unit: times. Alert: "
                           "SchakelBudgetHalfUsed.",
                           {{"scope", std::string(ScopeName(scope))}});
}

void Instruments::Evaluated(const OrganisationId& organisation, uint32_t count,
                            BytesView trace_id) {
  evaluations_.Increment(count);
  log_->Info("evaluated", {{LogKey::kOrganisation, organisation.str()},
                           {LogKey::kCount, count},
                           {LogKey::kTraceId, HexEncode(trace_id)}});
}

void Instruments::BudgetExhausted(const OrganisationId& organisation, uint32_t count,
                                  const std::vector<BudgetScope>& scopes, BytesView trace_id) {
  for (const BudgetScope scope : scopes) {
    Exhausted(scope).Increment();
    log_->Warning("budget_exhausted", {{LogKey::kOrganisation, organisation.str()},
                                       {LogKey::kReason, ScopeName(scope)},
                                       {LogKey::kCount, count},
                                       {LogKey::kTraceId, HexEncode(trace_id)}});
  }
}

void Instruments::HalfUsed(const OrganisationId& organisation, BudgetScope scope) {
  Half(scope).Increment();
  log_->Warning("budget_half_used",
                {{LogKey::kOrganisation, organisation.str()}, {LogKey::kReason, ScopeName(scope)}});
}

void Instruments::ChargeFailed(const Error& error) {
  charge_failures_.Increment();
  log_->Failure("charge_failed",
                {{LogKey::kReason, error.reason}, {LogKey::kDetail, error.message}});
}

void Instruments::EvaluationFailed(const Error& error, BytesView trace_id) {
  log_->Failure("evaluation_failed", {{LogKey::kReason, error.reason},
                                      {LogKey::kDetail, error.message},
                                      {LogKey::kTraceId, HexEncode(trace_id)}});
}

void Instruments::MembersRead(const std::vector<Error>& problems) {
  if (problems.empty()) {
    log_->Info("members_read");
    return;
  }
  reloads_failed_.Increment();
  for (const Error& problem : problems) {
    log_->Failure("members_not_read",
                  {{LogKey::kPath, problem.field}, {LogKey::kDetail, problem.message}});
  }
}

void Instruments::RestoredCopy(std::string_view why) {
  log_->Failure("restored_copy", {{LogKey::kDetail, why}});
}

void Instruments::LogFailed(const Error& error) {
  log_failures_.Increment();
  log_->Failure("log_failed", {{LogKey::kReason, error.reason}, {LogKey::kDetail, error.message}});
}

void Instruments::ShowUse(const OrganisationId& organisation, BudgetScope scope, double used) {
  auto shown = uses_.find({organisation, scope});
  if (shown == uses_.end()) {
    // LIMIT: a series only for who reached half of a budget: few, and who must be looked at.
    if (used < 0.5) return;
    auto& gauge = metrics_->Gauge(
        "schakel_custodian_budget_used_ratio",
        "Part of a member's budget that is used, of members that used half of one. Unit: ratio, "
        "0 to 1. Alert: SchakelBudgetHalfUsed.",
        {{"organisation", organisation.str()}, {"scope", std::string(ScopeName(scope))}});
    shown = uses_.emplace(std::pair(organisation, scope), &gauge).first;
  }
  shown->second->Set(used);
}

void Instruments::Show(const Levels& levels) {
  log_size_.Set(static_cast<double>(levels.log_size));
  restored_.Set(levels.restored ? 1 : 0);
  {
    const std::lock_guard lock(uses_mutex_);
    for (const BudgetUse& use : levels.uses) {
      ShowUse(use.organisation, BudgetScope::kDay, use.day);
      ShowUse(use.organisation, BudgetScope::k30Days, use.window);
    }
  }
  members_.Set(static_cast<double>(levels.members));
  members_over_half_.Set(static_cast<double>(levels.members_over_half));
  cap_used_.Set(levels.cap_used);
  members_file_current_.Set(levels.members_file_current ? 1 : 0);
  clock_days_behind_.Set(levels.clock_days_behind);
  if (last_days_behind_.exchange(levels.clock_days_behind) < levels.clock_days_behind) {
    log_->Failure("clock_behind_budgets", {{LogKey::kCount, levels.clock_days_behind}});
  }
}

}  // namespace schakel::custodian
