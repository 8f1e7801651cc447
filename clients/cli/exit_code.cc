#include "clients/cli/exit_code.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "schakel/v1/error_reason.pb.h"

namespace schakel::cli {
namespace {

// Whether the reason says why somebody may not read a section (error_reason.proto, 60 to 86).
bool IsDenial(const std::string& reason) {
  v1::ErrorReason value;
  return v1::ErrorReason_Parse("ERROR_REASON_" + reason, &value) &&
         value >= v1::ERROR_REASON_NO_RULE && value <= v1::ERROR_REASON_SHIELDED;
}

template <size_t N>
bool OneOf(const std::array<std::string_view, N>& list, std::string_view reason) {
  return std::find(list.begin(), list.end(), reason) != list.end();
}

// What the own machine must be set up for, whatever the call was.
constexpr std::array<std::string_view, 12> kConfigReasons = {
    "CONFIG_INVALID",        "CONTEXT_UNKNOWN",     "CONTEXT_INCOMPLETE",   "KEY_SET_MISSING",
    "KEY_SET_INCOMPLETE",    "KEY_FILE_OPEN",       "FOLDER_OPEN",          "KEY_DOCUMENT_MISSING",
    "KEY_DOCUMENT_MISMATCH", "CERTIFICATE_EXPIRED", "KEY_DOCUMENT_INVALID", "ACTOR_MISSING"};
// What was to be verified and was not so.
constexpr std::array<std::string_view, 8> kNotVerified = {
    "CHECKPOINT_INCONSISTENT", "PROOF_INVALID", "TREE_MISMATCH",     "COMMITMENT_MISMATCH",
    "RECORD_MALFORMED",        "OPEN_FAILED",   "SIGNATURE_INVALID", "ORIGIN_MISMATCH"};

}  // namespace

ExitCode ExitCodeOf(const Error& error) {
  if (error.reason == "USAGE") return ExitCode::kUsage;
  if (OneOf(kConfigReasons, error.reason)) return ExitCode::kConfig;
  if (OneOf(kNotVerified, error.reason)) return ExitCode::kNegative;
  switch (error.code) {
    case ErrorCode::kPermissionDenied:
      return IsDenial(error.reason) ? ExitCode::kNegative : ExitCode::kNotAllowed;
    case ErrorCode::kUnauthenticated:
      return ExitCode::kNotAllowed;
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kOutOfRange:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kFailedPrecondition:
    case ErrorCode::kDataLoss:
      return ExitCode::kData;
    case ErrorCode::kNotFound:
      return ExitCode::kNotFound;
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnimplemented:
      return ExitCode::kUnavailable;
    case ErrorCode::kResourceExhausted:
    case ErrorCode::kAborted:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kCancelled:
      return ExitCode::kTryLater;
    case ErrorCode::kUnknown:
    case ErrorCode::kInternal:
      return ExitCode::kInternal;
  }
  return ExitCode::kInternal;
}

Error UsageError(std::string message, std::string option) {
  return InvalidArgument("USAGE", std::move(option), std::move(message));
}

}  // namespace schakel::cli
