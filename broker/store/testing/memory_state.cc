#include "broker/store/testing/memory_state.h"

#include <mutex>
#include <utility>
#include <vector>

namespace schakel::store::testing {
namespace {

std::optional<Bytes> Find(const MemoryFamily& family, BytesView key) {
  const auto it = family.find(key);
  return it == family.end() ? std::nullopt : std::optional<Bytes>(it->second);
}

void WalkMap(const MemoryFamily& family, BytesView begin, BytesView end, const Visitor& fn,
             bool reverse) {
  if (!end.empty() && begin >= end) return;
  auto first = family.lower_bound(begin);
  auto last = end.empty() ? family.end() : family.lower_bound(end);
  while (first != last) {
    const auto& [key, value] = reverse ? *std::prev(last) : *first;
    if (!fn(key, value)) return;
    if (reverse) {
      --last;
    } else {
      ++first;
    }
  }
}

void ApplyTo(MemoryFamilies& families, const Batch& batch) {
  for (const Family which : kFamilies) {
    MemoryFamily& family = families[FamilyIndex(which)];
    for (const auto& [begin, end] : batch.ranges(which)) {
      family.erase(family.lower_bound(begin), family.lower_bound(end));
    }
    for (const auto& [key, value] : batch.points(which)) {
      if (value) {
        family[key] = *value;
      } else {
        family.erase(key);
      }
    }
  }
}

class MemorySnapshot final : public Snapshot {
 public:
  MemorySnapshot(std::shared_ptr<const MemoryFamilies> families, uint64_t position)
      : families_(std::move(families)), position_(position) {}
  uint64_t position() const override { return position_; }
  Result<std::optional<Bytes>> Get(Family family, BytesView key) const override {
    return Find((*families_)[FamilyIndex(family)], key);
  }
  Status Scan(Family family, BytesView begin, BytesView end, const Visitor& fn) const override {
    WalkMap((*families_)[FamilyIndex(family)], begin, end, fn, false);
    return {};
  }
  Status ScanReverse(Family family, BytesView begin, BytesView end,
                     const Visitor& fn) const override {
    WalkMap((*families_)[FamilyIndex(family)], begin, end, fn, true);
    return {};
  }

 private:
  const std::shared_ptr<const MemoryFamilies> families_;
  const uint64_t position_;
};

}  // namespace

MemoryState::MemoryState(const MemoryState& other) : StateStore(), StateReader() {
  const std::shared_lock lock(other.mutex_);
  families_ = other.families_;
  position_ = other.position_;
  if (other.kept_) {
    ApplyTo(families_, other.kept_->batch);
    position_ = other.kept_->position;
  }
}

Result<std::optional<Bytes>> MemoryState::Get(Family family, BytesView key) const {
  const std::shared_lock lock(mutex_);
  return Find(families_[FamilyIndex(family)], key);
}

// In pieces, so that the visitor runs without the lock and may read on its own.
Status MemoryState::Walk(Family family, BytesView begin, BytesView end, const Visitor& fn,
                         bool reverse) const {
  constexpr size_t kPiece = 64;
  Bytes from(begin);
  Bytes to(end);
  for (;;) {
    std::vector<std::pair<Bytes, Bytes>> piece;
    {
      const std::shared_lock lock(mutex_);
      const auto collect = [&piece](BytesView key, BytesView value) {
        piece.emplace_back(key, value);
        return piece.size() < kPiece;
      };
      WalkMap(families_[FamilyIndex(family)], from, to, collect, reverse);
    }
    for (const auto& [key, value] : piece) {
      if (!fn(key, value)) return {};
    }
    if (piece.size() < kPiece) return {};
    const Bytes& last = piece.back().first;
    if (reverse && last.empty()) return {};  // no key lies before the empty one
    (reverse ? to : from) = reverse ? last : last + '\0';
  }
}

Status MemoryState::Scan(Family family, BytesView begin, BytesView end, const Visitor& fn) const {
  return Walk(family, begin, end, fn, /*reverse=*/false);
}

Status MemoryState::ScanReverse(Family family, BytesView begin, BytesView end,
                                const Visitor& fn) const {
  return Walk(family, begin, end, fn, /*reverse=*/true);
}

Status MemoryState::Commit(const Batch& batch, uint64_t position) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  SCHAKEL_CHECK(position > position_, "I1: each commit has a higher position than the one before");
  if (fail_next_) {
    failure_ = MakeError(ErrorCode::kUnavailable, "STORE_FAILED", "a failed write, as asked for");
    if (fail_kept_) kept_ = Kept{batch, position};
    return *failure_;
  }
  ApplyTo(families_, batch);
  position_ = position;
  frozen_.reset();
  return {};
}

Status MemoryState::CommitLocal(const Batch& batch) {
  SCHAKEL_CHECK(batch.OnlyLocal(), "I1: the state changes only by commits with a position");
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  ApplyTo(families_, batch);
  frozen_.reset();
  return {};
}

std::unique_ptr<Snapshot> MemoryState::TakeSnapshot() const {
  const std::lock_guard lock(mutex_);
  if (!frozen_) frozen_ = std::make_shared<const MemoryFamilies>(families_);
  return std::make_unique<MemorySnapshot>(frozen_, position_);
}

uint64_t MemoryState::position() const {
  const std::shared_lock lock(mutex_);
  return position_;
}

std::optional<Error> MemoryState::failure() const {
  const std::shared_lock lock(mutex_);
  return failure_;
}

void MemoryState::FailNextCommit(bool kept) {
  const std::lock_guard lock(mutex_);
  fail_next_ = true;
  fail_kept_ = kept;
}

MemoryFamily MemoryState::Contents(Family family) const {
  const std::shared_lock lock(mutex_);
  return families_[FamilyIndex(family)];
}

bool MemoryState::SameState(const MemoryState& other) const {
  for (const Family family : kFamilies) {
    if (IsState(family) && Contents(family) != other.Contents(family)) return false;
  }
  return position() == other.position();
}

}  // namespace schakel::store::testing
