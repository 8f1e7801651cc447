#include "broker/custodian/refusals.h"

#include <optional>
#include <vector>

#include "broker/base/limits.h"

namespace schakel::custodian {
namespace {

using store::Family;

constexpr BytesView kPrefix = "custodian/1/refused/";
constexpr size_t kOinBytes = 20;

uint64_t MinuteOf(Micros now) {
  const auto minutes = std::chrono::floor<std::chrono::minutes>(now).count();
  return minutes < 0 ? 0 : static_cast<uint64_t>(minutes);
}

Bytes KeyOf(const std::string& organisation, const std::string& reason) {
  return Bytes(kPrefix) + organisation + reason;
}

v1::Record DeniedRecord(const std::string& reason, uint64_t count) {
  v1::Record record;
  record.set_kind(v1::RECORD_KIND_DENIED_ATTEMPT);
  record.set_outcome(v1::OUTCOME_DENIED);
  record.set_reason(reason);
  record.mutable_facts()->set_count(count);
  return record;
}

}  // namespace

Result<std::unique_ptr<RefusalCounter>> RefusalCounter::Open(store::StateStore& store,
                                                             CustodianLog& log) {
  std::unique_ptr<RefusalCounter> counter(new RefusalCounter(log));
  bool corrupt = false;
  SCHAKEL_TRY(
      store.durable().ScanPrefix(Family::kLocal, kPrefix, [&](BytesView key, BytesView value) {
        const BytesView rest = key.substr(kPrefix.size());
        ByteReader reader(value);
        const auto minute = reader.U64();
        const auto recorded = reader.U32();
        const auto suppressed = reader.U64();
        corrupt = rest.size() <= kOinBytes || !OrganisationId::From(rest.substr(0, kOinBytes)) ||
                  !reader.Done();
        if (corrupt) return false;
        counter->counts_[{std::string(rest.substr(0, kOinBytes)),
                          std::string(rest.substr(kOinBytes))}] = {*minute, *recorded, *suppressed};
        return true;
      }));
  if (corrupt) {
    return MakeError(ErrorCode::kDataLoss, "LOG_REFUSALS_CORRUPT",
                     "the store holds a count of refusals that is not as it was written");
  }
  return counter;
}

Status RefusalCounter::Refused(const Requester& requester, std::string_view reason,
                               std::string_view rpc, Micros now) {
  const std::lock_guard lock(mutex_);
  const Key key{requester.organisation.str(), std::string(reason)};
  const uint64_t minute = MinuteOf(now);
  auto found = counts_.find(key);
  if (found != counts_.end() && found->second.minute != minute) {
    SCHAKEL_TRY(End(key, found->second, now));
    counts_.erase(found);
    found = counts_.end();
  }
  Count count = found == counts_.end() ? Count{minute, 0, 0} : found->second;
  const bool record_it = count.recorded < limits::kDeniedRecordsPerMinute;
  if (record_it) {
    ++count.recorded;
  } else {
    ++count.suppressed;
  }
  store::Batch batch;
  batch.Put(Family::kLocal, KeyOf(key.first, key.second),
            ByteWriter().U64(count.minute).U32(count.recorded).U64(count.suppressed).Take());
  if (record_it) {
    v1::Record record = RecordAbout(v1::RECORD_KIND_DENIED_ATTEMPT, requester);
    record.MergeFrom(DeniedRecord(key.second, 1));
    record.mutable_facts()->set_rpc(std::string(rpc));
    const auto written = log_.Append(std::move(batch), std::move(record), now);
    if (!written.ok()) return written.error();
  } else {
    SCHAKEL_TRY(log_.CommitLocal(batch));
  }
  counts_[key] = count;
  return {};
}

Status RefusalCounter::End(const Key& key, const Count& count, Micros now) {
  store::Batch batch;
  batch.Delete(Family::kLocal, KeyOf(key.first, key.second));
  if (count.suppressed == 0) return log_.CommitLocal(batch);
  v1::Record record = DeniedRecord(key.second, count.suppressed);
  record.set_organisation(key.first);
  const auto written = log_.Append(std::move(batch), std::move(record), now);
  return written.ok() ? Status() : Status(written.error());
}

Status RefusalCounter::Flush(Micros now, bool all) {
  const std::lock_guard lock(mutex_);
  const uint64_t minute = MinuteOf(now);
  for (auto at = counts_.begin(); at != counts_.end();) {
    if (!all && at->second.minute == minute) {
      ++at;
      continue;
    }
    SCHAKEL_TRY(End(at->first, at->second, now));
    at = counts_.erase(at);
  }
  return {};
}

}  // namespace schakel::custodian
