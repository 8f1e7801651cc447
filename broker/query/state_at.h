// How it stood at a past moment: who took part, which bundle was active, which consents and
// objections there were, what had been destroyed. The look itself is a record already
// (machine::RecordQuery), whose grant names the moment.
#pragma once

#include <string>

#include "broker/base/ids.h"
#include "broker/machine/command.h"
#include "broker/machine/outcome.h"
#include "broker/query/bundles.h"
#include "broker/query/page_token.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/audit.pb.h"

namespace schakel::query {

// What can be said of a request before it is ordered, so that a malformed one leaves no record:
// FIELD_MISSING, FIELD_INVALID, TOO_LARGE, SUBJECT_REF_INVALID, UNLINKED_SUBJECT,
// PAGE_TOKEN_INVALID.
Status CheckStateAt(const PageTokens& tokens, const OrganisationId& caller,
                    const v1::GetStateAtRequest& request);

// The moment as the machine takes it. REQUIRES: CheckStateAt.
machine::PastMoment MomentAsked(const v1::GetStateAtRequest& request);
// What is asked, for people who read the record of the look; no word of whom it is about.
std::string WordsOf(const v1::GetStateAtRequest& request);

// Directory and policy are what any member may know, so they are the same in every scope, but for
// the actor of an activation. INVARIANT: in scope own no statement is shown that none of the
// granted organisations recorded: they alone are party to its record. Of sweeps, to which nobody is
// a party, scope own sees rules and days, the same whomever it asks about, but no numbers. A page
// ends when it is full, or when limits::kScanPerQueryMax places were looked at; then it has a
// token, however few it holds. DATA_LOSS when no bundle was active. Errors as CheckStateAt.
Result<v1::GetStateAtResponse> StateAt(const store::StateReader& state, Bundles& bundles,
                                       const PageTokens& tokens, const OrganisationId& caller,
                                       const machine::QueryGrant& grant,
                                       const v1::GetStateAtRequest& request);

}  // namespace schakel::query
