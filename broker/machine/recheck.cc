// After a withdrawal or an objection: what is queued about the subject is decided anew at once
// (I4).
#include "broker/base/limits.h"
#include "broker/machine/handlers.h"
#include "broker/machine/queued_signal.h"

namespace schakel::machine {

using store::Family;

Status Withhold(Context& ctx, PlacedItem& placed, const std::string& fine_reason,
                bool subject_dependent) {
  ItemRecord what;
  what.kind = v1::RECORD_KIND_WITHHELD;
  what.reason = subject_dependent ? "NOT_PERMITTED" : fine_reason;
  SCHAKEL_ASSIGN(auto receipt, RecordItem(ctx, placed, what));
  Ending ending;
  ending.state = state::v1::ITEM_STATE_WITHHELD;
  ending.outcome = v1::RECIPIENT_STATE_WITHHELD;
  ending.reason = what.reason;
  ending.record_index = receipt.index();
  return Settle(ctx, placed, ending);
}

Status WithholdIfDenied(Context& ctx, PlacedItem& placed) {
  if (placed.item.has_notice()) return {};
  SCHAKEL_ASSIGN(auto signal, LoadQueued(ctx, placed));
  SCHAKEL_ASSIGN(auto decided, Redecide(ctx, placed, signal));
  if (!decided.slot.permitted.empty()) return {};
  return Withhold(ctx, placed, decided.slot.reason, decided.slot.subject_dependent);
}

Status RecheckQueued(Context& ctx, const v1::SubjectRefPair& pair, const Bytes& cursor) {
  Bytes prefix = keys::QueuedAboutPrefix(pair);
  std::vector<Bytes> queued;
  SCHAKEL_TRY(ctx.view().Scan(Family::kHot, prefix + cursor, store::PrefixEnd(prefix),
                              [&](BytesView key, BytesView) {
                                queued.emplace_back(key.substr(prefix.size()));
                                return queued.size() <= limits::kSweepItemsMax;
                              }));
  for (size_t i = 0; i < queued.size(); ++i) {
    if (i == limits::kSweepItemsMax || ctx.records_written() > limits::kSweepItemsMax) {
      Bytes payload = ByteWriter().U32(pair.epoch()).Raw(pair.value()).Raw(queued[i]).Take();
      ctx.PutRaw(Family::kHot, keys::Timer(ctx.now_us(), TimerKind::kRecheckSubject, payload), {});
      ctx.effects().timers_left = true;
      break;
    }
    BytesView place = queued[i];
    SCHAKEL_ASSIGN(auto placed, LoadItem(ctx, *OrganisationId::From(place.substr(0, 20)),
                                         *ItemKey::Parse(place.substr(20))));
    bool waits = placed.item.state() == state::v1::ITEM_STATE_READY ||
                 placed.item.state() == state::v1::ITEM_STATE_WAITING;
    if (waits) SCHAKEL_TRY(WithholdIfDenied(ctx, placed));  // a leased one: when it comes back
  }
  return {};
}

Status RecheckQueuedFrom(Context& ctx, BytesView payload) {
  v1::SubjectRefPair pair;
  ByteReader reader(payload);
  pair.set_epoch(reader.U32().value_or(0));
  pair.set_value(Bytes(reader.Raw(32).value_or("")));
  return RecheckQueued(ctx, pair, Bytes(reader.Raw(reader.remaining()).value_or("")));
}

}  // namespace schakel::machine
