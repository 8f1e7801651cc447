// How a run ends, for scripts. SOURCE: BSD sysexits(3)
#pragma once

#include "broker/base/result.h"

namespace schakel::cli {

enum class ExitCode : int {
  kOk = 0,
  kNegative = 1,      // denied, not covered, verification failed
  kUsage = 64,        // wrong flags or arguments
  kData = 65,         // input that can't be used
  kNotFound = 66,     // a file, or something by that id
  kUnavailable = 69,  // broker or custodian can't be reached
  kInternal = 70,
  kTryLater = 75,
  kNotAllowed = 77,  // certificate, role or authority
  kConfig = 78,      // context, keys, policy of files
  kInterrupted = 130,
};

// The code for a failure. A denial by policy is kNegative although it comes as an Error from the
// composer.
ExitCode ExitCodeOf(const Error& error);

// A mistake on the command line itself (reason USAGE, exit code 64).
Error UsageError(std::string message, std::string option = {});

}  // namespace schakel::cli
