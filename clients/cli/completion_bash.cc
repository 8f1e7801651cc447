// Completion for bash. It needs bash 4.4 and nothing else.
#include "clients/cli/completion_parts.h"

namespace schakel::cli {
namespace {

// Reads the line itself, since COMP_WORDS is cut at =, : and @.
constexpr const char* kBashMachinery = R"script(
_schakel() {
  local line=${COMP_LINE:0:COMP_POINT} at='' option='' count=0 lead='' kind below word head='' mark
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local cur=${words[-1]}
  for word in "${words[@]:1:${#words[@]}-2}"; do
    if [[ $option ]]; then
      option=''
    elif [[ $word == -* ]]; then
      [[ $_schakel_valued == *" $word "* ]] && option=$word
    elif [[ " $(_schakel_words "$at") " == *" $word "* ]]; then
      at=${at:+$at }$word
    else
      count=$((count + 1))
    fi
  done
  if [[ $option ]]; then
    kind=$(_schakel_value "$at" "$option")
  elif [[ $cur == --*=* ]]; then
    option=${cur%%=*}
    head=$option=
    cur=${cur#*=}
    kind=$(_schakel_value "$at" "$option")
  elif [[ $cur == -* ]]; then
    kind="words $(_schakel_options "$at")"
  else
    below=$(_schakel_words "$at")
    if [[ $below ]]; then kind="words $below"; else kind=$(_schakel_value "$at" "$count"); fi
  fi
  COMPREPLY=()
  case $kind in
    'words '*) mapfile -t COMPREPLY < <(compgen -W "${kind#words }" -- "$cur") ;;
    contexts)
      mapfile -t COMPREPLY < <(compgen -W "$(schakel completion contexts 2>/dev/null)" -- "$cur")
      ;;
    at-file)
      [[ $cur == *@* ]] || { COMPREPLY=("$cur@"); compopt -o nospace 2>/dev/null; return; }
      lead=${cur%@*}@
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "${cur##*@}")
      ;;
    file)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      ;;
    folder)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      ;;
  esac
  # Readline replaces only what follows the last of its own marks in the word.
  head=$head$lead
  for mark in '=' ':' '@'; do
    [[ $COMP_WORDBREAKS == *"$mark"* && $head == *"$mark"* ]] && head=${head##*"$mark"}
  done
  COMPREPLY=("${COMPREPLY[@]/#/$head}")
}
complete -F _schakel schakel
)script";

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string CaseLine(const std::string& pattern, const std::string& text) {
  return "    " + ShellQuoted(pattern) + ") echo " + ShellQuoted(text) + " ;;\n";
}

}  // namespace

std::string BashCompletion(const Command& tree) {
  std::string words;
  std::string options;
  std::string values;
  for (const auto* command : AllCommands(tree)) {
    std::string below;
    for (const auto& child : command->commands) below += (below.empty() ? "" : " ") + child.name();
    if (!below.empty()) words += CaseLine(command->path, below);
    std::string names;
    int number = 0;
    for (const auto& option : command->options) {
      const std::string value = ValueOf(*command, option);
      const std::vector<std::string> keys =
          option.is_argument() ? std::vector<std::string>{std::to_string(number++)} : option.names;
      for (const auto& key : keys) {
        if (!option.is_argument()) names += (names.empty() ? "" : " ") + key;
        // An option of the program holds everywhere: its key has no path.
        const std::string at = command->path.empty() ? key : command->path + " " + key;
        if (!value.empty()) values += CaseLine(at, value);
      }
    }
    if (!command->path.empty()) options += CaseLine(command->path, names);
  }
  std::string common;
  for (const auto& option : tree.options) common += " " + Joined(option.names);
  return "# Completion of schakel for bash. Written by: schakel completion bash\n"
         "_schakel_valued=" +
         ShellQuoted(" " + Joined(ValuedOptions(tree)) + " ") +
         "\n"
         "_schakel_words() {\n  case $1 in\n" +
         words + "  esac\n}\n_schakel_options() {\n  case $1 in\n" + options + "  esac\n  echo" +
         " " + ShellQuoted(common.substr(1)) +
         "\n}\n"
         "_schakel_value() {\n  local found\n  found=$(_schakel_value_at \"$1 $2\")\n"
         "  [[ $found ]] || found=$(_schakel_value_at \"$2\")\n  echo \"$found\"\n}\n"
         "_schakel_value_at() {\n  case $1 in\n" +
         values + "  esac\n}\n" + (kBashMachinery + 1);
}

}  // namespace schakel::cli
