#include "broker/rpc/destroyer.h"

#include "broker/base/limits.h"
#include "broker/machine/keys.h"
#include "broker/machine/machine.h"
#include "broker/query/reading.h"

namespace schakel::rpc {

using store::Family;
using transport::LogKey;

namespace {

constexpr auto kLook = std::chrono::seconds(1);
constexpr auto kBetweenSweeps = std::chrono::milliseconds(50);  // leaves room for other commands
constexpr auto kRetry = std::chrono::minutes(1);

uint64_t Us(Micros us) { return static_cast<uint64_t>(us.count()); }

template <typename Message>
Result<Message> ReadOr(const store::StateReader& state, Family family, const Bytes& key) {
  SCHAKEL_ASSIGN(auto found, query::Read<Message>(state, family, key));
  return found ? *std::move(found) : Message();
}

}  // namespace

std::vector<store::Store::Range> OwedRanges(const state::v1::Scoured& then,
                                            const state::v1::Meta& meta,
                                            const state::v1::SweepState& now) {
  // Queues and content are small: what is done with leaves them.
  std::vector<store::Store::Range> ranges = {{Family::kContent, "", ""}, {Family::kHot, "", ""}};
  if (meta.swept_position() <= then.position()) return ranges;
  ranges.push_back({Family::kRegistry, "", ""});
  ranges.push_back({Family::kLocal, "", ""});
  const bool same_walks = then.sweeps().terms_digest() == now.terms_digest() &&
                          then.sweeps().walks_size() == now.walks_size();
  if (!same_walks) {
    ranges.push_back({Family::kRecords, "", ""});
    return ranges;
  }
  for (int i = 0; i < now.walks_size(); ++i) {
    const uint64_t first = then.sweeps().walks(i).next();
    const uint64_t end = now.walks(i).next();
    if (first >= end) continue;
    ranges.push_back({Family::kRecords, machine::keys::Record(first), machine::keys::Record(end)});
  }
  return ranges;
}

Result<std::unique_ptr<Destroyer>> Destroyer::Start(const DestroyerParts& parts) {
  SCHAKEL_ASSIGN(auto scoured, ReadOr<state::v1::Scoured>(parts.store->durable(), Family::kLocal,
                                                          machine::keys::Scoured()));
  std::unique_ptr<Destroyer> destroyer(new Destroyer(parts, std::move(scoured)));
  destroyer->thread_ = std::thread([d = destroyer.get()] { d->Loop(); });
  return destroyer;
}

Destroyer::Destroyer(const DestroyerParts& parts, state::v1::Scoured scoured)
    : parts_(parts),
      scoured_(std::move(scoured)),
      clean_us_(scoured_.clean_us()),
      sweep_at_(parts.clock->Steady() + Micros(limits::kSweepEvery)) {}

Destroyer::~Destroyer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  parts_.store->CancelScour();
  if (thread_.joinable()) thread_.join();
}

bool Destroyer::Pause(Millis time) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, time, [this] { return stopping_; });
}

void Destroyer::Loop() {
  do {
    if (parts_.clock->Steady() >= sweep_at_) SweepAll();
    if (parts_.clock->Steady() < disk_at_) continue;
    if (Status looked = LookAtDisk(); !looked.ok()) Failed(looked.error());
  } while (Pause(kLook));
}

void Destroyer::SweepAll() {
  for (bool left = true; left && Pause(kBetweenSweeps);) {
    const auto outcome = parts_.sequencer->Call(machine::Sweep{}, std::nullopt);
    if (!outcome.ok()) {
      // A full disk, or a broker that no longer writes: both are told elsewhere as well.
      Failed(outcome.error());
      sweep_at_ = parts_.clock->Steady() + Micros(kRetry);
      return;
    }
    left = outcome->effects.sweep_left;
  }
  sweep_at_ = parts_.clock->Steady() + Micros(limits::kSweepEvery);
}

Status Destroyer::LookAtDisk() {
  const uint64_t now_us = Us(parts_.clock->Wall());
  SCHAKEL_ASSIGN(const auto meta, ReadOr<state::v1::Meta>(parts_.store->durable(), Family::kHot,
                                                          machine::keys::Meta()));
  if (!attempt_ && meta.destroyed_position() <= scoured_.position()) {
    clean_us_ = now_us;
    parts_.instruments->DestructionOwed(Micros(0));
    // Written down now and then, so that after a restart nothing seems to be owed for longer.
    if (now_us - scoured_.clean_us() < Us(limits::kCleanNotedEvery)) return {};
    scoured_.set_clean_us(now_us);
    return Save();
  }
  // Since when something is owed nobody knows for certain: since then at the earliest.
  const Micros owed(static_cast<int64_t>(now_us > clean_us_ ? now_us - clean_us_ : 0));
  if (clean_us_ != 0) parts_.instruments->DestructionOwed(owed);
  if (clean_us_ != 0 && owed < Micros(limits::kScourEvery)) return {};
  if (!attempt_) {
    SCHAKEL_ASSIGN(attempt_, Begin(now_us));
  }
  Status scoured = parts_.store->Scour(attempt_->ranges, parts_.reserve_bytes);
  // A reader that goes soon.
  if (!scoured.ok() && scoured.error().reason == "STORE_IN_USE") return {};
  SCHAKEL_TRY(std::move(scoured));
  scoured_ = std::move(attempt_->settles);
  attempt_.reset();
  clean_us_ = scoured_.clean_us();
  parts_.instruments->DestructionOwed(Micros(static_cast<int64_t>(now_us - clean_us_)));
  parts_.log->Info("destroyed_off_disk", {{LogKey::kPosition, scoured_.position()}});
  return Save();
}

Result<Destroyer::Attempt> Destroyer::Begin(uint64_t now_us) {
  // What the store takes off the disk is at least what this snapshot shows as destroyed.
  const auto snapshot = parts_.store->TakeSnapshot();
  SCHAKEL_ASSIGN(const auto meta,
                 ReadOr<state::v1::Meta>(*snapshot, Family::kHot, machine::keys::Meta()));
  Attempt attempt;
  SCHAKEL_ASSIGN(*attempt.settles.mutable_sweeps(),
                 ReadOr<state::v1::SweepState>(*snapshot, Family::kHot, machine::keys::Sweeping()));
  attempt.settles.set_position(snapshot->position());
  attempt.settles.set_clean_us(now_us);
  attempt.ranges = OwedRanges(scoured_, meta, attempt.settles.sweeps());
  return attempt;
}

Status Destroyer::Save() {
  store::Batch batch;
  batch.Put(Family::kLocal, machine::keys::Scoured(), scoured_.SerializeAsString());
  return parts_.sequencer->CommitLocal(batch);
}

void Destroyer::Failed(const Error& error) {
  disk_at_ = parts_.clock->Steady() + Micros(kRetry);
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
  parts_.instruments->DestructionFailed();
  parts_.log->Warning("destruction_failed",
                      {{LogKey::kReason, error.reason}, {LogKey::kDetail, error.message}});
}

}  // namespace schakel::rpc
