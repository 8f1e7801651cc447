// schakel inbox watch: the inbox as a stream, each item handed to a program or acknowledged once it
// is on disk.
#pragma once

#include "clients/cli/verb.h"

namespace schakel::cli {

void AddInboxWatch(CLI::App* noun, Invocation& invocation);

}  // namespace schakel::cli
