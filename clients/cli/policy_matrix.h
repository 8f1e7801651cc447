// schakel policy matrix: who may send what to whom, on what ground.
#pragma once

#include "clients/cli/verb.h"

namespace schakel::cli {

void AddPolicyMatrix(CLI::App* noun, Invocation& invocation);

}  // namespace schakel::cli
