// What a bench sends are real signals, which stay in the log for ever: so it goes to fictitious
// organisations only, unless the user says otherwise.
#pragma once

#include <vector>

#include "broker/base/ids.h"
#include "clients/cli/invocation.h"

namespace schakel::cli {

// Whether the OIN has the prefix of fictitious organisations.
bool IsFictitious(const OrganisationId& oin);

// Errors: PERMISSION_DENIED REAL_CHAIN, naming the first that is real.
Status RefuseRealOrganisations(const Invocation& invocation,
                               const std::vector<OrganisationId>& all);
// The same for the caller itself (before anything is connected) and then for the broker, by the
// certificates of both.
Status RefuseRealChain(const Invocation& invocation, sdk::Session& session);

}  // namespace schakel::cli
