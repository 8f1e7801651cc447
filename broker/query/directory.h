// The directory as any member reads it.
#pragma once

#include "broker/base/ids.h"
#include "broker/query/bundles.h"
#include "broker/query/page_token.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/directory.pb.h"

namespace schakel::query {

// With the current key set, or the one that key_set_digest names, also an older one.
// FIELD_INVALID oin, key_set_digest; NOT_FOUND.
Result<v1::GetOrganisationResponse> GetOrganisation(const store::StateReader& state,
                                                    const v1::GetOrganisationRequest& request);

// By OIN, each with its current key set. FIELD_INVALID page_size; PAGE_TOKEN_INVALID.
Result<v1::ListOrganisationsResponse> ListOrganisations(
    const store::StateReader& state, const PageTokens& tokens, const OrganisationId& caller,
    const v1::ListOrganisationsRequest& request);

// By the active bundle. FIELD_MISSING function; NOT_FOUND FUNCTION_UNRESOLVED when the bundle gives
// the function to nobody, or to an organisation that is not (or no longer) admitted.
Result<v1::ResolveFunctionResponse> ResolveFunction(const store::StateReader& state,
                                                    Bundles& bundles,
                                                    const v1::ResolveFunctionRequest& request);

}  // namespace schakel::query
