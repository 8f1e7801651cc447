// The log for everybody, as a custodian's log is shown too: broker/audit/log_reader.h.
#pragma once

#include "broker/audit/log_reader.h"

namespace schakel::query {

using audit::GetCheckpoint;
using audit::GetConsistencyProof;
using audit::GetInclusionProof;
using audit::GetTile;
using audit::LastCheckpoint;
using audit::SignedHead;

}  // namespace schakel::query
