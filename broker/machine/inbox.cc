#include "broker/machine/inbox.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

namespace {

// LIMIT: an acknowledgement may name any of the last so many deliveries of an item.
constexpr int kDeliveryIdsMax = 16;

Bytes LeasePayload(const PlacedItem& placed) {
  return placed.recipient.str() + placed.key.Encode();
}

Result<state::v1::InboxHead> LoadHead(const Context& ctx, const OrganisationId& recipient) {
  state::v1::InboxHead head;
  auto found = ctx.Get(Family::kHot, keys::Head(recipient), &head);
  if (!found.ok()) return found.error();
  return head;
}

// Puts the item into the ready queue and lowers the inbox's bound when it stands before it.
Status MakeReady(Context& ctx, PlacedItem& placed, state::v1::InboxHead* head) {
  bool acute = placed.item.urgency() == v1::URGENCY_ACUTE;
  Bytes key = placed.key.Encode();
  Bytes& from = acute ? *head->mutable_acute_from() : *head->mutable_normal_from();
  if (from > key) from = key;
  placed.item.set_state(state::v1::ITEM_STATE_READY);
  ctx.PutRaw(Family::kHot, keys::Ready(placed.recipient, placed.item.urgency(), placed.key), {});
  ctx.effects().wake.push_back(placed.recipient);
  return {};
}

bool HasLine(const state::v1::InboxItem& item) { return !item.case_id().empty(); }

// The first item of the case's line, if any.
Result<std::optional<ItemKey>> FirstInLine(const Context& ctx, const PlacedItem& placed) {
  std::optional<ItemKey> first;
  SCHAKEL_TRY(ctx.view().ScanPrefix(
      Family::kHot,
      keys::LinePrefix(placed.recipient, placed.item.urgency(), placed.item.case_id()),
      [&](BytesView key, BytesView) {
        first = ItemKey::Parse(key.substr(key.size() - 10));
        return false;
      }));
  return first;
}

}  // namespace

const char* NoticeName(v1::NoticeKind kind) {
  return kind == v1::NOTICE_KIND_REMINDER ? "reminder" : "consent-withdrawn";
}

namespace {

Bytes LeaseTimer(const PlacedItem& placed) {
  return keys::Timer(placed.item.lease_until_us(), TimerKind::kLease, LeasePayload(placed));
}

void DropLease(Context& ctx, const PlacedItem& placed) {
  ctx.Delete(Family::kHot, LeaseTimer(placed));
}

void StartLease(Context& ctx, PlacedItem& placed, uint64_t until_us) {
  placed.item.set_lease_until_us(until_us);
  ctx.PutRaw(Family::kHot, LeaseTimer(placed),
             placed.item.pulled() ? Bytes(kPulledLease) : Bytes());
}

}  // namespace

Status Enqueue(Context& ctx, PlacedItem& placed) {
  SCHAKEL_ASSIGN(auto head, LoadHead(ctx, placed.recipient));
  head.set_open_items(head.open_items() + 1);
  bool waits = false;
  if (HasLine(placed.item)) {
    SCHAKEL_ASSIGN(auto first, FirstInLine(ctx, placed));
    waits = first.has_value();
    ctx.PutRaw(
        Family::kHot,
        keys::Line(placed.recipient, placed.item.urgency(), placed.item.case_id(), placed.key), {});
  }
  if (waits) {
    placed.item.set_state(state::v1::ITEM_STATE_WAITING);
  } else {
    SCHAKEL_TRY(MakeReady(ctx, placed, &head));
  }
  ctx.Put(Family::kHot, keys::Item(placed.recipient, placed.key), placed.item);
  ctx.Put(Family::kHot, keys::Head(placed.recipient), head);
  return {};
}

Result<PlacedItem> LoadItem(const Context& ctx, const OrganisationId& recipient,
                            const ItemKey& key) {
  PlacedItem placed{recipient, key, {}};
  SCHAKEL_ASSIGN(bool found, ctx.Get(Family::kHot, keys::Item(recipient, key), &placed.item));
  if (!found) return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a queued item is missing");
  return placed;
}

namespace {

Bytes SignalKey(const PlacedItem& placed) {
  return keys::Signal(*OrganisationId::From(placed.item.sender()),
                      *SignalId::From(placed.item.signal_id()));
}

}  // namespace

