// schakel-custodian, the program: flags, exit codes, signals.
//   schakel-custodian --config FILE [--check-config]
//   schakel-custodian keygen --region R --epoch N --threshold T --custodian OIN=cert.pem:key.pem
//   ...
//                            --out DIR
#pragma once

namespace schakel::custodian {

// Exit codes (sysexits.h).
inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 64;     // unknown or contradictory flags
inline constexpr int kExitInternal = 70;  // the store, the kernel, a library
inline constexpr int kExitConfig = 78;    // a file is missing, wrong, or does not fit another

// Runs until SIGTERM or SIGINT and returns the exit code. Blocks both signals for this thread and
// those that it starts. Call it once, first in main.
int RunProgram(int argc, char** argv);

}  // namespace schakel::custodian
