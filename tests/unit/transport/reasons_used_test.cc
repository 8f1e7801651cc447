// Every reason that a call may be answered with is one of error_reason.proto: another would reach
// nobody, since it becomes INTERNAL on its way out. Modules below may have reasons of their own for
// failures that stay inside.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>

#include "broker/transport/error_texts.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

namespace schakel::transport {
namespace {

// Failures at start or of the disk: answered as INTERNAL, on purpose.
bool StaysInsideByName(const std::string& reason) {
  for (const char* prefix :
       {"STORE_", "HEAD_", "MACHINE_", "CONFIG_", "KEY_SHARE_", "KEY_DOCUMENT_", "BUDGETS_", "LOG_",
        "INCARNATION_", "BACKUP_", "CONTROL_"}) {
    if (reason.starts_with(prefix)) return true;
  }
  return false;
}

TEST(Reasons, OfAnswersAreAllKnown) {
  const std::regex use(
      R"re((?:InvalidArgument\(|MakeError\(\s*(?:\w+::)*ErrorCode::k\w+,|\.reason\s*=|Error\{\s*(?:\w+::)*ErrorCode::k\w+,)\s*"([^"]*)")re");
  std::set<std::string> reasons;
  for (const char* folder :
       {"broker/transport", "broker/rpc", "broker/delivery", "broker/query", "broker/sequencer",
        "broker/machine", "broker/audit", "broker/custodian"}) {
    const std::filesystem::path root = checkout::SourcePath(folder);
    if (!std::filesystem::exists(root)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const std::string extension = entry.path().extension();
      if (extension != ".cc" && extension != ".h") continue;
      const std::string text = testing::ReadFile(entry.path());
      for (std::sregex_iterator at(text.begin(), text.end(), use), end; at != end; ++at) {
        const std::string reason = (*at)[1];
        reasons.insert(reason);
        EXPECT_TRUE(IsKnownReason(reason) || StaysInsideByName(reason))
            << entry.path() << ": " << reason;
      }
    }
  }
  EXPECT_GE(reasons.size(), 8u) << "the search finds too little to mean something";
}

}  // namespace
}  // namespace schakel::transport
