#include "broker/custodian/budget.h"

#include <algorithm>

namespace schakel::custodian {
namespace {

using std::chrono::days;

constexpr BytesView kPrefix = "custodian/1/used/";
constexpr size_t kOinBytes = 20;
// LIMIT: some 270,000 years, so that a day in microseconds fits in 64 bits.
constexpr int64_t kDayMax = 100'000'000;

uint32_t DayOf(Micros now) {
  const auto day = std::chrono::floor<days>(now).count();
  return static_cast<uint32_t>(std::clamp<int64_t>(day, 0, kDayMax));
}

Micros StartOf(uint64_t day) { return days(day); }

// First day of the 30 that end with `today`.
uint32_t WindowStart(uint32_t today) { return today >= kWindowDays ? today - kWindowDays + 1 : 0; }

Bytes UsedKey(const OrganisationId& organisation, uint32_t day) {
  ByteWriter key(kPrefix.size() + kOinBytes + 4);
  key.Raw(kPrefix).Raw(organisation.str()).U32(day);
  return key.Take();
}

Bytes UsedValue(uint32_t used) {
  ByteWriter value(4);
  value.U32(used);
  return value.Take();
}

struct UsedEntry {
  OrganisationId organisation;
  uint32_t day;
  uint32_t used;
};

std::optional<UsedEntry> ParseEntry(BytesView key, BytesView value) {
  ByteReader key_reader(key.substr(kPrefix.size()));
  const auto oin = key_reader.Raw(kOinBytes);
  const auto day = key_reader.U32();
  ByteReader value_reader(value);
  const auto used = value_reader.U32();
  if (!key_reader.Done() || !value_reader.Done() || *used == 0) return std::nullopt;
  auto organisation = OrganisationId::From(*oin);
  if (!organisation) return std::nullopt;
  return UsedEntry{std::move(*organisation), *day, *used};
}

// Whether `added` on top of `before` reaches half of `limit` for the first time.
bool ReachesHalf(uint64_t before, uint64_t added, uint64_t limit) {
  return before * 2 < limit && (before + added) * 2 >= limit;
}

}  // namespace

Result<std::unique_ptr<BudgetLedger>> BudgetLedger::Open(const store::StateReader& state) {
  std::unique_ptr<BudgetLedger> ledger(new BudgetLedger());
  bool corrupt = false;
  SCHAKEL_TRY(state.ScanPrefix(store::Family::kHot, kPrefix, [&](BytesView key, BytesView value) {
    auto entry = ParseEntry(key, value);
    if (!entry) {
      corrupt = true;
      return false;
    }
    ledger->used_[entry->organisation][entry->day] = entry->used;
    ledger->latest_day_ = std::max(ledger->latest_day_, entry->day);
    return true;
  }));
  if (corrupt) {
    return MakeError(ErrorCode::kDataLoss, "BUDGETS_CORRUPT",
                     "the store of the budgets holds an entry that is not as it was written");
  }
  return ledger;
}

uint32_t BudgetLedger::Today(Micros now) const { return std::max(DayOf(now), latest_day_); }

uint64_t BudgetLedger::Used(const OrganisationId& organisation, uint32_t first,
                            uint32_t last) const {
  const auto found = used_.find(organisation);
  if (found == used_.end()) return 0;
  uint64_t sum = 0;
  for (auto day = found->second.lower_bound(first);
       day != found->second.end() && day->first <= last; ++day) {
    sum += day->second;
  }
  return sum;
}

uint64_t BudgetLedger::Total(uint32_t day) const {
  uint64_t sum = 0;
  for (const auto& [organisation, days_used] : used_) {
    const auto found = days_used.find(day);
    if (found != days_used.end()) sum += found->second;
  }
  return sum;
}

ChargeOutcome BudgetLedger::Decide(const OrganisationId& organisation, const BudgetLimits& limits,
                                   uint32_t cap_per_day, uint32_t count, uint32_t today) const {
  const uint64_t day_used = Used(organisation, today, today);
  const uint64_t window_used = Used(organisation, WindowStart(today), today);
  const uint64_t total = Total(today);

  ChargeOutcome outcome;
  if (day_used + count > limits.per_day) outcome.exceeded.push_back(BudgetScope::kDay);
  if (window_used + count > limits.per_30_days) outcome.exceeded.push_back(BudgetScope::k30Days);
  if (total + count > cap_per_day) outcome.exceeded.push_back(BudgetScope::kCap);
  outcome.granted = outcome.exceeded.empty();
  if (outcome.granted) {
    if (ReachesHalf(day_used, count, limits.per_day)) {
      outcome.half_used.push_back(BudgetScope::kDay);
    }
    if (ReachesHalf(window_used, count, limits.per_30_days)) {
      outcome.half_used.push_back(BudgetScope::k30Days);
    }
    if (ReachesHalf(total, count, cap_per_day)) outcome.half_used.push_back(BudgetScope::kCap);
    return outcome;
  }

  if (count > limits.per_day || count > limits.per_30_days || count > cap_per_day) return outcome;
  // From tomorrow on the day's budget and the cap are full, so only the window can still lack.
  uint64_t fits = uint64_t{today} + 1;
  while (Used(organisation, WindowStart(static_cast<uint32_t>(fits)), today) + count >
         limits.per_30_days) {
    ++fits;
  }
  outcome.resets_at = StartOf(fits);
  return outcome;
}

Result<ChargeOutcome> BudgetLedger::Charge(const OrganisationId& organisation,
                                           const BudgetLimits& limits, uint32_t cap_per_day,
                                           uint32_t count, Micros now, const CommitCharge& commit) {
  SCHAKEL_CHECK(count > 0, "a charge counts at least one evaluation");
  std::lock_guard charging(charge_mutex_);
  std::unique_lock lock(mutex_);
  const uint32_t today = Today(now);
  ChargeOutcome outcome = Decide(organisation, limits, cap_per_day, count, today);
  if (!outcome.granted) return outcome;

  // A granted charge fits in its budgets, so the sum fits in 32 bits and nothing left is negative.
  const auto used = static_cast<uint32_t>(Used(organisation, today, today) + count);
  store::Batch batch;
  if (today > latest_day_) {
    for (const auto& [other, days_used] : used_) {
      for (auto day = days_used.begin(); day != days_used.end() && day->first < WindowStart(today);
           ++day) {
        batch.Delete(store::Family::kHot, UsedKey(other, day->first));
      }
    }
  }
  batch.Put(store::Family::kHot, UsedKey(organisation, today), UsedValue(used));
  const Remaining left{limits.per_day - Used(organisation, today, today) - count,
                       limits.per_30_days - Used(organisation, WindowStart(today), today) - count};
  lock.unlock();
  SCHAKEL_TRY(commit(std::move(batch), left));
  lock.lock();

  if (today > latest_day_) {
    for (auto entry = used_.begin(); entry != used_.end();) {
      Days& days_used = entry->second;
      days_used.erase(days_used.begin(), days_used.lower_bound(WindowStart(today)));
      entry = days_used.empty() ? used_.erase(entry) : std::next(entry);
    }
    latest_day_ = today;
  }
  used_[organisation][today] = used;
  return outcome;
}

BudgetView BudgetLedger::View(const OrganisationId& organisation, Micros now) const {
  std::lock_guard lock(mutex_);
  const uint32_t today = Today(now);
  return {Used(organisation, today, today), Used(organisation, WindowStart(today), today),
          StartOf(uint64_t{today} + 1)};
}

uint64_t BudgetLedger::TotalToday(Micros now) const {
  std::lock_guard lock(mutex_);
  return Total(Today(now));
}

uint32_t BudgetLedger::DaysBehind(Micros now) const {
  std::lock_guard lock(mutex_);
  return latest_day_ - std::min(latest_day_, DayOf(now));
}

}  // namespace schakel::custodian
