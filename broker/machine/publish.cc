// A signal is decided, recorded and queued, or refused as a whole.
#include <algorithm>

#include "broker/base/limits.h"
#include "broker/machine/alias.h"
#include "broker/machine/decide_signal.h"
#include "broker/machine/handlers.h"
#include "broker/machine/inbox.h"

namespace schakel::machine {

using store::Family;

namespace {

uint64_t Ms(Millis ms) { return static_cast<uint64_t>(ms.count()); }

// The first answer again: what was decided at publish, whatever became of it since (I7).
Result<Answer> FirstAnswer(const Context& ctx, const SignalId& id,
                           const state::v1::SignalState& signal) {
  v1::SignalAccepted accepted;
  accepted.set_signal_id(id.str());
  accepted.set_alias(signal.alias());
  for (const auto& slot : signal.recipients()) {
    auto* outcome = accepted.add_outcomes();
    outcome->set_recipient(slot.outcome().recipient());
    *outcome->mutable_permitted_categories() = slot.outcome().permitted_categories();
    *outcome->mutable_denials() = slot.outcome().denials();
    bool queued = slot.permitted_size() > 0;
    outcome->set_state(queued ? v1::RECIPIENT_STATE_QUEUED : v1::RECIPIENT_STATE_DENIED);
    if (!queued) outcome->set_reason(slot.outcome().reason());
    SetTimestamp(signal.published_us(), outcome->mutable_changed());
  }
  for (uint32_t i = 0; i < signal.record_count(); ++i) {
    SCHAKEL_ASSIGN(*accepted.add_receipts(), ctx.Receipt(signal.first_index() + i));
  }
  return Answer(std::move(accepted));
}

Status CheckTimes(const Context& ctx, const v1::Header& header) {
  uint64_t now = ctx.now_ms();
  if (header.created_ms() > now + Ms(limits::kCreatedAheadMax)) {
    return InvalidArgument("CREATED_IN_FUTURE", "header.created_ms",
                           "more than 5 minutes ahead of the broker's clock");
  }
  if (header.created_ms() + Ms(limits::kCreatedAgeMax) < now) {
    return InvalidArgument("CREATED_TOO_OLD", "header.created_ms",
                           "more than 24 hours ago; seal it again under a new id");
  }
  if (header.expires_ms() <= now || header.expires_ms() <= header.created_ms() ||
      header.expires_ms() > header.created_ms() + Ms(limits::kExpiryMax)) {
    return InvalidArgument("EXPIRY_OUT_OF_RANGE", "header.expires_ms",
                           "after now and at most 90 days after created expected");
  }
  return {};
}

Status CheckSender(const Context& ctx, const ParsedEnvelope& e) {
  if (e.sender != ctx.caller().organisation) {
    return MakeError(ErrorCode::kPermissionDenied, "SENDER_MISMATCH",
                     "the sender is not the organisation that calls", "header.sender");
  }
  if (e.routing.actor() != ctx.caller().actor) {
    return InvalidArgument("ACTOR_MISMATCH", "routing.actor", "the call's schakel-actor expected");
  }
  SCHAKEL_ASSIGN(auto key_set, ctx.FindKeySet(e.sender_key_set));
  if (!key_set || key_set->oin() != e.sender.str() ||
      e.header.created_ms() < key_set->not_before_ms() ||
      e.header.created_ms() >= key_set->not_after_ms()) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_UNKNOWN",
                     "a key set of the sender, valid at created, expected",
                     "header.sender_key_set_digest");
  }
  return {};
}

// Which sections have a wrap that the recipient can still open.
Status OfferSections(const Context& ctx, const ParsedEnvelope& e, size_t slot,
                     std::vector<uint32_t>* offered, std::vector<uint32_t>* reseal) {
  for (int i = 0; i < e.envelope.sections_size(); ++i) {
    int wrap = e.wraps[slot][static_cast<size_t>(i)];
    if (wrap < 0) continue;
    auto digest = Digest::From(e.envelope.sections(i).wraps(wrap).recipient_key_set_digest());
    SCHAKEL_ASSIGN(auto key_set, ctx.FindKeySet(*digest));
    bool usable = key_set && key_set->oin() == e.recipients[slot].str() &&
                  ctx.now_ms() < key_set->not_after_ms();
    (usable ? offered : reseal)->push_back(static_cast<uint32_t>(i));
  }
  return {};
}

