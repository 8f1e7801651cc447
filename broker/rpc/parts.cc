#include "broker/rpc/parts.h"

namespace schakel::rpc {

machine::Caller ToMachine(const transport::Caller& caller) {
  return {caller.organisation, caller.member.entry_version, caller.actor, caller.actor_role,
          caller.trace_id};
}

bool IsDeniedAttempt(const Error& error) {
  return error.reason == "SIGNATURE_INVALID" || error.reason == "KEY_SET_UNKNOWN" ||
         error.reason == "KEY_SET_INVALID";
}

void Recorded(const Parts& parts, const Error& error, const char* rpc,
              const transport::Caller& caller, std::function<void(const Error&)> refuse) {
  if (!IsDeniedAttempt(error) || parts.sequencer == nullptr) return refuse(error);
  machine::DeniedAttempt attempt{caller.organisation.str(), error.reason, rpc};
  parts.sequencer->Submit(
      std::move(attempt), ToMachine(caller),
      [error, refuse = std::move(refuse)](const Result<machine::Outcome>& recorded) {
        refuse(recorded.ok() ? error : recorded.error());
      });
}

}  // namespace schakel::rpc
