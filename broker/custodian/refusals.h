// Refused calls in the log: recorded, but never so many that they drown it. As the broker's denied
// attempts: at most limits::kDeniedRecordsPerMinute records a minute for an organisation and
// reason, then they are counted, and one record tells how many there were. Keys on disk: FORMAT.md.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "broker/custodian/custodian_log.h"

namespace schakel::custodian {

// Thread-safe.
class RefusalCounter {
 public:
  // Reads what an earlier run counted. Both must outlive the object. Errors: those of the store;
  // LOG_REFUSALS_CORRUPT when an entry is not as FORMAT.md says.
  static Result<std::unique_ptr<RefusalCounter>> Open(store::StateStore& store, CustodianLog& log);

  // Records the refusal, or counts it. A record is durable when it returns OK; a count outlives the
  // process, not a power cut.
  Status Refused(const Requester& requester, std::string_view reason, std::string_view rpc,
                 Micros now);
  // Writes the counts of minutes that are over; with `all` also of the running one.
  Status Flush(Micros now, bool all = false);

 private:
  using Key = std::pair<std::string, std::string>;  // OIN, reason
  // Of one minute since 1970.
  struct Count {
    uint64_t minute = 0;
    uint32_t recorded = 0;
    uint64_t suppressed = 0;
  };

  explicit RefusalCounter(CustodianLog& log) : log_(log) {}
  // Forgets the count, and writes its record when it suppressed any.
  Status End(const Key& key, const Count& count, Micros now);

  CustodianLog& log_;
  std::mutex mutex_;             // held while something is written
  std::map<Key, Count> counts_;  // INVARIANT: as in family `local`
};

}  // namespace schakel::custodian
