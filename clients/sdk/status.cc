#include "clients/sdk/status.h"

#include <algorithm>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "schakel/v1/error_reason.pb.h"

namespace schakel::sdk {
namespace {

// What a status without details says: a server of ours that ends a call at once puts the reason
// before the message; any other was made by gRPC itself.
std::string ReasonOf(const Error& error) {
  const std::string named = error.message.substr(0, error.message.find(": "));
  v1::ErrorReason known = v1::ERROR_REASON_UNSPECIFIED;
  if (named.size() < error.message.size() &&
      v1::ErrorReason_Parse("ERROR_REASON_" + named, &known) &&
      known != v1::ERROR_REASON_UNSPECIFIED) {
    return named;
  }
  switch (error.code) {
    case ErrorCode::kUnavailable:
      return "NOT_SERVING";
    case ErrorCode::kDeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case ErrorCode::kCancelled:
      return "CANCELLED";
    case ErrorCode::kResourceExhausted:
      return "TOO_LARGE";
    case ErrorCode::kUnimplemented:
      return "METHOD_UNKNOWN";
    case ErrorCode::kUnauthenticated:
      return "UNAUTHENTICATED";
    default:
      return "INTERNAL";
  }
}

Error FromDetails(const google::rpc::Status& status, ErrorCode code, std::string_view language) {
  Error error = MakeError(code, "", status.message());
  for (const auto& any : status.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest bad;
    google::rpc::RetryInfo retry;
    google::rpc::LocalizedMessage localized;
    if (any.UnpackTo(&info) && info.domain() == "schakel") {
      error.reason = info.reason();
    } else if (any.UnpackTo(&bad) && bad.field_violations_size() > 0) {
      error.field = bad.field_violations(0).field();
    } else if (any.UnpackTo(&retry)) {
      // LIMIT: a day, whatever the other side says.
      const auto seconds = std::clamp<int64_t>(retry.retry_delay().seconds(), 0, 86'400);
      error.retry_after_ms = seconds * 1000 + retry.retry_delay().nanos() / 1'000'000;
      if (error.retry_after_ms <= 0) error.retry_after_ms = 1;
    } else if (any.UnpackTo(&localized) && localized.locale() == language &&
               !localized.message().empty()) {
      error.message = localized.message();
    }
  }
  if (error.reason.empty()) error.reason = ReasonOf(error);
  return error;
}

ErrorCode CodeOf(int number) {
  return number >= 1 && number <= 16 ? static_cast<ErrorCode>(number) : ErrorCode::kUnknown;
}

}  // namespace

Error ErrorFromGrpc(const grpc::Status& status, std::string_view language) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) details.Clear();
  details.set_message(status.error_message());
  return FromDetails(details, CodeOf(status.error_code()), language);
}

Error ErrorFromRpcStatus(const google::rpc::Status& status, std::string_view language) {
  return FromDetails(status, CodeOf(status.code()), language);
}

bool EndsForGood(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kUnimplemented:
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kNotFound:
      return true;
    default:
      return false;
  }
}

}  // namespace schakel::sdk
