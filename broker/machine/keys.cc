#include "broker/machine/keys.h"

namespace schakel::machine {
namespace {

// 0 sorts before 1: acute items come first.
uint8_t UrgencyByte(schakel::v1::Urgency urgency) {
  return urgency == schakel::v1::URGENCY_ACUTE ? 0 : 1;
}

Bytes Key(char kind, std::initializer_list<BytesView> parts) {
  size_t size = 1;
  for (BytesView part : parts) size += part.size();
  Bytes key;
  key.reserve(size);
  key.push_back(kind);
  for (BytesView part : parts) key.append(part);
  return key;
}

Bytes U64(uint64_t v) { return ByteWriter().U64(v).Take(); }
Bytes Pair(const schakel::v1::SubjectRefPair& pair) {
  return ByteWriter().U32(pair.epoch()).Raw(pair.value()).Take();
}

}  // namespace

Bytes ItemKey::Encode() const { return ByteWriter().U64(position).U16(number).Take(); }

std::optional<ItemKey> ItemKey::Parse(BytesView raw) {
  ByteReader r(raw);
  auto position = r.U64();
  auto number = r.U16();
  if (!r.Done() || !position || !number) return std::nullopt;
  return ItemKey{*position, *number};
}

namespace keys {

Bytes Signal(const OrganisationId& sender, const SignalId& id) {
  return Key('s', {sender.str(), id.view()});
}
Bytes SignalPrefix(const OrganisationId& sender) { return Key('s', {sender.str()}); }
Bytes Item(const OrganisationId& recipient, const ItemKey& item) {
  return Key('i', {recipient.str(), item.Encode()});
}
Bytes ItemPrefix(const OrganisationId& recipient) { return Key('i', {recipient.str()}); }
Bytes ReadyPrefix(const OrganisationId& recipient, schakel::v1::Urgency urgency) {
  return ByteWriter().U8('r').Raw(recipient.str()).U8(UrgencyByte(urgency)).Take();
}
Bytes Ready(const OrganisationId& recipient, schakel::v1::Urgency urgency, const ItemKey& item) {
  return ReadyPrefix(recipient, urgency) + item.Encode();
}
Bytes LinePrefix(const OrganisationId& recipient, schakel::v1::Urgency urgency, BytesView case_id) {
  return ByteWriter().U8('w').Raw(recipient.str()).U8(UrgencyByte(urgency)).Raw(case_id).Take();
}
Bytes Line(const OrganisationId& recipient, schakel::v1::Urgency urgency, BytesView case_id,
           const ItemKey& item) {
  return LinePrefix(recipient, urgency, case_id) + item.Encode();
}
Bytes StalledPrefix() { return "l"; }
Bytes StalledOfAliasPrefix(BytesView alias) { return ByteWriter().U8('l').Lp(alias).Take(); }
Bytes Stalled(BytesView alias, const ItemKey& item) {
  return StalledOfAliasPrefix(alias) + item.Encode();
}
Bytes Head(const OrganisationId& recipient) { return Key('h', {recipient.str()}); }
Bytes Delivery(const DeliveryId& id) { return Key('d', {id.view()}); }
Bytes Fetch(const OrganisationId& recipient, const RequestId& fetch) {
  return Key('f', {recipient.str(), fetch.view()});
}
Bytes OldPulledPrefix() { return "p"; }
Bytes Timer(uint64_t due_us, TimerKind kind, BytesView payload) {
  return ByteWriter().U8('t').U64(due_us).U8(static_cast<uint8_t>(kind)).Raw(payload).Take();
}
Bytes TimersAfterPrefix(uint64_t due_us) { return ByteWriter().U8('t').U64(due_us + 1).Take(); }
Bytes TimerPrefix() { return "t"; }
Bytes Feed(const OrganisationId& sender, uint64_t position, uint16_t number) {
  return Key('e', {sender.str(), ItemKey{position, number}.Encode()});
}
Bytes FeedPrefix(const OrganisationId& sender) { return Key('e', {sender.str()}); }
Bytes SubjectStatementPrefix(const schakel::v1::SubjectRefPair& pair) {
  return Key('c', {Pair(pair)});
}
Bytes SubjectStatement(const schakel::v1::SubjectRefPair& pair, const StatementId& id) {
  return Key('c', {Pair(pair), id.view()});
}
Bytes RecorderStatement(const OrganisationId& recorder, const StatementId& id) {
  return Key('x', {recorder.str(), id.view()});
}
Bytes RecorderStatementPrefix(const OrganisationId& recorder) { return Key('x', {recorder.str()}); }
Bytes QueuedAbout(const schakel::v1::SubjectRefPair& pair, const OrganisationId& recipient,
                  const ItemKey& item) {
  return Key('q', {Pair(pair), recipient.str(), item.Encode()});
}
Bytes QueuedAboutPrefix(const schakel::v1::SubjectRefPair& pair) { return Key('q', {Pair(pair)}); }
Bytes Attached(const OrganisationId& sender, const SignalId& signal, BytesView label,
               const OrganisationId& recipient) {
  return Key('a', {sender.str(), signal.view(), label, recipient.str()});
}
Bytes AttachedPrefix(const OrganisationId& sender, const SignalId& signal) {
  return Key('a', {sender.str(), signal.view()});
}
Bytes RelianceOfDelivery(const StatementId& id, uint64_t position, uint16_t number) {
  return Key('y', {id.view(), ItemKey{position, number}.Encode()});
}
Bytes RelianceOfDeliveryPrefix(const StatementId& id) { return Key('y', {id.view()}); }
Bytes Noticed(const StatementId& id, const OrganisationId& recipient, BytesView signal_id) {
  return Key('v', {id.view(), recipient.str(), signal_id});
}
Bytes NoticedPrefix(const StatementId& id) { return Key('v', {id.view()}); }
Bytes Denied(BytesView organisation, BytesView reason) { return Key('n', {organisation, reason}); }

Bytes Sweeping() { return "u"; }
Bytes SignalEndPrefix() { return "g"; }
Bytes SignalEndPrefix(const std::string& signal_type) {
  return ByteWriter().U8('g').Lp(signal_type).Take();
}
Bytes SignalEnd(const std::string& signal_type, uint64_t expires_ms, const OrganisationId& sender,
                const SignalId& id) {
  return SignalEndPrefix(signal_type) + U64(expires_ms) + sender.str() + id.str();
}
Bytes StatementEndPrefix() { return "o"; }
Bytes StatementEnd(uint64_t end_us, const StatementId& id) {
  return Key('o', {U64(end_us), id.view()});
}

Bytes SignalContent(const OrganisationId& sender, const SignalId& id) {
  return Key('s', {sender.str(), id.view()});
}
Bytes Wraps(const OrganisationId& recipient, const ItemKey& item) {
  return Key('w', {recipient.str(), item.Encode()});
}

Bytes Organisation(const OrganisationId& oin) { return Key('O', {oin.str()}); }
Bytes OrganisationPrefix() { return "O"; }
Bytes OrganisationVersion(const OrganisationId& oin, uint64_t version) {
  return Key('o', {oin.str(), U64(version)});
}
Bytes KeySet(const Digest& digest) { return Key('k', {digest.view()}); }
Bytes KeySetOf(const OrganisationId& oin, uint64_t version) {
  return Key('K', {oin.str(), U64(version)});
}
Bytes Bundle(const Digest& digest) { return Key('b', {digest.view()}); }
Bytes Statement(const StatementId& id) { return Key('s', {id.view()}); }
Bytes Activation(uint64_t time_us, uint64_t index) { return Key('a', {U64(time_us), U64(index)}); }
Bytes ActivationPrefix() { return "a"; }

Bytes SubjectIndexPrefix(const schakel::v1::SubjectRefPair& pair) { return Key('s', {Pair(pair)}); }
Bytes SubjectIndex(const schakel::v1::SubjectRefPair& pair, uint64_t index) {
  return Key('s', {Pair(pair), U64(index)});
}
Bytes PartyIndexPrefix(BytesView organisation) { return Key('p', {organisation}); }
Bytes PartyIndex(BytesView organisation, uint64_t index) {
  return Key('p', {organisation, U64(index)});
}
Bytes Scoured() { return "d"; }
Bytes SignalIndexPrefix(BytesView signal_id) { return Key('g', {signal_id}); }
Bytes SignalIndex(BytesView signal_id, uint64_t index) { return Key('g', {signal_id, U64(index)}); }
Bytes SweepIndexPrefix(BytesView swept) { return ByteWriter().U8('w').Lp(swept).Take(); }
Bytes SweepIndex(BytesView swept, uint64_t time_us, uint64_t index) {
  return SweepIndexPrefix(swept) + U64(time_us) + U64(index);
}

}  // namespace keys
}  // namespace schakel::machine
