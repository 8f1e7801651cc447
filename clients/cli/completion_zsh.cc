// Completion for zsh, with the help texts beside the words.
#include "clients/cli/completion_parts.h"

namespace schakel::cli {
namespace {

constexpr const char* kZshMachinery = R"script(
_schakel() {
  local at='' option='' word kind cur=$words[CURRENT] count=0
  local -a offers
  for word in ${words[2,CURRENT-1]}; do
    if [[ -n $option ]]; then
      option=''
    elif [[ $word == -* ]]; then
      (( ${_schakel_valued[(Ie)$word]} )) && option=$word
    else
      _schakel_words "$at"
      if (( ${offers[(I)$word:*]} )); then
        at=${at:+$at }$word
      else
        (( ++count ))
      fi
    fi
  done
  if [[ -z $option && $cur == --*=* ]]; then
    option=${cur%%=*}
    compset -P '--*='
  fi
  offers=()
  if [[ -n $option ]]; then
    kind=$(_schakel_value "$at" "$option")
  elif [[ $cur == -* ]]; then
    _schakel_options "$at"
    _describe -o option offers
    return
  else
    _schakel_words "$at"
    if (( $#offers )); then
      _describe command offers
      return
    fi
    kind=$(_schakel_value "$at" "$count")
  fi
  case $kind in
    'words '*) compadd -- ${=kind#words } ;;
    contexts) compadd -- ${(f)"$(schakel completion contexts 2>/dev/null)"} ;;
    at-file)
      if compset -P '*@'; then _files; else compadd -S '' -- "$cur@"; fi
      ;;
    file) _files ;;
    folder) _files -/ ;;
  esac
}
_schakel_value() {
  local found
  found=$(_schakel_value_at "$1 $2")
  [[ -n $found ]] || found=$(_schakel_value_at "$2")
  print -r -- "$found"
}
if [[ ${funcstack[1]-} == _schakel ]]; then _schakel "$@"; else compdef _schakel schakel; fi
)script";

std::string Offer(const std::string& name, const std::string& help) {
  std::string text = name + ":";
  for (const char c : help) text += c == ':' ? "\\:" : std::string(1, c);
  return ShellQuoted(text);
}

}  // namespace

std::string ZshCompletion(const Command& tree) {
  std::string words;
  std::string options;
  std::string values;
  std::string common;
  for (const auto* command : AllCommands(tree)) {
    std::string below;
    for (const auto& child : command->commands) below += " " + Offer(child.name(), child.help);
    if (!below.empty()) {
      words += "    " + ShellQuoted(command->path) + ") offers=(" + below.substr(1) + ") ;;\n";
    }
    std::string own;
    int number = 0;
    for (const auto& option : command->options) {
      const std::string value = ValueOf(*command, option);
      const std::vector<std::string> keys =
          option.is_argument() ? std::vector<std::string>{std::to_string(number++)} : option.names;
      for (const auto& key : keys) {
        if (!option.is_argument()) own += " " + Offer(key, option.help);
        const std::string at = command->path.empty() ? key : command->path + " " + key;
        if (!value.empty()) {
          values += "    " + ShellQuoted(at) + ") print -r -- " + ShellQuoted(value) + " ;;\n";
        }
      }
    }
    if (command->path.empty()) {
      common = own;
    } else if (!own.empty()) {
      options += "    " + ShellQuoted(command->path) + ") offers=(" + own.substr(1) + ") ;;\n";
    }
  }
  std::string valued;
  for (const auto& name : ValuedOptions(tree)) valued += (valued.empty() ? "" : " ") + name;
  return "#compdef schakel\n# Completion of schakel for zsh. Written by: schakel completion zsh\n"
         "typeset -ga _schakel_valued\n_schakel_valued=(" +
         valued + ")\n_schakel_words() {\n  offers=()\n  case $1 in\n" + words +
         "  esac\n}\n_schakel_options() {\n  offers=()\n  case $1 in\n" + options +
         "  esac\n  offers+=(" + common.substr(1) + ")\n}\n_schakel_value_at() {\n  case $1 in\n" +
         values + "  esac\n}\n" + (kZshMachinery + 1);
}

}  // namespace schakel::cli
