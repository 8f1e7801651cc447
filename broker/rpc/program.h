// schakel-broker, the program: flags, exit codes, signals.
//   schakel-broker --config FILE [--check-config]
//   schakel-broker init --config FILE --origin NAME --registrar-cert FILE --log-key FILE --policy DIR
//   schakel-broker accept-time T --config FILE
//   schakel-broker recover --incarnation N --config FILE
#pragma once

namespace schakel::rpc {

// Runs until SIGTERM or SIGINT and returns the exit code (sysexits.h). Call it once, first in main.
int RunProgram(int argc, char** argv);

}  // namespace schakel::rpc
