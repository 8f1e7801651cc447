// The whole command line, apart from the process: so that tests run it in their own.
#pragma once

#include <string>
#include <vector>

#include "clients/cli/invocation.h"

namespace CLI {
class App;
}

namespace schakel::cli {

// Adds every noun, verb and option to `program`, help in the invocation's language. Both live
// together: the program's callbacks set the invocation's action.
void BuildProgram(CLI::App& program, Invocation& invocation);

// Parses `args` (without the program's name) and does it. Never throws. The language of help and
// messages: --language, SCHAKEL_LANGUAGE, the context, LC_ALL, LC_MESSAGES, LANG.
ExitCode RunCli(std::vector<std::string> args, Io& io);

}  // namespace schakel::cli
