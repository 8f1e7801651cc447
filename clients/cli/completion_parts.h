// What is made from the command tree for others to read: completion scripts and man pages.
#pragma once

#include <map>
#include <string>

#include "clients/cli/command_tree.h"
#include "clients/cli/language.h"

namespace schakel::cli {

// What a shell may offer for a value.
enum class ValueKind { kNothing, kWords, kFile, kAtFile, kFolder, kContext };
ValueKind KindOf(const Command& command, const CommandOption& option);
// The same as the scripts for bash and zsh write it: `words A B`, `file`, ...; empty for nothing.
std::string ValueOf(const Command& command, const CommandOption& option);

// Every option of the tree that takes a value, each once. No name takes one in one place and none
// in another (a test sees to it), so that a shell can tell values from verbs.
std::vector<std::string> ValuedOptions(const Command& tree);

// Scripts to source; in the language of the tree.
std::string BashCompletion(const Command& tree);
std::string ZshCompletion(const Command& tree);
std::string FishCompletion(const Command& tree);

// Text between single quotes for bash and zsh.
std::string ShellQuoted(const std::string& text);

// One page a noun, and schakel.1 for the program: file name -> man(7) source. `date`: YYYY-MM-DD.
std::map<std::string, std::string> ManPages(const Command& tree, Language language,
                                            const std::string& version, const std::string& date);

}  // namespace schakel::cli
