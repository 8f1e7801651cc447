// Bundles as they were activated, and a decision explained.
#pragma once

#include "broker/query/bundles.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/policy.pb.h"

namespace schakel::query {

// FIELD_INVALID digest; NOT_FOUND.
Result<v1::GetPolicyResponse> GetPolicy(const store::StateReader& state,
                                        const v1::GetPolicyRequest& request);

// How a bundle decides a made-up question about a made-up subject, between organisations as they
// stand in the directory now. Reads no statement of anybody. FIELD_INVALID, FIELD_MISSING;
// NOT_FOUND for the bundle, the sender and the recipient; FUNCTION_UNRESOLVED.
Result<v1::ExplainResponse> Explain(const store::StateReader& state, Bundles& bundles,
                                    const v1::ExplainRequest& request);

}  // namespace schakel::query