Status LoadSignal(const Context& ctx, const PlacedItem& placed, state::v1::SignalState* signal) {
  if (placed.item.has_notice()) return {};
  SCHAKEL_ASSIGN(bool found, ctx.Get(Family::kHot, SignalKey(placed), signal));
  if (found) return {};
  return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "an item's signal is missing");
}

Result<PlacedItem> FindDelivery(const Context& ctx, const OrganisationId& recipient,
                                const DeliveryId& delivery) {
  SCHAKEL_ASSIGN(auto raw, ctx.GetRaw(Family::kHot, keys::Delivery(delivery)));
  auto unknown = [] {
    return MakeError(ErrorCode::kNotFound, "DELIVERY_UNKNOWN",
                     "no delivery of that id to this organisation", "delivery_id");
  };
  if (!raw || raw->size() != 30 || raw->substr(0, 20) != recipient.str()) return unknown();
  auto key = ItemKey::Parse(BytesView(*raw).substr(20));
  if (!key) return unknown();
  return LoadItem(ctx, recipient, *key);
}

void Lease(Context& ctx, PlacedItem& placed, const DeliveryId& delivery, uint64_t until_us,
           bool pulled) {
  auto& item = placed.item;
  ctx.Delete(Family::kHot, keys::Ready(placed.recipient, item.urgency(), placed.key));
  item.set_state(state::v1::ITEM_STATE_LEASED);
  item.set_attempts(item.attempts() + 1);
  item.set_pulled(pulled);
  StartLease(ctx, placed, until_us);
  if (item.delivery_ids_size() == kDeliveryIdsMax) {
    ctx.Delete(Family::kHot, keys::Delivery(*DeliveryId::From(item.delivery_ids(0))));
    item.mutable_delivery_ids()->DeleteSubrange(0, 1);
  }
  item.add_delivery_ids(delivery.str());
  ctx.PutRaw(Family::kHot, keys::Delivery(delivery), LeasePayload(placed));
  ctx.Put(Family::kHot, keys::Item(placed.recipient, placed.key), item);
}

void MoveLease(Context& ctx, PlacedItem& placed, uint64_t until_us) {
  DropLease(ctx, placed);
  StartLease(ctx, placed, until_us);
  ctx.Put(Family::kHot, keys::Item(placed.recipient, placed.key), placed.item);
}

Status Unlease(Context& ctx, PlacedItem& placed) {
  DropLease(ctx, placed);
  placed.item.set_lease_until_us(0);
  placed.item.set_pulled(false);
  SCHAKEL_ASSIGN(auto head, LoadHead(ctx, placed.recipient));
  SCHAKEL_TRY(MakeReady(ctx, placed, &head));
  ctx.Put(Family::kHot, keys::Head(placed.recipient), head);
  ctx.Put(Family::kHot, keys::Item(placed.recipient, placed.key), placed.item);
  return {};
}

