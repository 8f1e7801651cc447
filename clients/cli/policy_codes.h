// The codes of a bundle, for who writes a signal: what goes with what.
#pragma once

#include "clients/cli/invocation.h"
#include "policy/engine/compile.h"

namespace schakel::cli {

// Signal types with their purposes and sections, grounds with article and sections, functions with
// who fulfils them.
Result<ExitCode> ShowCodes(Invocation& invocation, const policy::CompiledBundle& bundle);

// The schema of "TYPE:CATEGORY", as the bundle holds it. NOT_FOUND when there is none.
Result<ExitCode> ShowSchema(Invocation& invocation, const policy::CompiledBundle& bundle,
                            const std::string& section);

}  // namespace schakel::cli
