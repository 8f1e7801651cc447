// schakel policy explain: how a bundle decides a made-up question, by a folder or by the broker.
#pragma once

#include "clients/cli/verb.h"

namespace schakel::cli {

void AddPolicyExplain(CLI::App* noun, Invocation& invocation);

}  // namespace schakel::cli
