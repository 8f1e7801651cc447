#include "clients/cli/exit_code.h"

#include <gtest/gtest.h>

namespace schakel::cli {
namespace {

TEST(ExitCodes, SayWhatKindOfFailureItWas) {
  const struct {
    ErrorCode code;
    const char* reason;
    ExitCode expected;
  } cases[] = {
      {ErrorCode::kInvalidArgument, "USAGE", ExitCode::kUsage},
      {ErrorCode::kInvalidArgument, "UNKNOWN_CODE", ExitCode::kData},
      {ErrorCode::kInvalidArgument, "CONFIG_INVALID", ExitCode::kConfig},
      {ErrorCode::kPermissionDenied, "NO_RULE", ExitCode::kNegative},
      {ErrorCode::kPermissionDenied, "ROLE_NOT_ALLOWED", ExitCode::kNotAllowed},
      {ErrorCode::kPermissionDenied, "NO_AUTHORITY", ExitCode::kNotAllowed},
      {ErrorCode::kUnauthenticated, "CERTIFICATE_UNKNOWN", ExitCode::kNotAllowed},
      {ErrorCode::kNotFound, "NOT_FOUND", ExitCode::kNotFound},
      {ErrorCode::kNotFound, "FILE_MISSING", ExitCode::kNotFound},
      {ErrorCode::kNotFound, "CONTEXT_UNKNOWN", ExitCode::kConfig},
      {ErrorCode::kFailedPrecondition, "CONTEXT_INCOMPLETE", ExitCode::kConfig},
      {ErrorCode::kFailedPrecondition, "KEY_SET_MISSING", ExitCode::kConfig},
      {ErrorCode::kFailedPrecondition, "KEY_REUSED", ExitCode::kData},
      {ErrorCode::kUnavailable, "NOT_SERVING", ExitCode::kUnavailable},
      {ErrorCode::kResourceExhausted, "BUDGET_EXHAUSTED", ExitCode::kTryLater},
      {ErrorCode::kDeadlineExceeded, "DEADLINE_EXCEEDED", ExitCode::kTryLater},
      {ErrorCode::kAborted, "STALE_VERSION", ExitCode::kTryLater},
      {ErrorCode::kDataLoss, "CHECKPOINT_INCONSISTENT", ExitCode::kNegative},
      {ErrorCode::kInvalidArgument, "OPEN_FAILED", ExitCode::kNegative},
      {ErrorCode::kInternal, "INTERNAL", ExitCode::kInternal},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(ExitCodeOf(MakeError(each.code, each.reason, "")), each.expected) << each.reason;
  }
}

}  // namespace
}  // namespace schakel::cli
