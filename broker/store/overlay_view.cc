#include "broker/store/overlay_view.h"

#include <algorithm>

namespace schakel::store {
namespace {

// Walks over the points of one batch within [begin, end), in either direction.
class LayerCursor {
 public:
  LayerCursor(const Batch::Points& points, BytesView begin, BytesView end, bool reverse)
      : first_(points.lower_bound(begin)),
        last_(end.empty() ? points.end() : points.lower_bound(end)),
        reverse_(reverse) {}

  bool valid() const { return first_ != last_; }
  const Batch::Points::value_type& at() const { return reverse_ ? *std::prev(last_) : *first_; }
  void Next() {
    if (reverse_) {
      --last_;
    } else {
      ++first_;
    }
  }

 private:
  Batch::Points::const_iterator first_;
  Batch::Points::const_iterator last_;
  bool reverse_;
};

// The points of a stack of batches as if they were one: per key the newest.
class StackCursor {
 public:
  StackCursor(const std::vector<const Batch*>& layers, Family family, BytesView begin,
              BytesView end, bool reverse)
      : layers_(layers), family_(family), reverse_(reverse) {
    cursors_.reserve(layers.size());
    for (const Batch* layer : layers) {
      cursors_.emplace_back(layer->points(family), begin, end, reverse);
    }
    Settle();
  }

  bool valid() const { return key_ != nullptr; }
  const Bytes& key() const { return *key_; }
  const Bytes* value() const { return value_; }  // null: deleted

  bool Before(BytesView key) const {
    return reverse_ ? BytesView(*key_) > key : BytesView(*key_) < key;
  }

  void Next() {
    const Bytes& done = *key_;
    for (LayerCursor& cursor : cursors_) {
      if (cursor.valid() && cursor.at().first == done) cursor.Next();
    }
    Settle();
  }

 private:
  void Settle() {
    key_ = nullptr;
    value_ = nullptr;
    size_t newest = 0;
    for (size_t i = 0; i < cursors_.size(); ++i) {
      if (!cursors_[i].valid()) continue;
      const Bytes& candidate = cursors_[i].at().first;
      // Strictly before: on a tie the newer layer, seen first, wins.
      if (key_ == nullptr || (reverse_ ? candidate > *key_ : candidate < *key_)) {
        key_ = &candidate;
        newest = i;
      }
    }
    if (key_ == nullptr) return;
    for (size_t i = 0; i < newest; ++i) {
      if (layers_[i]->RangeCovers(family_, *key_)) return;
    }
    const auto& value = cursors_[newest].at().second;
    value_ = value ? &*value : nullptr;
  }

  const std::vector<const Batch*>& layers_;
  const Family family_;
  const bool reverse_;
  std::vector<LayerCursor> cursors_;
  const Bytes* key_ = nullptr;
  const Bytes* value_ = nullptr;
};

Status MergedScan(const StateReader& base, const std::vector<const Batch*>& layers, Family family,
                  BytesView begin, BytesView end, const Visitor& fn, bool reverse) {
  if (!end.empty() && begin >= end) return {};
  const auto scan_base = [&](const Visitor& visitor) {
    return reverse ? base.ScanReverse(family, begin, end, visitor)
                   : base.Scan(family, begin, end, visitor);
  };
  const bool ranges = std::any_of(layers.begin(), layers.end(), [&](const Batch* layer) {
    return !layer->ranges(family).empty();
  });
  StackCursor stack(layers, family, begin, end, reverse);
  if (!stack.valid() && !ranges) return scan_base(fn);

  bool stopped = false;
  // Hands out the stack's current key and moves on.
  const auto take = [&] {
    if (stack.value() != nullptr) stopped = !fn(stack.key(), *stack.value());
    stack.Next();
  };
  SCHAKEL_TRY(scan_base([&](BytesView key, BytesView value) {
    while (!stopped && stack.valid() && stack.Before(key)) take();
    if (stopped) return false;
    if (stack.valid() && stack.key() == key) {
      take();
    } else if (!ranges || std::none_of(layers.begin(), layers.end(), [&](const Batch* layer) {
                 return layer->RangeCovers(family, key);
               })) {
      stopped = !fn(key, value);
    }
    return !stopped;
  }));
  while (!stopped && stack.valid()) take();
  return {};
}

}  // namespace

Batch::Found OverlayView::Find(Family family, BytesView key) const {
  for (const Batch* layer : layers_) {
    if (const Batch::Found found = layer->Find(family, key); found.known) return found;
  }
  return {};
}

Result<std::optional<Bytes>> OverlayView::Get(Family family, BytesView key) const {
  const Batch::Found found = Find(family, key);
  if (!found.known) return base_.Get(family, key);
  return found.value != nullptr ? std::optional<Bytes>(*found.value) : std::nullopt;
}

Result<std::vector<std::optional<Bytes>>> OverlayView::MultiGet(
    Family family, std::span<const BytesView> keys) const {
  std::vector<std::optional<Bytes>> values(keys.size());
  std::vector<BytesView> unknown;
  std::vector<size_t> places;
  for (size_t i = 0; i < keys.size(); ++i) {
    const Batch::Found found = Find(family, keys[i]);
    if (!found.known) {
      unknown.push_back(keys[i]);
      places.push_back(i);
    } else if (found.value != nullptr) {
      values[i] = *found.value;
    }
  }
  if (unknown.empty()) return values;
  SCHAKEL_ASSIGN(std::vector<std::optional<Bytes>> read, base_.MultiGet(family, unknown));
  for (size_t i = 0; i < read.size(); ++i) values[places[i]] = std::move(read[i]);
  return values;
}

Status OverlayView::Scan(Family family, BytesView begin, BytesView end, const Visitor& fn) const {
  return MergedScan(base_, layers_, family, begin, end, fn, /*reverse=*/false);
}

Status OverlayView::ScanReverse(Family family, BytesView begin, BytesView end,
                                const Visitor& fn) const {
  return MergedScan(base_, layers_, family, begin, end, fn, /*reverse=*/true);
}

}  // namespace schakel::store
