// schakel completion: scripts for shells, and man pages, from the program's own tree of commands.
#include <CLI/CLI.hpp>

#include <algorithm>
#include <ctime>
#include <memory>
#include <numeric>
#include <set>

#include "clients/cli/completion_parts.h"
#include "clients/cli/program.h"
#include "clients/cli/verb.h"
#include "clients/sdk/context.h"
#include "clients/sdk/files.h"

namespace schakel::cli {
namespace {

// The tree in a language, whatever the run's own is.
Command TreeIn(Invocation& invocation, Language language) {
  Io io = invocation.io();
  Invocation other(io, language);
  CLI::App program;
  BuildProgram(program, other);
  return TreeOf(program, other);
}

Result<ExitCode> Script(Invocation& invocation, std::string (*make)(const Command&)) {
  invocation.out() << make(TreeIn(invocation, invocation.language()));
  return ExitCode::kOk;
}

// Today, or the day of SOURCE_DATE_EPOCH, so that a package can be built again to the same bytes.
std::string Today(const Invocation& invocation) {
  std::time_t now = std::chrono::duration_cast<std::chrono::seconds>(sdk::Now()).count();
  if (const auto set = invocation.io().environment("SOURCE_DATE_EPOCH")) {
    if (set->size() <= 11 && set->find_first_not_of("0123456789") == std::string::npos) {
      now = static_cast<std::time_t>(std::stoll(*set));
    }
  }
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &parts);
  return text;
}

Result<ExitCode> Man(Invocation& invocation, const std::string& folder) {
  namespace fs = std::filesystem;
  const std::string date = Today(invocation);
  for (const Language language : {Language::kEnglish, Language::kDutch}) {
    fs::path place = fs::path(folder);
    if (language == Language::kDutch) place /= "nl";
    place /= "man1";
    std::error_code failed;
    fs::create_directories(place, failed);
    for (const auto& [name, page] :
         ManPages(TreeIn(invocation, language), language, SCHAKEL_VERSION, date)) {
      SCHAKEL_TRY(sdk::WriteFileDurably(place / name, page));
      // Everybody may read a manual.
      fs::permissions(place / name, fs::perms(0644), failed);
    }
  }
  invocation.Note(Msg::kWritten, {folder});
  return ExitCode::kOk;
}

Result<ExitCode> Contexts(Invocation& invocation) {
  SCHAKEL_ASSIGN(const auto contexts,
                 sdk::LoadContexts(sdk::ContextsFilePath(invocation.io().environment)));
  for (const auto& context : contexts.contexts()) invocation.out() << context.name() << '\n';
  return ExitCode::kOk;
}

}  // namespace

ValueKind KindOf(const Command& command, const CommandOption& option) {
  if (!option.choices.empty()) return ValueKind::kWords;
  const std::string& value = option.value;
  const bool of_context = command.path == "context use" || command.path == "context show" ||
                          command.path == "context check";
  if (option.names.front() == "--context" || (of_context && option.names.front() == "NAME")) {
    return ValueKind::kContext;
  }
  if (value == "FILE" || value == "PATH") return ValueKind::kFile;
  if (value == "DIR") return ValueKind::kFolder;
  if (value.ends_with("@FILE")) return ValueKind::kAtFile;
  return ValueKind::kNothing;
}

std::string ValueOf(const Command& command, const CommandOption& option) {
  switch (KindOf(command, option)) {
    case ValueKind::kWords:
      return std::accumulate(
          option.choices.begin(), option.choices.end(), std::string("words"),
          [](const auto& so_far, const auto& word) { return so_far + " " + word; });
    case ValueKind::kFile:
      return "file";
    case ValueKind::kAtFile:
      return "at-file";
    case ValueKind::kFolder:
      return "folder";
    case ValueKind::kContext:
      return "contexts";
    case ValueKind::kNothing:
      break;
  }
  return {};
}

std::vector<std::string> ValuedOptions(const Command& tree) {
  std::set<std::string> names;
  for (const auto* command : AllCommands(tree)) {
    for (const auto& option : command->options) {
      if (!option.is_argument() && !option.value.empty()) {
        names.insert(option.names.begin(), option.names.end());
      }
    }
  }
  return {names.begin(), names.end()};
}

std::string ShellQuoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

void AddCompletion(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "completion", Msg::kNounCompletion);

  Verb bash(noun, invocation, "bash", Msg::kVerbCompletionBash,
            "mkdir -p ~/.local/share/bash-completion/completions\n"
            "schakel completion bash > ~/.local/share/bash-completion/completions/schakel\n"
            "source <(schakel completion bash)");
  bash.Run([&invocation] { return Script(invocation, BashCompletion); });

  Verb zsh(noun, invocation, "zsh", Msg::kVerbCompletionZsh,
           "mkdir -p ~/.zfunc\n"
           "schakel completion zsh > ~/.zfunc/_schakel\nsource <(schakel completion zsh)");
  zsh.Run([&invocation] { return Script(invocation, ZshCompletion); });

  Verb fish(noun, invocation, "fish", Msg::kVerbCompletionFish,
            "mkdir -p ~/.config/fish/completions\n"
            "schakel completion fish > ~/.config/fish/completions/schakel.fish");
  fish.Run([&invocation] { return Script(invocation, FishCompletion); });

  Verb man(noun, invocation, "man", Msg::kVerbCompletionMan,
           "schakel completion man ~/.local/share/man\nschakel completion man man");
  const auto folder = std::make_shared<std::string>();
  man.Value("DIR", *folder, Msg::kArgManDir, "DIR").Required();
  man.Run([&invocation, folder] { return Man(invocation, *folder); });

  Verb contexts(noun, invocation, "contexts", Msg::kVerbCompletionContexts,
                "schakel completion contexts");
  contexts.Run([&invocation] { return Contexts(invocation); });
}

}  // namespace schakel::cli
