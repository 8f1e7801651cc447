// Who exchanged or consulted what about a person: what that person may ask for.
#pragma once

#include "broker/base/ids.h"
#include "broker/query/bundles.h"
#include "broker/query/page_token.h"
#include "broker/query/scope.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/audit.pb.h"

namespace schakel::query {

// Before it is ordered: FIELD_MISSING, FIELD_INVALID, TOO_LARGE, SUBJECT_REF_INVALID,
// PAGE_TOKEN_INVALID.
Status CheckSubjectReport(const PageTokens& tokens, const OrganisationId& caller,
                          const v1::SubjectReportRequest& request);

// Oldest first: the records about the subject under any of its pairs, and those about an unlinked
// subject to which a recipient attached this one (the attachment itself must be in scope: it is a
// fact of the recipient's record). Names and contacts are those of the directory now.
// LIMIT: RESOURCE_EXHAUSTED TOO_LARGE when more than limits::kScanPerQueryMax records are about the
// subject; QueryRecords gives those in pages. Errors as CheckSubjectReport. INVARIANT: what it says
// of destroyed records depends on the active bundle and the time alone, never on the subject.
Result<v1::SubjectReportResponse> SubjectReport(const store::StateReader& state, Bundles& bundles,
                                                const PageTokens& tokens,
                                                const OrganisationId& caller,
                                                const machine::QueryGrant& grant,
                                                const v1::SubjectReportRequest& request);

}  // namespace schakel::query