Result<SlotDecision> DecideRecipientSlot(Context& ctx, const ParsedEnvelope& e, size_t slot,
                                         const SignalQuestion& question, v1::Detail* versions) {
  SCHAKEL_ASSIGN(auto recipient, ctx.FindOrganisation(e.recipients[slot]));
  versions->mutable_versions()->add_recipient_entries(recipient ? recipient->version() : 0);
  if (!recipient || recipient->disabled() || recipient->organisation().role() != v1::ROLE_PARTNER ||
      recipient->key_set_digest().empty()) {
    return DenySlot("RECIPIENT_UNAVAILABLE");
  }
  const auto& routed = e.routing.recipients(static_cast<int>(slot));
  if (routed.has_function()) {
    auto oin = question.bundle->Resolve({routed.function().function(), routed.function().area()});
    if (!oin || *oin != e.recipients[slot]) return DenySlot("FUNCTION_UNRESOLVED");
  }
  state::v1::InboxHead head;
  SCHAKEL_ASSIGN(bool has_head, ctx.Get(Family::kHot, keys::Head(e.recipients[slot]), &head));
  if (has_head && head.open_items() >= limits::kPendingPerRecipientMax)
    return DenySlot("INBOX_FULL");

  std::vector<uint32_t> offered;
  std::vector<uint32_t> reseal;
  SCHAKEL_TRY(OfferSections(ctx, e, slot, &offered, &reseal));
  if (offered.empty()) {
    auto decision = DenySlot("RESEAL_NEEDED");
    decision.reseal = std::move(reseal);
    return decision;
  }
  auto decision =
      DecideSlot(question, &ctx.facts(), *recipient,
                 routed.has_function() ? &routed.function() : nullptr, std::move(offered));
  decision.reseal = std::move(reseal);
  return decision;
}

// One record for each subject, under one event id. Party is the sender alone.
void WriteRecords(Context& ctx, const ParsedEnvelope& e, const SignalQuestion& question,
                  const std::vector<SlotDecision>& slots, const v1::Detail& versions,
                  const state::v1::SignalState& signal, v1::SignalAccepted* accepted) {
  Bytes event = ctx.NewEventId();
  for (int s = 0; s < e.routing.subjects_size(); ++s) {
    auto subject = static_cast<uint16_t>(s);
    v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_PUBLISH);
    record.set_event_id(event);
    record.set_subject_label(e.routing.subjects(s).label());
    record.set_case_id(e.routing.case_id());
    record.set_signal_id(e.signal_id.str());
    record.set_signal_type(e.header.signal_type());
    record.set_purpose(e.header.purpose());
    record.set_bundle_digest(question.bundle_digest.str());
    record.set_envelope_digest(e.digest.str());
    record.mutable_facts()->set_alias(signal.alias());
    auto& detail = ctx.New<v1::Detail>();
    detail = versions;
    FillDetailSubject(question, subject, &detail);
    std::vector<bool> permitted(question.sections.size(), false);
    std::string reason;
    for (size_t i = 0; i < slots.size(); ++i) {
      auto* recipient = detail.add_recipients();
      recipient->set_oin(e.recipients[i].str());
      const auto& routed = e.routing.recipients(static_cast<int>(i));
      if (routed.has_function()) *recipient->mutable_function() = routed.function();
      bool any = !slots[i].permitted.empty();
      recipient->set_outcome(any ? v1::OUTCOME_PERMITTED : v1::OUTCOME_DENIED);
      recipient->set_reason(slots[i].reason);
      FillDetail(question, subject, static_cast<uint32_t>(i), slots[i], &detail);
      for (uint32_t place : slots[i].permitted) permitted[place] = true;
      if (reason.empty()) reason = signal.recipients(static_cast<int>(i)).outcome().reason();
    }
    bool any_section = false;
    for (size_t i = 0; i < permitted.size(); ++i) {
      const auto& about = question.sections[i].subjects;
      if (!permitted[i] || std::find(about.begin(), about.end(), subject) == about.end()) continue;
      auto* section = record.add_sections();
      section->set_category(question.metas[i].category());
      section->set_ground(question.metas[i].ground());
      any_section = true;
    }
    record.set_outcome(any_section ? v1::OUTCOME_PERMITTED : v1::OUTCOME_DENIED);
    if (!any_section) record.set_reason(reason.empty() ? "NO_RULE" : reason);
    *accepted->add_receipts() = ctx.AddRecord(std::move(record), &detail);
  }
}

