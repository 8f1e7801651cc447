// Batch: the changes that reach disk together.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>

#include "broker/base/bytes.h"
#include "broker/store/family.h"

namespace schakel::store {

// A set of changes in its net form: for each key the last write, and before them the destroyed
// ranges. Applying a Batch means: first delete its ranges, then do its points. A range that is
// deleted after some of its keys were written in the same batch removes these writes; keys written
// after it stay. Movable and copyable; for one thread at a time, or for many that only read.
class Batch {
 public:
  // Value, or nullopt for a deletion, by key.
  using Points = std::map<Bytes, std::optional<Bytes>, std::less<>>;
  // Disjoint, not touching, [begin, end) by begin.
  using Ranges = std::map<Bytes, Bytes, std::less<>>;

  void Put(Family family, Bytes key, Bytes value);
  void Delete(Family family, Bytes key);
  // Deletes all keys in [begin, end). REQUIRES: begin < end, and family is kHot, kContent or
  // kLocal: what is never destroyed has no ranges.
  void DeleteRange(Family family, Bytes begin, Bytes end);

  // Adds the changes of `later` behind these, so that on the same key they win.
  void Append(Batch later);
  void Clear();

  // What the batch says about a key.
  struct Found {
    bool known = false;            // false: the batch leaves the key as it was
    const Bytes* value = nullptr;  // null: deleted. Valid until the batch changes.
  };
  Found Find(Family family, BytesView key) const;
  // True when a range of the batch destroys `key` (a point may have written it again).
  bool RangeCovers(Family family, BytesView key) const;

  const Points& points(Family family) const { return parts_[FamilyIndex(family)].points; }
  const Ranges& ranges(Family family) const { return parts_[FamilyIndex(family)].ranges; }

  bool empty() const { return operations() == 0; }
  // Points and ranges.
  size_t operations() const;
  // About how many bytes it adds to the log on disk: keys, values and 16 bytes an operation.
  size_t bytes() const { return bytes_; }
  // True when no family of the state is touched.
  bool OnlyLocal() const;

  bool operator==(const Batch&) const = default;

 private:
  struct Part {
    Points points;
    Ranges ranges;
    bool operator==(const Part&) const = default;
  };
  void SetPoint(Family family, Bytes key, std::optional<Bytes> value);

  std::array<Part, kFamilies.size()> parts_;
  size_t bytes_ = 0;
};

}  // namespace schakel::store
