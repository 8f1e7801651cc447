// Who calls, as a record of the custodian's log names them.
#pragma once

#include <string>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"

namespace schakel::custodian {

struct Requester {
  OrganisationId organisation;  // authenticated by its certificate
  std::string actor;            // as the call said; empty when it said none
  std::string actor_role;
  Bytes trace_id;  // 16 bytes
};

}  // namespace schakel::custodian
