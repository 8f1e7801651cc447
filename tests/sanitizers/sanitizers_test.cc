#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/support/child_process.h"
#include "tests/support/paths.h"

namespace schakel::testing {
namespace {

#ifdef __SANITIZE_THREAD__
constexpr const char* kOptions = "TSAN_OPTIONS";
#else
constexpr const char* kOptions = "ASAN_OPTIONS";
#endif

// The program with one fault, under the options that this test has, but what is found goes to
// standard error: it is no fault of the suite's.
RunResult RunFaulty(const std::string& fault, int exit_code) {
  const char* given = std::getenv(kOptions);
  const std::string options = (given == nullptr ? std::string() : given + std::string(":")) +
                              "log_path=stderr:exitcode=" + std::to_string(exit_code);
  return RunProgram({.program = checkout::BuildPath("tests/faulty"),
                     .args = {fault},
                     .env = {{kOptions, options}}});
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
