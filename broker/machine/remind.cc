// The chain director reminds those who have to act on a stalled signal: a notice without content to
// each of them, a record of theirs, and one of the director's that names the signal by alias only.
#include "broker/base/limits.h"
#include "broker/machine/handlers.h"
#include "broker/machine/inbox.h"

namespace schakel::machine {

using store::Family;

namespace {

constexpr auto kDayUs = static_cast<uint64_t>(Micros(limits::kReminderEvery).count());

struct Listed {
  ItemKey key;
  state::v1::StalledItem item;
};

Result<std::vector<Listed>> Find(const Context& ctx, const std::string& alias) {
  std::vector<Listed> found;
  bool damaged = false;
  SCHAKEL_TRY(ctx.view().ScanPrefix(Family::kHot, keys::StalledOfAliasPrefix(alias),
                                    [&](BytesView key, BytesView value) {
                                      auto& listed = found.emplace_back();
                                      listed.key = *ItemKey::Parse(key.substr(key.size() - 10));
                                      damaged |= !listed.item.ParseFromString(Bytes(value));
                                      return true;
                                    }));
  if (damaged) {
    return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a stored value is no StalledItem");
  }
  return found;
}

// INVARIANT I9: who was never handed the signal learns its alias and no more: the delivery is still
// to be decided.
Status NotifyOne(Context& ctx, const Listed& listed, const std::string& alias) {
  auto recipient = *OrganisationId::From(listed.item.recipient());
  SCHAKEL_ASSIGN(auto reminded_of, LoadItem(ctx, recipient, listed.key));
  PlacedItem placed{recipient, {ctx.position(), ctx.NextNumber()}, {}};
  placed.item.set_expires_ms(ctx.now_ms() + kDayUs / 1000);
  auto* notice = placed.item.mutable_notice();
  notice->set_kind(v1::NOTICE_KIND_REMINDER);
  notice->set_alias(alias);
  if (!reminded_of.item.shown_labels().empty()) {
    placed.item.set_sender(listed.item.sender());
    placed.item.set_signal_id(listed.item.signal_id());
    notice->set_signal_id(listed.item.signal_id());
    notice->set_sender(listed.item.sender());
  }
  return PlaceNotice(ctx, placed);
}

}  // namespace

Result<Answer> Apply(Context& ctx, const Remind& command) {
  SCHAKEL_ASSIGN(auto listed, Find(ctx, command.alias));
  if (listed.empty()) {
    return MakeError(ErrorCode::kNotFound, "NOT_FOUND", "no stalled signal has this alias",
                     "alias");
  }
  const auto& any = listed.front().item;
  Bytes key = keys::Signal(*OrganisationId::From(any.sender()), *SignalId::From(any.signal_id()));
  state::v1::SignalState signal;
  SCHAKEL_ASSIGN(bool found, ctx.Get(Family::kHot, key, &signal));
  if (!found) {
    return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "a stalled signal is missing");
  }
  v1::RemindResponse response;
  response.set_position(ctx.position());
  response.set_reminded(static_cast<uint32_t>(listed.size()));
  uint64_t again_us = signal.reminded_us() + kDayUs;
  if (signal.reminder_id() == command.request.view()) {
    SetTimestamp(again_us, response.mutable_again_from());
    return Answer(std::move(response));
  }
  if (signal.reminded_us() != 0 && ctx.now_us() < again_us) {
    Error again = MakeError(ErrorCode::kResourceExhausted, "REMINDED_ALREADY",
                            "there was a reminder of this signal in the last 24 hours", "alias");
    again.retry_after_ms = static_cast<int64_t>((again_us - ctx.now_us()) / 1000 + 1);
    return again;
  }
  v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_REMINDER);
  record.set_event_id(ctx.NewEventId());
  record.mutable_facts()->set_alias(command.alias);
  record.mutable_facts()->set_count(listed.size());
  ctx.AddRecord(std::move(record));
  for (const auto& one : listed) SCHAKEL_TRY(NotifyOne(ctx, one, command.alias));
  signal.set_reminded_us(ctx.now_us());
  signal.set_reminder_id(command.request.str());
  ctx.Put(Family::kHot, std::move(key), signal);
  SetTimestamp(ctx.now_us() + kDayUs, response.mutable_again_from());
  return Answer(std::move(response));
}

}  // namespace schakel::machine
