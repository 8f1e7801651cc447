#include "broker/query/signals.h"

#include <algorithm>

#include "broker/machine/context.h"
#include "broker/machine/keys.h"
#include "broker/query/reading.h"
#include "broker/query/sent_signals.h"

namespace schakel::query {

using store::Family;

namespace {

v1::SignalSummary Summary(const SignalId& id, const state::v1::SignalState& signal) {
  v1::SignalSummary summary;
  summary.set_signal_id(id.str());
  summary.set_signal_type(signal.signal_type());
  summary.set_purpose(signal.purpose());
  summary.set_urgency(signal.urgency());
  machine::SetTimestamp(signal.published_us(), summary.mutable_published());
  machine::SetTimestamp(signal.expires_ms() * 1000, summary.mutable_expires());
  summary.set_case_id(signal.case_id());
  for (const auto& slot : signal.recipients()) *summary.add_outcomes() = slot.outcome();
  summary.set_envelope_digest(signal.envelope_digest());
  summary.set_alias(signal.alias());
  return summary;
}

Status CheckStates(const v1::ListSignalsRequest& request) {
  for (int state : request.states()) {
    if (state == v1::RECIPIENT_STATE_UNSPECIFIED || !v1::RecipientState_IsValid(state)) {
      return InvalidArgument("FIELD_INVALID", "states", "states of recipients expected");
    }
  }
  return {};
}

bool InOneOf(const state::v1::SignalState& signal, const v1::ListSignalsRequest& request) {
  if (request.states().empty()) return true;
  return std::any_of(signal.recipients().begin(), signal.recipients().end(), [&](const auto& slot) {
    const auto& states = request.states();
    return std::find(states.begin(), states.end(), slot.outcome().state()) != states.end();
  });
}

}  // namespace

Result<v1::GetSignalResponse> GetSignal(const store::StateReader& state,
                                        const OrganisationId& caller,
                                        const v1::GetSignalRequest& request) {
  auto id = SignalId::From(request.signal_id());
  if (!id) {
    return InvalidArgument(request.signal_id().empty() ? "FIELD_MISSING" : "FIELD_INVALID",
                           "signal_id", "16 bytes expected");
  }
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  SCHAKEL_ASSIGN(auto signal, Read<state::v1::SignalState>(state, Family::kHot,
                                                           machine::keys::Signal(caller, *id)));
  if (!signal) return NotFound("the caller sent no signal of that id", "signal_id");
  v1::GetSignalResponse response;
  *response.mutable_signal() = Summary(*id, *signal);
  response.set_position(meta.position());
  return response;
}

Result<v1::ListSignalsResponse> ListSignals(const store::StateReader& state,
                                            const PageTokens& tokens, const OrganisationId& caller,
                                            const v1::ListSignalsRequest& request) {
  SCHAKEL_TRY(CheckStates(request));
  SCHAKEL_ASSIGN(uint32_t size, PageSize(request.page_size()));
  ListId list{"ListSignals", caller.str(), FilterOf(request)};
  SCHAKEL_ASSIGN(auto cursor, tokens.Open(list, request.page_token()));
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));

  v1::ListSignalsResponse response;
  response.set_position(meta.position());
  PageRoom room(size);
  SCHAKEL_ASSIGN(
      const auto scan,
      ScanSent(state, caller, cursor.value_or(""), limits::kScanPerQueryMax,
               [&](const SignalId& id, const state::v1::SignalState& signal) -> Result<bool> {
                 if (!InOneOf(signal, request)) return true;
                 v1::SignalSummary summary = Summary(id, signal);
                 if (!room.Take(summary.ByteSizeLong())) return false;
                 *response.add_signals() = std::move(summary);
                 return true;
               }));
  if (scan.more) {
    SCHAKEL_ASSIGN(*response.mutable_next_page_token(), tokens.Seal(list, scan.last));
  }
  return response;
}

Result<v1::ReadOutcomesResponse> ReadOutcomes(const store::StateReader& state,
                                              const OrganisationId& caller,
                                              const v1::ReadOutcomesRequest& request) {
  SCHAKEL_ASSIGN(uint32_t size, PageSize(request.page_size()));
  if (!request.after().empty() && !machine::ItemKey::Parse(request.after())) {
    return InvalidArgument("FIELD_INVALID", "after",
                           "the cursor of an event, or nothing, expected");
  }
  SCHAKEL_ASSIGN(auto meta, MetaOf(state));
  v1::ReadOutcomesResponse response;
  response.set_position(meta.position());
  Bytes prefix = machine::keys::FeedPrefix(caller);
  Bytes begin = prefix + request.after();
  if (!request.after().empty()) begin.push_back('\0');  // the first key behind the cursor's
  PageRoom room(size);
  Status failed;
  SCHAKEL_TRY(
      state.Scan(Family::kHot, begin, store::PrefixEnd(prefix), [&](BytesView, BytesView value) {
        v1::OutcomeEvent event;
        if (!event.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
          failed = Damaged("a stored value is no OutcomeEvent");
          return false;
        }
        if (!room.Take(value.size())) {
          response.set_more(true);
          return false;
        }
        *response.add_events() = std::move(event);
        return true;
      }));
  SCHAKEL_TRY(std::move(failed));
  return response;
}

}  // namespace schakel::query
