// Years pass after a run: sweeps destroy what the model says, when it says, and nothing else. The
// model knows no walks and no queues: it looks at each thing by itself.
#include "broker/store/overlay_view.h"
#include "tests/sim/world.h"

namespace schakel::sim {

using store::Family;

namespace {

constexpr uint64_t kDayUs = 86'400'000'000;
constexpr uint64_t kStatementDays = 1825;

// The reference bundle's terms, in days.
uint64_t TypeDays(const Text& type) {
  static const std::map<Text, uint64_t> days = {
      {"rent-arrears", 730}, {"domestic-violence-report", 1825}, {"care-avoidance", 1095}};
  const auto found = days.find(type);
  return found == days.end() ? 0 : found->second;
}

std::optional<uint64_t> RecordDays(const v1::Record& record) {
  switch (record.kind()) {
    case v1::RECORD_KIND_GENESIS:
    case v1::RECORD_KIND_MODE_CHANGE:
    case v1::RECORD_KIND_SWEEP:
      return std::nullopt;
    case v1::RECORD_KIND_DENIED_ATTEMPT:
      return 365;
    case v1::RECORD_KIND_CONSULTATION:
      return 1095;
    default:
      break;
  }
  const uint64_t of_type = TypeDays(record.signal_type());
  return of_type != 0 ? of_type : 1825;
}

uint64_t DetailDays(const v1::Record& record) {
  return record.kind() == v1::RECORD_KIND_QUERY ? 365 : 1095;
}

bool IsOver(uint64_t from_us, uint64_t days, uint64_t now_us) {
  return from_us + (days + 1) * kDayUs <= now_us;
}

// What a record was before anything was destroyed.
struct Before {
  v1::Record record;
  bool detail = false;
  Bytes entry;
};

std::string CheckRecord(const Before& before, const state::v1::StoredRecord& now, uint64_t now_us) {
  const auto days = RecordDays(before.record);
  const bool over = days && IsOver(before.record.time_us(), *days, now_us);
  const bool detail_over =
      over || (days && IsOver(before.record.time_us(), DetailDays(before.record), now_us));
  const std::string which = " (record " + std::to_string(before.record.index()) + ", " +
                            v1::RecordKind_Name(before.record.kind()) + " " +
                            before.record.signal_type() + ")";
  if (now.entry() != before.entry) return "a sweep changed an entry" + which;
  if ((now.destroyed_us() != 0) != over) {
    return (over ? "a record outlived its term" : "a record went before its term") + which;
  }
  if (over && !(now.record().empty() && now.salt().empty() && now.detail_salt().empty())) {
    return "a destroyed record still says something" + which;
  }
  if (before.detail && now.detail().empty() != detail_over) {
    return (detail_over ? "a detail outlived its term" : "a detail went before its term") + which;
  }
  return "";
}

}  // namespace

std::string World::Sweep() {
  for (bool left = true; left;) {
    const auto command = factory_.Make(machine::Sweep{});
    store::Batch batch;
    const store::OverlayView view(*state_, {&batch});
    auto outcome = machine_->Apply(view, &batch, command);
    if (!outcome.ok()) return "a sweep failed: " + outcome.error().message;
    machine_->FinishBatch(&batch);
    if (!state_->Commit(batch, outcome->position).ok()) return "a commit failed";
    applied_.push_back(command);
    left = outcome->effects.sweep_left;
    if (Chance(10)) Restart();
  }
  return "";
}

std::string World::CheckSweeps() {
  std::vector<Before> records;
  for (uint64_t i = 0; i < machine_->TreeHead().size; ++i) {
    auto raw = state_->Get(Family::kRecords, machine::keys::Record(i));
    state::v1::StoredRecord stored;
    Before before;
    if (!raw.ok() || !*raw || !stored.ParseFromString(**raw) || stored.destroyed_us() != 0 ||
        !before.record.ParseFromString(stored.record())) {
      return "a record is missing before anything was swept";
    }
    before.detail = !stored.detail().empty();
    before.entry = stored.entry();
    records.push_back(std::move(before));
  }
  std::map<Bytes, uint64_t> statements;  // key and end
  auto status = state_->ScanPrefix(Family::kRegistry, "s", [&](BytesView key, BytesView value) {
    state::v1::StatementState stored;
    if (!stored.ParseFromString(Bytes(value))) return false;
    uint64_t end_us = stored.parsed().not_after_ms() * 1000;
    if (stored.withdrawn_us() != 0) end_us = std::min(end_us, stored.withdrawn_us());
    statements[Bytes(key)] = end_us;
    return true;
  });
  if (!status.ok()) return "statements that cannot be read";

  for (const uint64_t days : {100, 270, 366, 366, 366, 366, 366, 4000}) {
    factory_.Advance(Micros(static_cast<int64_t>(days * kDayUs + Below(kDayUs))));
    const auto now_us = static_cast<uint64_t>(factory_.now().count());
    if (std::string wrong = Sweep(); !wrong.empty()) return wrong;
    for (size_t i = 0; i < records.size(); ++i) {
      auto raw = state_->Get(Family::kRecords, machine::keys::Record(i));
      state::v1::StoredRecord stored;
      if (!raw.ok() || !*raw || !stored.ParseFromString(**raw)) return "an entry is missing";
      std::string wrong = CheckRecord(records[i], stored, now_us);
      if (!wrong.empty()) return wrong;
    }
    for (const auto& [key, end_us] : statements) {
      auto raw = state_->Get(Family::kRegistry, key);
      state::v1::StatementState stored;
      if (!raw.ok() || (*raw && !stored.ParseFromString(**raw))) return "an unreadable statement";
      const bool stands = raw->has_value() && stored.destroyed_us() == 0;
      if (stands == IsOver(end_us, kStatementDays, now_us)) {
        return stands ? "a statement outlived its term" : "a statement went before its term";
      }
    }
  }
  // In the end nothing of a signal or a person is left, but for what was written meanwhile.
  for (const char* kind : {"s", "z", "e", "a", "g", "c", "x", "o"}) {
    bool any = false;
    auto scanned = state_->ScanPrefix(Family::kHot, kind, [&](BytesView, BytesView) {
      any = true;
      return false;
    });
    if (!scanned.ok() || any) return std::string("something is left under key ") + kind;
  }
  return "";
}

}  // namespace schakel::sim
