#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "tests/support/child_process.h"
#include "tests/support/paths.h"

namespace schakel::testing {
namespace {

// What a sanitizer finds goes to standard error: it is no fault of the suite's.
std::pair<std::string, std::string> Options(const char* variable, int exit_code) {
  const char* given = std::getenv(variable);
  return {variable, (given == nullptr ? std::string() : given + std::string(":")) +
                        "log_path=stderr:exitcode=" + std::to_string(exit_code)};
}

// The program with one fault, under the options that this test has.
RunResult RunFaulty(const std::string& fault, int exit_code) {
  // g++'s undefined behaviour sanitizer has options of its own, also beside the address sanitizer.
  return RunProgram({.program = checkout::BuildPath("tests/faulty"),
                     .args = {fault},
                     .env = {Options("TSAN_OPTIONS", exit_code), Options("ASAN_OPTIONS", exit_code),
                             Options("UBSAN_OPTIONS", exit_code)}});
}

void ExpectFound(const std::string& fault, const std::string& words) {
  const RunResult result = RunFaulty(fault, 87);
  EXPECT_EQ(result.code, 87) << fault;
  EXPECT_NE(result.err.find(words), std::string::npos) << result.err;
}

#ifdef __SANITIZE_THREAD__
constexpr const char* kFault = "race";
TEST(Sanitizers, FindARace) { ExpectFound("race", "data race"); }
#else
constexpr const char* kFault = "overflow";
TEST(Sanitizers, FindAUseOfWhatIsGone) { ExpectFound("use-after-free", "heap-use-after-free"); }
TEST(Sanitizers, FindAnOverflow) { ExpectFound("overflow", "signed integer overflow"); }
#endif

TEST(SanitizersDeathTest, AChildThatASanitizerStoppedEndsTheTest) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(RunFaulty(kFault, 86), "a sanitizer stopped a child");
}

}  // namespace
}  // namespace schakel::testing
