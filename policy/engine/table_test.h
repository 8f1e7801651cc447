// `policy test`: runs the table tests that a bundle carries in tests.yaml.
#pragma once

#include <string>
#include <vector>

#include "policy/engine/compile.h"

namespace schakel::policy {

struct TestOutcome {
  std::string name;
  std::string place;  // "tests.yaml:line"
  bool passed = false;
  std::string message;  // what came out instead; empty when passed
};

// One outcome per test, in the file's order. A test that names an unknown party fails.
std::vector<TestOutcome> RunTableTests(const CompiledBundle& bundle);

}  // namespace schakel::policy
