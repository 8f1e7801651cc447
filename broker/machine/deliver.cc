// Items are leased to a recipient: each is decided again, recorded, and only then handed over.
#include <algorithm>

#include "broker/base/limits.h"
#include "broker/machine/handlers.h"
#include "broker/machine/queued_signal.h"

namespace schakel::machine {

using store::Family;

namespace {

// The keys of items that may go now, acute first, at most `max` and one more to know whether more
// wait.
Result<std::vector<ItemKey>> FindReady(Context& ctx, const OrganisationId& recipient,
                                       state::v1::InboxHead* head, size_t max) {
  std::vector<ItemKey> found;
  for (auto urgency : {v1::URGENCY_ACUTE, v1::URGENCY_NORMAL}) {
    bool acute = urgency == v1::URGENCY_ACUTE;
    Bytes& from = acute ? *head->mutable_acute_from() : *head->mutable_normal_from();
    Bytes prefix = keys::ReadyPrefix(recipient, urgency);
    bool first = true;
    SCHAKEL_TRY(ctx.view().Scan(Family::kHot, prefix + from, store::PrefixEnd(prefix),
                                [&](BytesView key, BytesView) {
                                  BytesView item = key.substr(key.size() - 10);
                                  if (first) from = Bytes(item);
                                  first = false;
                                  if (found.size() < max + 1)
                                    found.push_back(*ItemKey::Parse(item));
                                  return found.size() < max + 1;
                                }));
    if (found.size() > max) break;
  }
  return found;
}

// Sections as this recipient gets them: each with its own wrap only (I9). The content is used up.
void FillSignal(QueuedSignal& queued, const state::v1::StoredWraps& wraps,
                const std::vector<uint32_t>& permitted, v1::DeliveredSignal* out) {
  *out->mutable_header() = std::move(*queued.content.mutable_header());
  out->mutable_values()->Swap(queued.content.mutable_values());
  *out->mutable_proof() = std::move(*queued.content.mutable_proof());
  out->set_bundle_digest(queued.signal.bundle_digest());
  out->set_case_id(queued.signal.case_id());
  out->set_alias(queued.signal.alias());
  for (uint32_t place : permitted) {
    *out->add_sections() = std::move(*queued.content.mutable_sections(static_cast<int>(place)));
    for (int i = 0; i < wraps.sections_size(); ++i) {
      if (wraps.sections(i) == place) {
        *out->mutable_sections()->rbegin()->add_wraps() = wraps.wraps(i);
      }
    }
  }
}

// The subjects that the permitted sections are about, ascending.
std::vector<uint16_t> SubjectsRead(const Redecision& decided) {
  std::vector<uint16_t> subjects;
  for (uint32_t place : decided.slot.permitted) {
    for (uint16_t s : decided.question.sections[place].subjects) subjects.push_back(s);
  }
  std::sort(subjects.begin(), subjects.end());
  subjects.erase(std::unique(subjects.begin(), subjects.end()), subjects.end());
  return subjects;
}

// The delivery's records: one for each subject that is read.
void RecordDelivery(Context& ctx, const PlacedItem& placed, const QueuedSignal& queued,
                    const Redecision& decided, const DeliveryId& delivery, uint64_t until_us,
                    v1::DeliveredSignal* out) {
  Bytes event = ctx.NewEventId();
  for (uint16_t subject : SubjectsRead(decided)) {
    v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_DELIVERY);
    record.set_event_id(event);
    record.set_subject_label(queued.signal.subjects(subject).label());
    record.set_case_id(queued.signal.case_id());
    record.set_signal_id(placed.item.signal_id());
    record.set_signal_type(queued.signal.signal_type());
    record.set_purpose(queued.signal.purpose());
    record.set_outcome(v1::OUTCOME_PERMITTED);
    record.set_bundle_digest(decided.question.bundle_digest.str());
    record.set_envelope_digest(queued.signal.envelope_digest());
    record.mutable_facts()->set_delivery_id(delivery.str());
    record.mutable_facts()->set_lease_until_us(until_us);
    for (uint32_t place : decided.slot.permitted) {
      const auto& about = decided.question.sections[place].subjects;
      if (std::find(about.begin(), about.end(), subject) == about.end()) continue;
      auto* section = record.add_sections();
      section->set_category(decided.question.metas[place].category());
      section->set_ground(decided.question.metas[place].ground());
    }
    auto& detail = ctx.New<v1::Detail>();
    FillDetailSubject(decided.question, subject, &detail);
    detail.set_sender(placed.item.sender());
    auto* recipient = detail.add_recipients();
    recipient->set_oin(placed.recipient.str());
    recipient->set_outcome(v1::OUTCOME_PERMITTED);
    const auto& slot = queued.signal.recipients(static_cast<int>(placed.item.slot()));
    if (slot.has_function()) *recipient->mutable_function() = slot.function();
    detail.mutable_versions()->add_recipient_entries(ctx.caller().entry_version);
    FillDetail(decided.question, subject, 0, decided.slot, &detail);
    *out->add_receipts() = ctx.AddRecord(std::move(record), &detail);
  }
}

// Remembers who read what on the strength of which statement.
void RememberReliance(Context& ctx, PlacedItem& placed, const Redecision& decided) {
  state::v1::ReliedDelivery relied;
  relied.set_recipient(placed.recipient.str());
  relied.set_signal_id(placed.item.signal_id());
  relied.set_sender(placed.item.sender());
  relied.set_delivered_us(ctx.now_us());
  for (uint32_t place : decided.slot.permitted) {
    relied.add_categories(decided.question.metas[place].category());
  }
  uint16_t number = ctx.NextNumber();
  for (const auto& statement : ReliedOn(decided.question, decided.slot)) {
    Bytes key = keys::RelianceOfDelivery(statement, ctx.position(), number);
    ctx.Put(Family::kHot, key, relied);
    placed.item.add_reliance_keys(key);
  }
}

// What the recipient gets of it. The content is used up.
Result<v1::DeliveredSignal> OpenQueued(Context& ctx, const PlacedItem& placed, QueuedSignal& queued,
                                       const Redecision& decided) {
  state::v1::StoredWraps apart;
  const bool one_reader = queued.content.has_wraps();
  if (!one_reader) {
    SCHAKEL_ASSIGN(bool has_wraps,
                   ctx.Get(Family::kContent, keys::Wraps(placed.recipient, placed.key), &apart));
    if (!has_wraps) {
      return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a queued signal has no wraps");
    }
  }
  v1::DeliveredSignal signal;
  FillSignal(queued, one_reader ? queued.content.wraps() : apart, decided.slot.permitted, &signal);
  return signal;
}

// Records a hand-over and remembers what it showed and relied on. The caller writes the inbox item.
void RecordHandOver(Context& ctx, PlacedItem& placed, const QueuedSignal& queued,
                    const Redecision& decided, uint64_t until_us, LeasedItem* item) {
  RecordDelivery(ctx, placed, queued, decided, item->delivery_id, until_us,
                 item->delivery.mutable_signal());
  for (uint16_t subject : SubjectsRead(decided)) {
    const auto& routed = queued.signal.subjects(subject);
    auto& shown = *placed.item.mutable_shown_labels();
    if (std::find(shown.begin(), shown.end(), routed.label()) == shown.end()) {
      *shown.Add() = routed.label();
    }
    for (const auto& pair : routed.ref().pairs()) {
      if (pair.epoch() != 0) item->subjects.push_back(pair.value());
    }
  }
  RememberReliance(ctx, placed, decided);
}

void FillLease(const PlacedItem& placed, uint64_t until_us, LeasedItem* item) {
  item->delivery.set_delivery_id(item->delivery_id.str());
  item->delivery.set_attempt(placed.item.attempts());
  SetTimestamp(until_us, item->delivery.mutable_lease_until());
}

// What became of one ready item.
enum class Taken { kLeased, kEnded, kNoRoom };

Result<Taken> DeliverSignal(Context& ctx, PlacedItem& placed, const Deliver& command,
                            uint64_t until_us, size_t* bytes, Leased* leased) {
  SCHAKEL_ASSIGN(auto queued, LoadQueued(ctx, placed));
  SCHAKEL_ASSIGN(auto decided, Redecide(ctx, placed, queued));
  if (decided.slot.permitted.empty()) {
    SCHAKEL_TRY(Withhold(ctx, placed, decided.slot.reason, decided.slot.subject_dependent));
    return Taken::kEnded;
  }
  LeasedItem item;
  SCHAKEL_ASSIGN(*item.delivery.mutable_signal(), OpenQueued(ctx, placed, queued, decided));
  size_t size = item.delivery.signal().ByteSizeLong();
  if (*bytes != 0 && *bytes + size > command.bytes_max) return Taken::kNoRoom;
  *bytes += size;
  item.delivery_id = ctx.NewDeliveryId();
  placed.item.clear_reliance_keys();
  RecordHandOver(ctx, placed, queued, decided, until_us, &item);
  Lease(ctx, placed, item.delivery_id, until_us, !command.fetch_id);
  MarkDelivered(ctx, placed, queued.signal);
  FillLease(placed, until_us, &item);
  leased->items.push_back(std::move(item));
  return Taken::kLeased;
}

void DeliverNotice(Context& ctx, PlacedItem& placed, const Deliver& command, uint64_t until_us,
                   Leased* leased) {
  LeasedItem item;
  item.delivery_id = ctx.NewDeliveryId();
  v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_DELIVERY);
  record.set_event_id(ctx.NewEventId());
  record.set_signal_id(placed.item.signal_id());
  record.mutable_facts()->set_delivery_id(item.delivery_id.str());
  record.mutable_facts()->set_notice(NoticeName(placed.item.notice().kind()));
  record.mutable_facts()->set_alias(placed.item.notice().alias());
  record.mutable_facts()->set_lease_until_us(until_us);
  ctx.AddRecord(std::move(record));
  Lease(ctx, placed, item.delivery_id, until_us, !command.fetch_id);
  *item.delivery.mutable_notice() = placed.item.notice();
  FillLease(placed, until_us, &item);
  leased->items.push_back(std::move(item));
}

