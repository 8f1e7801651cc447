// schakel-broker, the program: flags, exit codes, signals.
//   schakel-broker --config FILE [--check-config]
//   schakel-broker init --config FILE --origin NAME --registrar-cert FILE --log-key FILE
//                       --policy DIR
//   schakel-broker accept-time T --config FILE
//   schakel-broker recover --incarnation N --config FILE
//   schakel-broker backup --to DIR --config FILE
//   schakel-broker inspect [--data DIR] [--checkpoint FILE] [--every-file] --config FILE
#pragma once

#include "broker/rpc/surroundings.h"

namespace schakel::rpc {

// Runs until SIGTERM or SIGINT (SIGHUP reloads, see reload.h) and returns the exit code
// (sysexits.h). Call it once, first in main.
int RunProgram(int argc, char** argv, Surroundings surroundings = {});

}  // namespace schakel::rpc
