// A sender's signals in order of acceptance, read from its feed: the first entry of each signal was
// written when the signal was accepted.
#pragma once

#include <functional>

#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/store/state_reader.h"
#include "schakel/state/v1/state.pb.h"

namespace schakel::query {

struct SentScan {
  bool more = false;  // it ended before the oldest
  Bytes last;         // place of the last entry that is done with; the next scan goes on before it
};

// Called with each; false when it has no room for this one, which is then not done with.
using OnSent = std::function<Result<bool>(const SignalId&, const state::v1::SignalState&)>;

// The newest first; `before` is SentScan::last of the scan that it continues, or empty. Looks at
// `entries_max` entries of the feed at most. Any Error of `on_sent`; DATA_LOSS.
Result<SentScan> ScanSent(const store::StateReader& state, const OrganisationId& sender,
                          BytesView before, size_t entries_max, const OnSent& on_sent);

}  // namespace schakel::query