// The same fetch id while its lease lasts: the same items again, as far as they are still its own.
Result<Leased> RepeatFetch(Context& ctx, const state::v1::FetchState& fetch) {
  Leased leased;
  for (int i = 0; i < fetch.items_size(); ++i) {
    const auto key = *ItemKey::Parse(fetch.items(i));
    // A notice that ended meanwhile is forgotten before the fetch is.
    SCHAKEL_ASSIGN(auto raw, ctx.GetRaw(Family::kHot, keys::Item(ctx.caller().organisation, key)));
    if (!raw) continue;
    SCHAKEL_ASSIGN(auto placed, LoadItem(ctx, ctx.caller().organisation, key));
    const auto& ids = placed.item.delivery_ids();
    if (placed.item.state() != state::v1::ITEM_STATE_LEASED || ids.empty() ||
        *ids.rbegin() != fetch.delivery_ids(i)) {
      continue;
    }
    if (ctx.now_ms() >= placed.item.expires_ms()) {
      SCHAKEL_TRY(ExpireItem(ctx, placed));
      continue;
    }
    LeasedItem item;
    item.delivery_id = *DeliveryId::From(fetch.delivery_ids(i));
    if (placed.item.has_notice()) {
      *item.delivery.mutable_notice() = placed.item.notice();
    } else {
      SCHAKEL_ASSIGN(auto queued, LoadQueued(ctx, placed));
      SCHAKEL_ASSIGN(auto decided, Redecide(ctx, placed, queued));
      if (decided.slot.permitted.empty()) {
        SCHAKEL_TRY(Withhold(ctx, placed, decided.slot.reason, decided.slot.subject_dependent));
        continue;
      }
      SCHAKEL_ASSIGN(*item.delivery.mutable_signal(), OpenQueued(ctx, placed, queued, decided));
      RecordHandOver(ctx, placed, queued, decided, placed.item.lease_until_us(), &item);
      ctx.Put(Family::kHot, keys::Item(placed.recipient, placed.key), placed.item);
    }
    FillLease(placed, placed.item.lease_until_us(), &item);
    leased.items.push_back(std::move(item));
  }
  return leased;
}

}  // namespace

