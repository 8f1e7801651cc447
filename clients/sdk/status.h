// From a grpc::Status to an Error: the one translation of the client side.
#pragma once

#include <grpcpp/support/status.h>

#include <string_view>

#include "broker/base/result.h"
#include "google/rpc/status.pb.h"

namespace schakel::sdk {

// Reason from ErrorInfo (domain schakel), field from the first BadRequest violation, retry from
// RetryInfo, message in `language` where a LocalizedMessage has it ("nl"), else in English.
// A status without details gets a reason by its code: NOT_SERVING, DEADLINE_EXCEEDED, CANCELLED,
// TOO_LARGE, METHOD_UNKNOWN, UNAUTHENTICATED or INTERNAL. REQUIRES: not OK
Error ErrorFromGrpc(const grpc::Status& status, std::string_view language);
// The same for a status inside a response (PublishResult.error).
Error ErrorFromRpcStatus(const google::rpc::Status& status, std::string_view language);

// Whether a stream that ended so ends the same way when it is opened again: no access, no such
// method, a message that makes no sense.
bool EndsForGood(ErrorCode code);

}  // namespace schakel::sdk
