// Completion for fish, with the help texts beside the words.
#include "clients/cli/completion_parts.h"

namespace schakel::cli {
namespace {

constexpr const char* kFishMachinery = R"script(
# Whether the noun and verb so far are these.
function __schakel_at
    set -l at
    set -l skip 0
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word $__schakel_valued
            set skip 1
        else if not string match -q -- '-*' $word; and test (count $at) -lt 2
            set -a at $word
        end
    end
    test "$at" = "$argv"
end
# Files after the last @ of the word.
function __schakel_at_files
    set -l token (commandline -ct)
    set -l lead (string match -r -- '^.*@' $token)
    or begin
        echo $token@
        return
    end
    for file in (__fish_complete_path (string sub -s (math (string length -- $lead) + 1) -- $token))
        echo $lead$file
    end
end
complete -c schakel -f
)script";

std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string ValuePart(const Command& command, const CommandOption& option) {
  std::string words;
  switch (KindOf(command, option)) {
    case ValueKind::kWords:
      for (const auto& word : option.choices) words += (words.empty() ? "" : " ") + word;
      return " -x -a " + Quoted(words);
    case ValueKind::kFile:
      return " -r -F";
    case ValueKind::kAtFile:
      return " -x -a '(__schakel_at_files)'";
    case ValueKind::kFolder:
      return " -x -a '(__fish_complete_directories)'";
    case ValueKind::kContext:
      return " -x -a '(schakel completion contexts 2>/dev/null)'";
    case ValueKind::kNothing:
      break;
  }
  return option.value.empty() ? "" : " -x";
}

std::string Line(const Command& command, const CommandOption& option) {
  std::string line = "complete -c schakel";
  // An option of the program holds everywhere.
  if (!command.path.empty()) line += " -n " + Quoted("__schakel_at " + command.path);
  for (const auto& name : option.names) {
    if (option.is_argument()) continue;
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  line += ValuePart(command, option);
  if (!option.is_argument()) line += " -d " + Quoted(option.help);
  return line + "\n";
}

}  // namespace

std::string FishCompletion(const Command& tree) {
  std::string out =
      "# Completion of schakel for fish. Written by: schakel completion fish\n"
      "set -g __schakel_valued";
  for (const auto& name : ValuedOptions(tree)) out += " " + name;
  out += std::string("\n") + (kFishMachinery + 1);
  for (const auto* command : AllCommands(tree)) {
    for (const auto& child : command->commands) {
      out += "complete -c schakel -n " +
             Quoted(command->path.empty() ? "__schakel_at" : "__schakel_at " + command->path) +
             " -a " + child.name() + " -d " + Quoted(child.help) + "\n";
    }
    for (const auto& option : command->options) {
      const bool says_nothing =
          option.is_argument() && KindOf(*command, option) == ValueKind::kNothing;
      // Help is everywhere; once is enough.
      const bool help = option.names.front() == "-h" && !command->path.empty();
      if (!says_nothing && !help) out += Line(*command, option);
    }
  }
  return out;
}

}  // namespace schakel::cli
