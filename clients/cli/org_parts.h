// Verbs of schakel org that have files of their own.
#pragma once

#include "clients/cli/verb.h"

namespace schakel::cli {

void AddOrgRequest(CLI::App* noun, Invocation& invocation);
void AddOrgAdmit(CLI::App* noun, Invocation& invocation);

}  // namespace schakel::cli
