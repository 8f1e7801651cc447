// schakel signal outcomes: the sender's feed.
#pragma once

#include "clients/cli/verb.h"

namespace schakel::cli {

void AddSignalOutcomes(CLI::App* noun, Invocation& invocation);

}  // namespace schakel::cli
