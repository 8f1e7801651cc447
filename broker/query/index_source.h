// Places in the log to look at, ascending: all of a range, or those that query indexes name.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "broker/base/result.h"
#include "broker/store/state_reader.h"

namespace schakel::query {

// Not thread-safe. The state lives as long as the object.
class IndexSource {
 public:
  // Every index in [begin, end).
  static IndexSource All(uint64_t begin, uint64_t end);
  // The indexes in [begin, end) under any of the prefixes of family local
  // (keys::SubjectIndexPrefix, PartyIndexPrefix, SignalIndexPrefix), each once.
  static IndexSource Of(const store::StateReader& state, const std::vector<Bytes>& prefixes,
                        uint64_t begin, uint64_t end);

  // nullopt at the end.
  Result<std::optional<uint64_t>> Next();

 private:
  // One prefix, read ahead in chunks.
  struct Lane {
    Bytes prefix;
    uint64_t from = 0;  // not yet read
    bool begun = false;
    bool over = false;
    std::deque<uint64_t> ahead;
  };
  Status Fill(Lane& lane) const;
  Status Take(Lane& lane, BytesView key, BytesView value) const;

  const store::StateReader* state_ = nullptr;  // null: every index
  uint64_t next_ = 0;
  uint64_t end_ = 0;
  std::vector<Lane> lanes_;
};

// The first index in [begin, end) whose record is not before `time_us`, so that a query by time
// need not read what is older. Destroyed records have no time: where many stand side by side it may
// be an earlier index, behind which everything before is older.
Result<uint64_t> FirstNotBefore(const store::StateReader& state, uint64_t begin, uint64_t end,
                                uint64_t time_us);

}  // namespace schakel::query