// Content as it is kept: sections that somebody gets; wraps by recipient.
void StoreContent(Context& ctx, const ParsedEnvelope& e, const std::vector<SlotDecision>& slots,
                  bool one_reader) {
  std::vector<bool> kept(static_cast<size_t>(e.envelope.sections_size()), false);
  auto& stored = ctx.New<state::v1::StoredSignal>();
  for (size_t slot = 0; slot < slots.size(); ++slot) {
    if (slots[slot].permitted.empty()) continue;
    auto& wraps = one_reader ? *stored.mutable_wraps() : ctx.New<state::v1::StoredWraps>();
    for (uint32_t place : slots[slot].permitted) {
      kept[place] = true;
      wraps.add_sections(place);
      *wraps.add_wraps() = e.envelope.sections(static_cast<int>(place)).wraps(e.wraps[slot][place]);
    }
    if (one_reader) continue;
    ctx.Put(Family::kContent,
            keys::Wraps(e.recipients[slot], {ctx.position(), static_cast<uint16_t>(slot)}), wraps);
  }
  stored.set_header(e.envelope.header());
  *stored.mutable_values() = e.envelope.values();
  *stored.mutable_proof() = e.envelope.proof();
  for (int i = 0; i < e.envelope.sections_size(); ++i) {
    auto* section = stored.add_sections();
    if (!kept[static_cast<size_t>(i)]) continue;
    const auto& from = e.envelope.sections(i);
    section->set_sid(from.sid());
    section->set_meta(from.meta());
    section->set_commitment(from.commitment());
    section->set_ciphertext(from.ciphertext());
  }
  ctx.Put(Family::kContent, keys::SignalContent(e.sender, e.signal_id), stored);
}

Status EnqueueFor(Context& ctx, const ParsedEnvelope& e, size_t slot) {
  PlacedItem placed{e.recipients[slot], {ctx.position(), static_cast<uint16_t>(slot)}, {}};
  placed.item.set_sender(e.sender.str());
  placed.item.set_signal_id(e.signal_id.str());
  placed.item.set_slot(static_cast<uint32_t>(slot));
  placed.item.set_urgency(e.header.urgency());
  placed.item.set_case_id(e.routing.case_id());
  placed.item.set_expires_ms(e.header.expires_ms());
  for (const auto& routed : e.routing.subjects()) {
    for (const auto& pair : routed.ref().pairs()) {
      if (pair.epoch() != 0) {
        ctx.PutRaw(Family::kHot, keys::QueuedAbout(pair, placed.recipient, placed.key), {});
      }
    }
  }
  return Enqueue(ctx, placed);
}

}  // namespace