namespace {

// Whether several recipients got something: then each one's wraps have a key of their own.
bool HasWrapsApart(const state::v1::SignalState& signal) {
  const auto& slots = signal.recipients();
  return std::count_if(slots.begin(), slots.end(),
                       [](const auto& slot) { return slot.permitted_size() > 0; }) > 1;
}

// Brings the signal's slot and content up to date and tells the sender.
void SettleSlot(Context& ctx, const PlacedItem& placed, const Ending& ending,
                state::v1::SignalState& signal) {
  auto sender = *OrganisationId::From(placed.item.sender());
  auto signal_id = *SignalId::From(placed.item.signal_id());
  for (const auto& routed : signal.subjects()) {
    for (const auto& pair : routed.ref().pairs()) {
      if (pair.epoch() != 0) {
        ctx.Delete(Family::kHot, keys::QueuedAbout(pair, placed.recipient, placed.key));
      }
    }
  }
  auto* outcome =
      signal.mutable_recipients(static_cast<int>(placed.item.slot()))->mutable_outcome();
  outcome->set_state(ending.outcome);
  outcome->set_reason(ending.reason);
  outcome->set_reason_text(ending.reason_text);
  if (ending.redirect != nullptr) *outcome->mutable_redirect() = *ending.redirect;
  SetTimestamp(ctx.now_us(), outcome->mutable_changed());
  signal.set_open_recipients(signal.open_recipients() - 1);
  signal.add_feed_cursors(ctx.AddFeed(sender, signal_id.view(), *outcome));
  ctx.Put(Family::kHot, keys::Signal(sender, signal_id), signal);
  EndStalled(ctx, signal, placed.key);
  if (HasWrapsApart(signal)) {
    ctx.Delete(Family::kContent, keys::Wraps(placed.recipient, placed.key));
  }
  if (signal.open_recipients() == 0) {
    ctx.Delete(Family::kContent, keys::SignalContent(sender, signal_id));
  }
}

// The next of the case moves up.
Status AdvanceLine(Context& ctx, const PlacedItem& placed, state::v1::InboxHead* head) {
  ctx.Delete(Family::kHot, keys::Line(placed.recipient, placed.item.urgency(),
                                      placed.item.case_id(), placed.key));
  SCHAKEL_ASSIGN(auto next, FirstInLine(ctx, placed));
  if (!next) return {};
  SCHAKEL_ASSIGN(auto successor, LoadItem(ctx, placed.recipient, *next));
  if (successor.item.state() != state::v1::ITEM_STATE_WAITING) return {};
  SCHAKEL_TRY(MakeReady(ctx, successor, head));
  ctx.Put(Family::kHot, keys::Item(successor.recipient, successor.key), successor.item);
  return {};
}

}  // namespace

Status Settle(Context& ctx, PlacedItem& placed, const Ending& ending) {
  state::v1::SignalState signal;
  SCHAKEL_TRY(LoadSignal(ctx, placed, &signal));
  return Settle(ctx, placed, ending, signal);
}

Status Settle(Context& ctx, PlacedItem& placed, const Ending& ending,
              state::v1::SignalState& signal) {
  SCHAKEL_CHECK(!IsSettled(placed.item), "I7: an item is settled once");
  if (placed.item.state() == state::v1::ITEM_STATE_LEASED) DropLease(ctx, placed);
  if (placed.item.state() == state::v1::ITEM_STATE_READY) {
    ctx.Delete(Family::kHot, keys::Ready(placed.recipient, placed.item.urgency(), placed.key));
  }
  SCHAKEL_ASSIGN(auto head, LoadHead(ctx, placed.recipient));
  head.set_open_items(head.open_items() - 1);
  if (HasLine(placed.item)) SCHAKEL_TRY(AdvanceLine(ctx, placed, &head));
  ctx.Put(Family::kHot, keys::Head(placed.recipient), head);
  if (!placed.item.has_notice()) SettleSlot(ctx, placed, ending, signal);
  placed.item.set_state(ending.state);
  placed.item.set_lease_until_us(0);
  placed.item.set_settled_index(ending.record_index);
  ctx.Put(Family::kHot, keys::Item(placed.recipient, placed.key), placed.item);
  return {};
}

namespace {

void MarkSlot(Context& ctx, const PlacedItem& placed, v1::RecipientState state,
              state::v1::SignalState& signal) {
  auto* outcome =
      signal.mutable_recipients(static_cast<int>(placed.item.slot()))->mutable_outcome();
  if (outcome->state() == state) return;
  outcome->set_state(state);
  SetTimestamp(ctx.now_us(), outcome->mutable_changed());
  signal.add_feed_cursors(
      ctx.AddFeed(*OrganisationId::From(placed.item.sender()), placed.item.signal_id(), *outcome));
  ctx.Put(Family::kHot, SignalKey(placed), signal);
}

}  // namespace

void MarkDelivered(Context& ctx, const PlacedItem& placed, state::v1::SignalState& signal) {
  MarkSlot(ctx, placed, v1::RECIPIENT_STATE_DELIVERED, signal);
}

Status MarkQueued(Context& ctx, const PlacedItem& placed) {
  if (placed.item.has_notice()) return {};
  state::v1::SignalState signal;
  SCHAKEL_TRY(LoadSignal(ctx, placed, &signal));
  MarkSlot(ctx, placed, v1::RECIPIENT_STATE_QUEUED, signal);
  return {};
}

