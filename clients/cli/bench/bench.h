// schakel bench: how fast signals go against a broker, and how fast single steps are by themselves.
#pragma once

#include "clients/cli/verb.h"

namespace schakel::cli {

void AddBenchPublish(CLI::App* noun, Invocation& invocation);
void AddBenchFlow(CLI::App* noun, Invocation& invocation);
void AddBenchDecide(CLI::App* noun, Invocation& invocation);
void AddBenchPseudonym(CLI::App* noun, Invocation& invocation);
void AddBenchVerify(CLI::App* noun, Invocation& invocation);

}  // namespace schakel::cli
