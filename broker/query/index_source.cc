#include "broker/query/index_source.h"

#include <algorithm>
#include <utility>

#include "broker/machine/keys.h"
#include "broker/machine/party_index.h"
#include "broker/query/reading.h"
#include "schakel/v1/record.pb.h"

namespace schakel::query {

namespace {
// With an entry more: an auditor has at most 257 organisations, so a MiB of indexes.
constexpr size_t kChunk = 256;
}  // namespace

IndexSource IndexSource::All(uint64_t begin, uint64_t end) {
  IndexSource source;
  source.next_ = begin;
  source.end_ = end;
  return source;
}

IndexSource IndexSource::Of(const store::StateReader& state, const std::vector<Bytes>& prefixes,
                            uint64_t begin, uint64_t end) {
  IndexSource source;
  source.state_ = &state;
  source.end_ = end;
  for (const auto& prefix : prefixes) {
    source.lanes_.push_back({.prefix = prefix, .from = begin, .over = begin >= end, .ahead = {}});
  }
  return source;
}

Status IndexSource::Take(Lane& lane, BytesView key, BytesView value) const {
  // Subjects and signals have entries of one index, which read as those of parties do.
  SCHAKEL_ASSIGN(auto indexes, machine::ReadPartyEntry(key, value));
  for (uint64_t index : indexes) {
    if (index >= lane.from && index < end_) lane.ahead.push_back(index);
  }
  return {};
}

Status IndexSource::Fill(Lane& lane) const {
  if (lane.over || !lane.ahead.empty()) return {};
  const Bytes from = lane.prefix + ByteWriter().U64(lane.from).Take();
  Status taken;
  const auto take = [&](BytesView key, BytesView value) {
    taken = Take(lane, key, value);
    return taken.ok() && lane.ahead.size() < kChunk;
  };
  if (!std::exchange(lane.begun, true)) {
    // The entry that begins before may reach into the range.
    SCHAKEL_TRY(state_->ScanReverse(store::Family::kLocal, lane.prefix, from,
                                    [&](BytesView key, BytesView value) {
                                      take(key, value);
                                      return false;
                                    }));
    SCHAKEL_TRY(taken);
  }
  if (lane.ahead.size() < kChunk) {
    SCHAKEL_TRY(state_->Scan(store::Family::kLocal, from,
                             lane.prefix + ByteWriter().U64(end_).Take(), take));
    SCHAKEL_TRY(taken);
  }
  if (lane.ahead.size() < kChunk) lane.over = true;
  if (!lane.ahead.empty()) lane.from = lane.ahead.back() + 1;
  if (lane.from >= end_) lane.over = true;
  return {};
}

Result<std::optional<uint64_t>> IndexSource::Next() {
  if (state_ == nullptr) {
    if (next_ >= end_) return std::optional<uint64_t>();
    return std::optional<uint64_t>(next_++);
  }
  std::optional<uint64_t> lowest;
  for (auto& lane : lanes_) {
    SCHAKEL_TRY(Fill(lane));
    if (!lane.ahead.empty() && (!lowest || lane.ahead.front() < *lowest)) {
      lowest = lane.ahead.front();
    }
  }
  if (!lowest) return lowest;
  for (auto& lane : lanes_) {
    if (!lane.ahead.empty() && lane.ahead.front() == *lowest) lane.ahead.pop_front();
  }
  return lowest;
}

namespace {

// The time of the first record in [index, end) that stands, looking at so many; nullopt when there
// is none among them.
Result<std::optional<uint64_t>> TimeFrom(const store::StateReader& state, uint64_t index,
                                         uint64_t end) {
  constexpr uint64_t kLook = 256;
  end = std::min(end, index + kLook);
  for (; index < end; ++index) {
    SCHAKEL_ASSIGN(auto stored, RecordAt(state, index));
    if (stored.destroyed_us() != 0) continue;
    v1::Record record;
    if (!record.ParseFromString(stored.record())) return Damaged("a stored value is no Record");
    return std::optional<uint64_t>(record.time_us());
  }
  return std::optional<uint64_t>();
}

}  // namespace

Result<uint64_t> FirstNotBefore(const store::StateReader& state, uint64_t begin, uint64_t end,
                                uint64_t time_us) {
  uint64_t low = begin;
  uint64_t high = end;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    SCHAKEL_ASSIGN(auto time, TimeFrom(state, middle, high));
    if (!time) return low;
    if (*time < time_us) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace schakel::query
