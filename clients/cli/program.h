// The whole command line, apart from the process: so that tests run it in their own.
#pragma once

#include <string>
#include <vector>

#include "clients/cli/invocation.h"

namespace schakel::cli {

// Parses `args` (without the program's name) and does it. Never throws. The language of help and
// messages: --language, SCHAKEL_LANGUAGE, the context, LC_ALL, LC_MESSAGES, LANG.
ExitCode RunCli(std::vector<std::string> args, Io& io);

}  // namespace schakel::cli
