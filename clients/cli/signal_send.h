// schakel signal send, preflight and resend.
#pragma once

#include "clients/cli/verb.h"

namespace schakel::cli {

void AddSignalSend(CLI::App* noun, Invocation& invocation);

}  // namespace schakel::cli
