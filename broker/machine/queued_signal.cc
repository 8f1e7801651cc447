#include "broker/machine/queued_signal.h"

#include <algorithm>

namespace schakel::machine {

using store::Family;

namespace {
Error Lost(const char* what) { return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", what); }
}  // namespace

Result<QueuedSignal> LoadQueued(const Context& ctx, const PlacedItem& placed) {
  QueuedSignal queued;
  auto sender = *OrganisationId::From(placed.item.sender());
  auto signal_id = *SignalId::From(placed.item.signal_id());
  SCHAKEL_ASSIGN(bool has_state,
                 ctx.Get(Family::kHot, keys::Signal(sender, signal_id), &queued.signal));
  SCHAKEL_ASSIGN(bool has_content, ctx.Get(Family::kContent, keys::SignalContent(sender, signal_id),
                                           &queued.content));
  if (!has_state || !has_content) return Lost("a queued signal is missing");
  for (const auto& section : queued.content.sections()) {
    auto& meta = queued.metas.emplace_back();
    auto& places = queued.section_subjects.emplace_back();
    if (section.meta().empty()) continue;  // permitted to nobody: not kept
    if (!meta.ParseFromString(section.meta())) return Lost("a queued section has no meta");
    for (const auto& label : meta.subject_labels()) {
      for (int k = 0; k < queued.signal.subjects_size(); ++k) {
        if (queued.signal.subjects(k).label() == label) places.push_back(static_cast<uint16_t>(k));
      }
    }
  }
  return queued;
}

Result<Redecision> Redecide(Context& ctx, const PlacedItem& placed, const QueuedSignal& queued) {
  Redecision again;
  auto digest = Digest::From(ctx.meta().active_bundle());
  if (!digest) return Lost("no bundle is active");
  SCHAKEL_ASSIGN(auto bundle, ctx.facts().ActiveBundle(ctx));
  SCHAKEL_ASSIGN(auto sender, ctx.FindOrganisation(*OrganisationId::From(placed.item.sender())));
  if (!sender) return Lost("a signal's sender is missing in the directory");
  SignalFacts facts{queued.signal.signal_type(), queued.signal.purpose(), queued.signal.case_id(),
                    ctx.now_ms()};
  SCHAKEL_ASSIGN(again.question,
                 PrepareQuestion(ctx.view(), &ctx.facts(), bundle, *digest, facts, *sender,
                                 queued.signal.subjects(), queued.metas, queued.section_subjects));
  SCHAKEL_ASSIGN(auto recipient, ctx.FindOrganisation(placed.recipient));
  const auto& slot = queued.signal.recipients(static_cast<int>(placed.item.slot()));
  if (!recipient || recipient->disabled() || sender->disabled()) {
    again.slot = DenySlot("RECIPIENT_UNAVAILABLE");
    return again;
  }
  again.slot = DecideSlot(again.question, &ctx.facts(), *recipient,
                          slot.has_function() ? &slot.function() : nullptr,
                          {slot.permitted().begin(), slot.permitted().end()});
  // A sender that recorded a statement about each subject itself is told the reason in full.
  auto knows = KnowsSubject(again.question, *OrganisationId::From(placed.item.sender()));
  if (std::find(knows.begin(), knows.end(), false) == knows.end()) {
    again.slot.subject_dependent = false;
  }
  return again;
}

}  // namespace schakel::machine