void ForgetItem(Context& ctx, const PlacedItem& placed) {
  for (const auto& id : placed.item.delivery_ids()) {
    ctx.Delete(Family::kHot, keys::Delivery(*DeliveryId::From(id)));
  }
  for (const auto& key : placed.item.reliance_keys()) {
    // y statement item
    auto statement = StatementId::From(BytesView(key).substr(1, 16));
    if (!statement) continue;
    ctx.Delete(Family::kHot, keys::Noticed(*statement, placed.recipient, placed.item.signal_id()));
    ctx.Delete(Family::kHot, key);
  }
  ctx.Delete(Family::kHot, keys::Item(placed.recipient, placed.key));
}

Result<v1::LogReceipt> RecordItem(Context& ctx, const PlacedItem& placed, const ItemRecord& what) {
  auto& signal = ctx.New<state::v1::SignalState>();
  SCHAKEL_TRY(LoadSignal(ctx, placed, &signal));
  return RecordItem(ctx, placed, what, signal);
}

Result<v1::LogReceipt> RecordItem(Context& ctx, const PlacedItem& placed, const ItemRecord& what,
                                  const state::v1::SignalState& signal) {
  v1::Record& base = ctx.NewRecord(what.kind);
  base.set_event_id(ctx.NewEventId());
  base.set_signal_id(placed.item.signal_id());
  base.set_case_id(placed.item.case_id());
  base.set_reason(what.reason);
  if (what.delivery != DeliveryId{}) base.mutable_facts()->set_delivery_id(what.delivery.str());
  base.mutable_facts()->set_text(what.text);
  base.mutable_facts()->set_lease_until_us(what.lease_until_us);
  if (what.redirect != nullptr) *base.mutable_facts()->mutable_redirect() = *what.redirect;
  if (!what.reported_code.empty()) {
    base.mutable_facts()->set_reported_code(what.reported_code);
    base.set_bundle_digest(ctx.meta().active_bundle());
  }

  // INVARIANT I9: who acted is told to its own organisation only.
  auto set_party = [&](const std::string& oin) {
    base.set_organisation(oin);
    if (ctx.command().caller && ctx.caller().organisation.str() == oin) return;
    base.clear_actor();
    base.clear_actor_role();
    base.clear_trace_id();
  };
  if (placed.item.has_notice()) {
    set_party(placed.recipient.str());
    base.mutable_facts()->set_notice(NoticeName(placed.item.notice().kind()));
    base.mutable_facts()->set_alias(placed.item.notice().alias());
    return ctx.AddRecord(std::move(base));
  }
  base.set_signal_type(signal.signal_type());
  base.set_purpose(signal.purpose());
  // INVARIANT I9: a recipient is party only to what it saw, with the subjects that it read; of what
  // it never saw the sender is the party.
  const auto& shown = placed.item.shown_labels();
  bool seen = !shown.empty();
  set_party(seen ? placed.recipient.str() : placed.item.sender());
  std::optional<v1::LogReceipt> first;
  for (const auto& routed : signal.subjects()) {
    if (seen && std::find(shown.begin(), shown.end(), routed.label()) == shown.end()) continue;
    v1::Record record = base;
    record.set_subject_label(routed.label());
    v1::Detail detail;
    *detail.mutable_subject() = routed.ref();
    detail.add_recipients()->set_oin(placed.recipient.str());
    auto receipt = ctx.AddRecord(std::move(record), &detail);
    if (!first) first = std::move(receipt);
  }
  if (!first) return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a signal without subjects");
  return *std::move(first);
}

Status PlaceNotice(Context& ctx, PlacedItem& placed) {
  placed.item.set_urgency(v1::URGENCY_ACUTE);
  SetTimestamp(ctx.now_us(), placed.item.mutable_notice()->mutable_time());
  ItemRecord what;
  what.kind = v1::RECORD_KIND_NOTICE;
  SCHAKEL_TRY(RecordItem(ctx, placed, what));
  ctx.PutRaw(Family::kHot,
             keys::Timer(placed.item.expires_ms() * 1000, TimerKind::kNoticeEnd,
                         placed.recipient.str() + placed.key.Encode()),
             {});
  return Enqueue(ctx, placed);
}

}  // namespace schakel::machine
