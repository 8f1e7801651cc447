#include "broker/rpc/parts.h"

namespace schakel::rpc {

machine::Caller ToMachine(const transport::Caller& caller) {
  return {caller.organisation, caller.member.entry_version, caller.actor, caller.actor_role,
          caller.trace_id};
}

}  // namespace schakel::rpc