Result<Answer> Apply(Context& ctx, const PublishEnvelope& command) {
  const ParsedEnvelope& e = *command.envelope;
  Bytes key = keys::Signal(e.sender, e.signal_id);
  auto& signal = ctx.New<state::v1::SignalState>();
  // INVARIANT I7: known ids first, whatever their age; only to the sender itself.
  if (e.sender == ctx.caller().organisation) {
    SCHAKEL_ASSIGN(bool known, ctx.Get(Family::kHot, key, &signal));
    if (known && signal.envelope_digest() == e.digest.view()) {
      return FirstAnswer(ctx, e.signal_id, signal);
    }
    if (known) {
      return MakeError(ErrorCode::kAlreadyExists, "ALREADY_EXISTS",
                       "this signal id was used for another envelope", "header.signal_id");
    }
  }
  SCHAKEL_TRY(CheckSender(ctx, e));
  if (e.header.region() != ctx.meta().region()) {
    return InvalidArgument("REGION_WRONG", "header.region",
                           "is not this broker's region " + ctx.meta().region());
  }
  SCHAKEL_TRY(CheckTimes(ctx, e.header));
  SCHAKEL_ASSIGN(auto bundle, ctx.facts().ActiveBundle(ctx));
  auto bundle_digest = *Digest::From(ctx.meta().active_bundle());
  for (int i = 0; i < e.routing.subjects_size(); ++i) {
    SCHAKEL_TRY(CheckEpochs(*bundle, e.routing.subjects(i).ref(), false,
                            FieldPath("routing.subjects", i, "ref")));
  }
  SCHAKEL_ASSIGN(auto sender, ctx.FindOrganisation(e.sender));
  SignalFacts facts{e.header.signal_type(), e.header.purpose(), e.routing.case_id(), ctx.now_ms()};
  SCHAKEL_ASSIGN(auto question,
                 PrepareQuestion(ctx.view(), &ctx.facts(), bundle, bundle_digest, facts, *sender,
                                 e.routing.subjects(), e.metas, e.section_subjects));
  std::vector<Bytes> sids;
  for (const auto& section : e.envelope.sections()) sids.push_back(section.sid());
  auto knows = KnowsSubject(question, e.sender);

  std::vector<SlotDecision> slots;
  auto& versions = ctx.New<v1::Detail>();
  for (size_t slot = 0; slot < e.recipients.size(); ++slot) {
    SCHAKEL_ASSIGN(auto decision, DecideRecipientSlot(ctx, e, slot, question, &versions));
    auto* state = signal.add_recipients();
    const auto& routed = e.routing.recipients(static_cast<int>(slot));
    state->mutable_outcome()->set_recipient(e.recipients[slot].str());
    FillOutcome(question, decision, knows, sids, state->mutable_outcome());
    SetTimestamp(ctx.now_us(), state->mutable_outcome()->mutable_changed());
    if (routed.has_function()) *state->mutable_function() = routed.function();
    state->mutable_permitted()->Add(decision.permitted.begin(), decision.permitted.end());
    slots.push_back(std::move(decision));
  }

  // Decided; from here on everything is written.
  v1::SignalAccepted accepted;
  accepted.set_signal_id(e.signal_id.str());
  signal.set_alias(NextAlias(ctx));
  accepted.set_alias(signal.alias());
  signal.set_envelope_digest(e.digest.str());
  signal.set_position(ctx.position());
  signal.set_first_index(ctx.meta().tree_size());
  signal.set_record_count(static_cast<uint32_t>(e.routing.subjects_size()));
  signal.set_published_us(ctx.now_us());
  signal.set_expires_ms(e.header.expires_ms());
  signal.set_urgency(e.header.urgency());
  signal.set_case_id(e.routing.case_id());
  signal.set_signal_type(e.header.signal_type());
  signal.set_purpose(e.header.purpose());
  signal.set_bundle_digest(bundle_digest.str());
  *signal.mutable_subjects() = e.routing.subjects();
  uint64_t ends_us = e.header.expires_ms() * 1000;
  uint64_t stalls_us = ctx.now_us() + Ms(bundle->StalledAfter(e.header.signal_type())) * 1000;
  if (stalls_us < ends_us) signal.set_stalled_us(stalls_us);
  WriteRecords(ctx, e, question, slots, versions, signal, &accepted);
  uint32_t open = 0;
  for (size_t slot = 0; slot < slots.size(); ++slot) {
    if (slots[slot].permitted.empty()) continue;
    ++open;
    SCHAKEL_TRY(EnqueueFor(ctx, e, slot));
  }
  signal.set_open_recipients(open);
  for (const auto& slot : signal.recipients()) {
    *accepted.add_outcomes() = slot.outcome();
    signal.add_feed_cursors(ctx.AddFeed(e.sender, e.signal_id.view(), slot.outcome()));
  }
  if (open > 0) {
    StoreContent(ctx, e, slots, open == 1);
    ctx.PutRaw(Family::kHot,
               keys::Timer(std::min(stalls_us, ends_us), TimerKind::kSignalExpiry,
                           e.sender.str() + e.signal_id.str()),
               {});
  }
  // INVARIANT I7: what answers a retry stays a term and a day behind the signal's end. Types that
  // the bundle does not know share one queue, so that nobody makes as many as it likes.
  bool typed = bundle->FindSignalType(e.header.signal_type()) != nullptr;
  ctx.PutRaw(Family::kHot,
             keys::SignalEnd(typed ? e.header.signal_type() : "", e.header.expires_ms(), e.sender,
                             e.signal_id),
             {});
  ctx.Put(Family::kHot, key, signal);
  return Answer(std::move(accepted));
}

}  // namespace schakel::machine
