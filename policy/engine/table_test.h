// `policy test`: runs the table tests that a bundle carries in tests.yaml.
#pragma once

#include <string>
#include <vector>

#include "policy/engine/decide.h"

namespace schakel::policy {

// What a table test asks, in numbers: ready to be decided.
struct TestQuestion {
  Pair pair;
  EnvelopeFacts envelope;
  std::vector<SectionFacts> sections;  // one for each of the test's categories
  bool linked = true;
  bool shielded = false;
  std::vector<InternedStatement> statements;

  // Valid as long as this object.
  SubjectFacts subject() const { return {linked, shielded, statements}; }
};

// The question of one of the bundle's tests. BUNDLE_INVALID with what the test names that the
// bundle has not: a party, a function, an axis.
Result<TestQuestion> QuestionOf(const CompiledBundle& bundle, const v1::BundleTest& test);

struct TestOutcome {
  std::string name;
  std::string place;  // "tests.yaml:line"
  bool passed = false;
  std::string message;  // what came out instead; empty when passed
};

// One outcome per test, in the file's order. A test that names an unknown party fails.
std::vector<TestOutcome> RunTableTests(const CompiledBundle& bundle);

}  // namespace schakel::policy
