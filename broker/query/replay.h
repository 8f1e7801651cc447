// Past decisions, made again from the log: equal under their own bundle, and what would have been
// otherwise under another.
#pragma once

#include "broker/query/bundles.h"
#include "broker/query/scope.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/policy.pb.h"

namespace schakel::query {

// Recomputes what publish and delivery records in scope decided by rules: each section for each
// recipient about each subject. Inputs are the records' details and the versions that they name:
// entries of the directory, bundles, statements as they stood. What was denied before the rules
// were asked (an unavailable recipient, a full inbox, a section without a wrap) has no question to
// ask again.
//
// Events are decided whole: an answer stops after the event that reached page_size decisions, or
// after limits::kScanPerQueryMax records. A first_index within an event compares its records from
// there on. FIELD_INVALID page_size, digest; NOT_FOUND digest.
// Checks what a request alone shows, before the look becomes a record.
Status CheckReplay(const store::StateReader& state, Bundles& bundles,
                   const v1::ReplayRequest& request);
Result<v1::ReplayResponse> Replay(const store::StateReader& state, Bundles& bundles,
                                  const Scope& scope, const v1::ReplayRequest& request);

// The scope of a member who recomputes: a registrar's is the region, an auditor's what its entry
// says at the snapshot's time. NOT_FOUND when the OIN was never admitted.
Result<Scope> ScopeOfMember(const store::StateReader& state, const OrganisationId& oin);

}  // namespace schakel::query
