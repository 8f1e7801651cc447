// What a partner may read of consents and objections: those that it recorded or that name it.
#pragma once

#include "broker/base/ids.h"
#include "broker/query/page_token.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/consent.pb.h"

namespace schakel::query {

// With a subject: the caller's of it and those that name the caller, in order of recording.
// Without: those that the caller recorded, in order of their ids (UUIDv7, so of the recorder's own
// clock). The record of the look is the machine's (machine::ListStatements); this reads at its
// position or later. FIELD_INVALID page_size; PAGE_TOKEN_INVALID.
Result<v1::ListStatementsResponse> ListStatements(const store::StateReader& state,
                                                  const PageTokens& tokens,
                                                  const OrganisationId& caller,
                                                  const v1::ListStatementsRequest& request);
// What can be checked of it without the state, before a look about a subject becomes a record.
Status CheckListStatements(const PageTokens& tokens, const OrganisationId& caller,
                           const v1::ListStatementsRequest& request);

// Who read something on the strength of a statement: fills earlier_deliveries and next_page_token
// of the answer to its withdrawal, from that request's page_size and page_token, oldest first. To
// the recorder only: NOT_FOUND for everybody else. FIELD_INVALID page_size; PAGE_TOKEN_INVALID.
Status EarlierDeliveries(const store::StateReader& state, const PageTokens& tokens,
                         const OrganisationId& caller, const StatementId& statement,
                         const v1::WithdrawStatementRequest& request,
                         v1::WithdrawStatementResponse* out);
// Checks the page that is asked for, before anything is withdrawn.
Status CheckEarlierDeliveries(const PageTokens& tokens, const OrganisationId& caller,
                              const StatementId& statement,
                              const v1::WithdrawStatementRequest& request);

}  // namespace schakel::query
