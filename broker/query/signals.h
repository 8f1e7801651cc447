// What a sender may read of its own signals. Nobody else's are found by any id.
#pragma once

#include "broker/base/ids.h"
#include "broker/query/page_token.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/signal.pb.h"

namespace schakel::query {

// FIELD_INVALID signal_id; NOT_FOUND when it is none of the caller's. at_least_position is the
// caller's of this function to wait for.
Result<v1::GetSignalResponse> GetSignal(const store::StateReader& state,
                                        const OrganisationId& caller,
                                        const v1::GetSignalRequest& request);

// Newest first. With `states`: signals of which at least one recipient is in one of them; at most
// limits::kScanPerQueryMax signals are looked at for a page, so a page may be short, or empty, and
// still have a token. FIELD_INVALID page_size, states; PAGE_TOKEN_INVALID.
Result<v1::ListSignalsResponse> ListSignals(const store::StateReader& state,
                                            const PageTokens& tokens, const OrganisationId& caller,
                                            const v1::ListSignalsRequest& request);

// The feed, by cursor. FIELD_INVALID after, page_size.
Result<v1::ReadOutcomesResponse> ReadOutcomes(const store::StateReader& state,
                                              const OrganisationId& caller,
                                              const v1::ReadOutcomesRequest& request);

}  // namespace schakel::query
