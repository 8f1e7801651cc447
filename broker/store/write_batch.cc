#include "broker/store/write_batch.h"

#include <algorithm>
#include <utility>

#include "broker/base/check.h"

namespace schakel::store {
namespace {

// Mark, family and the two lengths of an operation in the log on disk, rounded up.
constexpr size_t kBytesPerOperation = 16;

size_t PointBytes(const Bytes& key, const std::optional<Bytes>& value) {
  return key.size() + (value ? value->size() : 0) + kBytesPerOperation;
}

size_t RangeBytes(const Bytes& begin, const Bytes& end) {
  return begin.size() + end.size() + kBytesPerOperation;
}

}  // namespace

void Batch::SetPoint(Family family, Bytes key, std::optional<Bytes> value) {
  Points& points = parts_[FamilyIndex(family)].points;
  bytes_ += PointBytes(key, value);
  const auto [it, added] = points.try_emplace(std::move(key));
  if (!added) bytes_ -= PointBytes(it->first, it->second);
  it->second = std::move(value);
}

void Batch::Put(Family family, Bytes key, Bytes value) {
  SetPoint(family, std::move(key), std::move(value));
}

void Batch::Delete(Family family, Bytes key) { SetPoint(family, std::move(key), std::nullopt); }

void Batch::DeleteRange(Family family, Bytes begin, Bytes end) {
  SCHAKEL_CHECK(begin < end, "a range to delete has its begin before its end");
  SCHAKEL_CHECK(family == Family::kHot || family == Family::kContent || family == Family::kLocal,
                "I8: records, tiles and versions are not deleted by ranges");
  Part& part = parts_[FamilyIndex(family)];
  const auto first = part.points.lower_bound(begin);
  const auto last = part.points.lower_bound(end);
  for (auto it = first; it != last; ++it) bytes_ -= PointBytes(it->first, it->second);
  part.points.erase(first, last);

  // Joins all ranges that overlap or touch the new one.
  auto it = part.ranges.upper_bound(begin);
  if (it != part.ranges.begin() && std::prev(it)->second >= begin) --it;
  while (it != part.ranges.end() && it->first <= end) {
    begin = std::min(begin, it->first);
    end = std::max(end, it->second);
    bytes_ -= RangeBytes(it->first, it->second);
    it = part.ranges.erase(it);
  }
  bytes_ += RangeBytes(begin, end);
  part.ranges.emplace(std::move(begin), std::move(end));
}

void Batch::Append(Batch later) {
  if (empty()) {
    *this = std::move(later);
    return;
  }
  for (const Family family : kFamilies) {
    Part& part = later.parts_[FamilyIndex(family)];
    for (auto& [begin, end] : part.ranges) DeleteRange(family, begin, std::move(end));
    while (!part.points.empty()) {
      auto node = part.points.extract(part.points.begin());
      SetPoint(family, std::move(node.key()), std::move(node.mapped()));
    }
  }
}

void Batch::Clear() { *this = Batch(); }

Batch::Found Batch::Find(Family family, BytesView key) const {
  const Part& part = parts_[FamilyIndex(family)];
  if (const auto it = part.points.find(key); it != part.points.end()) {
    return {true, it->second ? &*it->second : nullptr};
  }
  return {RangeCovers(family, key), nullptr};
}

bool Batch::RangeCovers(Family family, BytesView key) const {
  const Ranges& all = ranges(family);
  auto it = all.upper_bound(key);
  return it != all.begin() && key < (--it)->second;
}

size_t Batch::operations() const {
  size_t count = 0;
  for (const Part& part : parts_) count += part.points.size() + part.ranges.size();
  return count;
}

bool Batch::OnlyLocal() const {
  return std::all_of(kFamilies.begin(), kFamilies.end(), [this](Family family) {
    return !IsState(family) || (points(family).empty() && ranges(family).empty());
  });
}

}  // namespace schakel::store
