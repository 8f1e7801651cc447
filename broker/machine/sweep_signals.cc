// What is kept of a signal for status, feed and retries ends a term after the signal: the queue
// SignalEnd has them by type, since each type has one term, and within it in order of their end.
#include "broker/base/limits.h"
#include "broker/machine/handlers.h"
#include "broker/machine/inbox.h"
#include "broker/machine/sweep.h"

namespace schakel::machine {

using store::Family;

static_assert(limits::kDestroyGrace >= limits::kOnceKeepAfterExpiry, "I7: retries at the very end");

namespace {

struct Ended {
  Bytes key;
  OrganisationId sender;
  SignalId id;
};

// The type of the first signal in the queue at or behind `from`.
Result<std::optional<std::string>> NextType(const Context& ctx, const Bytes& from) {
  std::optional<std::string> type;
  SCHAKEL_TRY(ctx.view().Scan(Family::kHot, from, store::PrefixEnd(keys::SignalEndPrefix()),
                              [&](BytesView key, BytesView) {
                                ByteReader reader(key.substr(1));
                                type = std::string(reader.Lp().value_or(""));
                                return false;
                              }));
  return type;
}

// Signals of a type that are due, the oldest first.
Result<std::vector<Ended>> Due(const Context& ctx, const std::string& type, Millis keep,
                               size_t at_most) {
  std::vector<Ended> due;
  const Bytes prefix = keys::SignalEndPrefix(type);
  SCHAKEL_TRY(ctx.view().ScanPrefix(Family::kHot, prefix, [&](BytesView key, BytesView) {
    ByteReader reader(key.substr(prefix.size()));
    const uint64_t end_us = reader.U64().value_or(0) * 1000;
    if (!IsDue(ctx, end_us, keep)) return false;
    auto sender = OrganisationId::From(reader.Raw(20).value_or(""));
    auto id = SignalId::From(reader.Raw(16).value_or(""));
    SCHAKEL_CHECK(sender && id, "a key SignalEnd has sender and signal");
    due.push_back({Bytes(key), *sender, *id});
    return due.size() <= at_most;
  }));
  return due;
}

}  // namespace

Status PurgeSignal(Context& ctx, const OrganisationId& sender, const SignalId& id) {
  Bytes key = keys::Signal(sender, id);
  state::v1::SignalState signal;
  SCHAKEL_ASSIGN(bool found, ctx.Get(Family::kHot, key, &signal));
  if (!found) return {};
  for (int slot = 0; slot < signal.recipients_size(); ++slot) {
    if (signal.recipients(slot).permitted_size() == 0) continue;
    auto recipient = *OrganisationId::From(signal.recipients(slot).outcome().recipient());
    ItemKey item_key{signal.position(), static_cast<uint16_t>(slot)};
    SCHAKEL_ASSIGN(auto placed, LoadItem(ctx, recipient, item_key));
    if (!IsSettled(placed.item)) SCHAKEL_TRY(ExpireItem(ctx, placed));
    ForgetItem(ctx, placed);
  }
  // What ended in this very command is in the stored signal only.
  SCHAKEL_ASSIGN(found, ctx.Get(Family::kHot, key, &signal));
  for (const auto& cursor : signal.feed_cursors()) {
    auto at = ItemKey::Parse(cursor);
    if (at) ctx.Delete(Family::kHot, keys::Feed(sender, at->position, at->number));
  }
  std::vector<Bytes> attached;
  SCHAKEL_TRY(ctx.view().ScanPrefix(Family::kHot, keys::AttachedPrefix(sender, id),
                                    [&](BytesView entry, BytesView) {
                                      attached.emplace_back(entry);
                                      return true;
                                    }));
  for (auto& entry : attached) ctx.Delete(Family::kHot, std::move(entry));
  ctx.Delete(Family::kHot, std::move(key));
  return {};
}

Result<bool> SweepSignals(Context& ctx, const policy::CompiledBundle& bundle, size_t share,
                          Destruction* out) {
  size_t left = share;
  bool done = true;
  Bytes from = keys::SignalEndPrefix();
  for (;;) {
    SCHAKEL_ASSIGN(const auto type, NextType(ctx, from));
    if (!type) return done;
    from = store::PrefixEnd(keys::SignalEndPrefix(*type));
    const auto term = policy::SignalTerm(bundle, *type);
    SCHAKEL_ASSIGN(auto due, Due(ctx, *type, term.keep, left));
    for (auto& ended : due) {
      // LIMIT: one that writes records beyond a command's measure is left to the next.
      if (left == 0 || out->full() || ctx.records_written() > limits::kSweepItemsMax) {
        done = false;
        break;
      }
      --left;
      SCHAKEL_TRY(PurgeSignal(ctx, ended.sender, ended.id));
      ctx.Delete(Family::kHot, std::move(ended.key));
      out->Count("signals", v1::RECORD_KIND_UNSPECIFIED, term.rule);
    }
  }
}

}  // namespace schakel::machine
