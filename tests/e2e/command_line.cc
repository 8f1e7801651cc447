#include "tests/e2e/command_line.h"

#include "broker/base/check.h"
#include "clients/sdk/context.h"
#include "tests/support/paths.h"

namespace schakel::e2e {

CommandLine::CommandLine(Region& region) : folder_(region.folder() / "command-line") {
  std::filesystem::create_directories(folder_);
  for (const auto& participant : Participants()) Add(region.ContextOf(participant.name));
}

void CommandLine::Add(const config::v1::Context& context) {
  bool there = false;
  for (auto& each : *contexts_.mutable_contexts()) {
    if (each.name() != context.name()) continue;
    each = context;
    there = true;
  }
  if (!there) *contexts_.add_contexts() = context;
  SCHAKEL_CHECK(sdk::SaveContexts(folder_ / "contexts.yaml", contexts_).ok(),
                "a test's contexts are written");
}

testing::ChildOptions CommandLine::OptionsOf(const std::string& who,
                                             std::vector<std::string> args) const {
  args.insert(args.begin(), {"--context", who});
  testing::ChildOptions options{.program = checkout::BuildPath("bin/schakel"),
                                .args = std::move(args)};
  options.env = {{"SCHAKEL_CONTEXTS", (folder_ / "contexts.yaml").string()}, {"LC_ALL", "C.UTF-8"}};
  options.folder = folder_;
  return options;
}

testing::RunResult CommandLine::Run(const std::string& who, std::vector<std::string> args) const {
  return testing::RunProgram(OptionsOf(who, std::move(args)));
}

std::unique_ptr<testing::ChildProcess> CommandLine::Start(const std::string& who,
                                                          std::vector<std::string> args) const {
  return testing::ChildProcess::Start(OptionsOf(who, std::move(args)));
}

std::string CommandLine::File(const std::string& name, const std::string& text) const {
  testing::WriteFile(folder_ / name, text, 0600);
  return name;
}

}  // namespace schakel::e2e
