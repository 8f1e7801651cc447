#include "broker/query/sent_signals.h"

#include "broker/machine/keys.h"
#include "broker/query/reading.h"

namespace schakel::query {

using store::Family;

namespace {

// Whether an entry may be the first of its signal: later ones hardly ever are, and cost no read.
bool MayBeFirst(const v1::OutcomeEvent& event) {
  const auto state = event.outcome().state();
  return state == v1::RECIPIENT_STATE_QUEUED || state == v1::RECIPIENT_STATE_DENIED;
}

// The signal whose acceptance wrote this entry of the feed; nullopt for an entry of another kind.
Result<std::optional<state::v1::SignalState>> AcceptedBy(const store::StateReader& state,
                                                         const OrganisationId& sender,
                                                         const v1::OutcomeEvent& event,
                                                         const SignalId& id) {
  std::optional<state::v1::SignalState> none;
  if (!MayBeFirst(event)) return none;
  SCHAKEL_ASSIGN(auto signal, Read<state::v1::SignalState>(state, Family::kHot,
                                                           machine::keys::Signal(sender, id)));
  if (!signal || signal->feed_cursors().empty() || signal->feed_cursors(0) != event.cursor()) {
    return none;
  }
  return signal;
}

}  // namespace

Result<SentScan> ScanSent(const store::StateReader& state, const OrganisationId& sender,
                          BytesView before, size_t entries_max, const OnSent& on_sent) {
  const Bytes prefix = machine::keys::FeedPrefix(sender);
  const Bytes end = before.empty() ? store::PrefixEnd(prefix) : prefix + Bytes(before);
  SentScan scan;
  size_t looked = 0;
  Status failed;
  auto look = [&](BytesView value) -> Result<bool> {
    v1::OutcomeEvent event;
    if (!event.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      return Damaged("a stored value is no OutcomeEvent");
    }
    const auto id = SignalId::From(event.signal_id());
    if (!id) return Damaged("an entry of a feed names no signal");
    SCHAKEL_ASSIGN(const auto signal, AcceptedBy(state, sender, event, *id));
    return signal ? on_sent(*id, *signal) : true;
  };
  SCHAKEL_TRY(state.ScanReverse(Family::kHot, prefix, end, [&](BytesView key, BytesView value) {
    const auto goes_on = looked++ < entries_max ? look(value) : Result<bool>(false);
    if (!goes_on.ok()) failed = goes_on.error();
    scan.more = !goes_on.ok() || !*goes_on;
    if (!scan.more) scan.last = Bytes(key.substr(prefix.size()));
    return !scan.more;
  }));
  SCHAKEL_TRY(std::move(failed));
  return scan;
}

}  // namespace schakel::query
