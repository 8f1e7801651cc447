// Records as an auditor reads them. The look itself is a record already (machine::RecordQuery);
// this reads at its position or later, within what it granted.
#pragma once

#include "broker/base/ids.h"
#include "broker/query/page_token.h"
#include "broker/query/scope.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/audit.pb.h"

namespace schakel::query {

// What can be said of a request before it is ordered, so that a malformed one leaves no record:
// FIELD_MISSING, FIELD_INVALID, TOO_LARGE, SUBJECT_REF_INVALID, PAGE_TOKEN_INVALID.
Status CheckQueryRecords(const PageTokens& tokens, const OrganisationId& caller,
                         const v1::QueryRecordsRequest& request);

// Oldest first. A page ends when it is full, or when limits::kScanPerQueryMax records were looked
// at; then it has a token, however few it holds: nothing is left out silently. Later pages keep to
// the tree that the first one saw. INVARIANT: in scope own no filter and no token gives a record to
// which none of the granted organisations is a party. What remains of destroyed records is listed
// only to a region's scope without any filter but the index, since nobody can tell what they were.
// Errors as CheckQueryRecords.
Result<v1::QueryRecordsResponse> QueryRecords(const store::StateReader& state,
                                              const PageTokens& tokens,
                                              const OrganisationId& caller,
                                              const machine::QueryGrant& grant,
                                              const v1::QueryRecordsRequest& request);

}  // namespace schakel::query
