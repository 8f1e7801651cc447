#include "tests/e2e/help/shell_user.h"

#include <csignal>
#include <cstdlib>
#include <thread>

#include "broker/base/check.h"
#include "clients/sdk/context.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

namespace schakel::e2e {

namespace fs = std::filesystem;

ShellUser::ShellUser(fs::path home) : home_(std::move(home)) {
  fs::create_directories(home_);
  fs::create_directory_symlink(checkout::SourcePath("policy"), home_ / "policy");
}

void ShellUser::Take(const config::v1::Context& context) const {
  config::v1::ContextsFile contexts;
  *contexts.add_contexts() = context;
  contexts.set_current(context.name());
  SCHAKEL_CHECK(sdk::SaveContexts(home_ / ".config/schakel/contexts.yaml", contexts).ok(),
                "a user's context is written");
}

void ShellUser::TakeToo(const config::v1::Context& context) const {
  const fs::path file = home_ / ".config/schakel/contexts.yaml";
  auto contexts = sdk::LoadContexts(file);
  SCHAKEL_CHECK(contexts.ok(), "a user's contexts are read");
  *contexts->add_contexts() = context;
  SCHAKEL_CHECK(sdk::SaveContexts(file, *contexts).ok(), "a user's context is written");
}

void ShellUser::Write(const std::string& name, const std::string& content) const {
  testing::WriteFile(home_ / name, content, 0600);
}

void ShellUser::Copy(const fs::path& from, const std::string& name) const {
  Write(name, testing::ReadFile(from));
}

testing::ChildOptions ShellUser::OptionsOf(std::string program,
                                           std::vector<std::string> args) const {
  const char* const path = std::getenv("PATH");
  testing::ChildOptions options{.program = std::move(program), .args = std::move(args)};
  options.env = {{"PATH", checkout::BuildPath("bin") + ":" + (path == nullptr ? "" : path)},
                 {"HOME", home_.string()},
                 {"XDG_CONFIG_HOME", (home_ / ".config").string()},
                 {"XDG_STATE_HOME", (home_ / ".local/state").string()},
                 {"SCHAKEL_CONTEXTS", ""},
                 {"LC_ALL", "C.UTF-8"}};
  options.folder = home_;
  return options;
}

fs::path ShellUser::TargetOf(const std::string& text) const {
  const size_t space = text.rfind(' ');
  if (space == std::string::npos || space == 0 || text[space - 1] != '>') return {};
  std::string name = text.substr(space + 1);
  if (name.starts_with("~/")) name = name.substr(2);
  return home_ / name;
}

Shown ShellUser::Follow(const testing::ChildOptions& options, const ShellLine& line,
                        const fs::path& target, size_t before) {
  const auto child = testing::ChildProcess::Start(options);
  SCHAKEL_CHECK(child != nullptr, "setsid and bash are there");
  const auto shown = [&] {
    return target.empty() ? child->Stdout() + child->Stderr()
                          : testing::ReadFile(target).substr(before);
  };
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (shown().find(line.shows) == std::string::npos && child->Running() &&
         std::chrono::steady_clock::now() < until) {
    child->Wait(std::chrono::milliseconds(5));  // returns at once when it ends
  }
  const int code = Interrupt(*child);
  return {code, child->Stdout(), child->Stderr()};
}

Shown ShellUser::Run(const ShellLine& line) {
  const fs::path target = TargetOf(line.text);
  const bool appends = line.text.find(">> ") != std::string::npos;
  const size_t before = appends && !target.empty() ? testing::ReadFile(target).size() : 0;
  Shown shown;
  if (line.manner == Manner::kFollow) {
    shown = Follow(OptionsOf("setsid", {"bash", "-c", line.text}), line, target, before);
  } else {
    // zsh's own completion is not started in scripts.
    const bool zsh = line.text.find("completion zsh") != std::string::npos;
    auto options = zsh ? OptionsOf("zsh", {"-f", "-c", "compdef() { : }\n" + line.text})
                       : OptionsOf("bash", {"-c", line.text});
    if (line.manner == Manner::kTerminal) {
      options = OptionsOf("script", {"-qec", line.text, "/dev/null"});
      options.env.emplace_back("SHELL", "/bin/bash");
      options.input = line.types;
    }
    const auto ran = testing::RunProgram(std::move(options));
    shown = {ran.code, ran.out, ran.err};
  }
  if (!target.empty()) shown.out = testing::ReadFile(target).substr(before);
  screen_ += line.text + "\n" + shown.out + shown.err;
  return shown;
}

std::unique_ptr<testing::ChildProcess> ShellUser::Start(const std::string& text) const {
  auto child = testing::ChildProcess::Start(OptionsOf("setsid", {"bash", "-c", text}));
  SCHAKEL_CHECK(child != nullptr, "setsid and bash are there");
  return child;
}

int ShellUser::Interrupt(testing::ChildProcess& started) {
  if (started.Running()) kill(-started.pid(), SIGINT);
  const auto code = started.Wait(std::chrono::seconds(20));
  if (!code) kill(-started.pid(), SIGKILL);
  return code.value_or(-1);
}

}  // namespace schakel::e2e