Result<Answer> Apply(Context& ctx, const Deliver& command) {
  const auto& recipient = ctx.caller().organisation;
  if (command.fetch_id) {
    state::v1::FetchState fetch;
    SCHAKEL_ASSIGN(bool known,
                   ctx.Get(Family::kHot, keys::Fetch(recipient, *command.fetch_id), &fetch));
    if (known && ctx.now_us() < fetch.lease_until_us()) {
      SCHAKEL_ASSIGN(auto again, RepeatFetch(ctx, fetch));
      return Answer(std::move(again));
    }
  }
  Leased leased;
  state::v1::InboxHead head;
  SCHAKEL_ASSIGN(bool has_inbox, ctx.Get(Family::kHot, keys::Head(recipient), &head));
  if (!has_inbox) return Answer(std::move(leased));
  size_t max = std::min<size_t>(command.items_max, limits::kDeliverPerCommandMax);
  SCHAKEL_ASSIGN(auto ready, FindReady(ctx, recipient, &head, max));
  if (ready.empty()) return Answer(std::move(leased));
  ctx.Put(Family::kHot, keys::Head(recipient), head);
  leased.more = ready.size() > max;
  if (leased.more) ready.pop_back();

  auto until_us = ctx.now_us() + static_cast<uint64_t>(command.lease.count());
  size_t bytes = 0;
  for (const auto& key : ready) {
    SCHAKEL_ASSIGN(auto placed, LoadItem(ctx, recipient, key));
    Taken taken = Taken::kLeased;
    if (ctx.now_ms() >= placed.item.expires_ms()) {
      SCHAKEL_TRY(ExpireItem(ctx, placed));
      taken = Taken::kEnded;
    } else if (placed.item.has_notice()) {
      DeliverNotice(ctx, placed, command, until_us, &leased);
    } else {
      SCHAKEL_ASSIGN(taken, DeliverSignal(ctx, placed, command, until_us, &bytes, &leased));
    }
    // One that ended may have made its successor ready; what had no room waits.
    if (taken != Taken::kLeased) leased.more = true;
    if (taken == Taken::kNoRoom) break;
  }
  if (command.fetch_id && !leased.items.empty()) {
    state::v1::FetchState fetch;
    fetch.set_lease_until_us(until_us);
    for (const auto& item : leased.items) {
      fetch.add_delivery_ids(item.delivery_id.str());
      SCHAKEL_ASSIGN(auto raw, ctx.GetRaw(Family::kHot, keys::Delivery(item.delivery_id)));
      if (!raw) return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a delivery is missing");
      fetch.add_items(raw->substr(20));
    }
    ctx.Put(Family::kHot, keys::Fetch(recipient, *command.fetch_id), fetch);
    ctx.PutRaw(
        Family::kHot,
        keys::Timer(until_us, TimerKind::kForgetFetch, recipient.str() + command.fetch_id->str()),
        {});
  }
  return Answer(std::move(leased));
}

Status ForgetFetch(Context& ctx, BytesView payload) {
  Bytes key = keys::Fetch(*OrganisationId::From(payload.substr(0, 20)),
                          *RequestId::From(payload.substr(20)));
  state::v1::FetchState fetch;
  SCHAKEL_ASSIGN(bool found, ctx.Get(Family::kHot, key, &fetch));
  // The id may have been used anew meanwhile.
  if (found && fetch.lease_until_us() <= ctx.now_us()) ctx.Delete(Family::kHot, std::move(key));
  return {};
}

}  // namespace schakel::machine
