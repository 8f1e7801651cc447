#include "clients/cli/bench/bench.h"

namespace schakel::cli {

void AddBench(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "bench", Msg::kNounBench);
  AddBenchPublish(noun, invocation);
  AddBenchFlow(noun, invocation);
  AddBenchDecide(noun, invocation);
  AddBenchPseudonym(noun, invocation);
  AddBenchVerify(noun, invocation);
}

}  // namespace schakel::cli
