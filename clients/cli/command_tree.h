// The program's nouns, verbs and options as plain data: what completion, man pages and the tests of
// help are made from, so that none of them can differ from what the program takes.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace schakel::cli {

class Invocation;

struct CommandOption {
  std::vector<std::string> names;    // "-o", "--output"; an argument's one name has no dash
  std::string value;                 // how help names the value; empty for a flag
  std::string help;                  // in the invocation's language
  std::vector<std::string> choices;  // the values that it takes, where they are few
  bool required = false;
  bool repeatable = false;

  bool is_argument() const { return !names.front().starts_with('-'); }
};

// A main task: who does it, and by which commands, in order.
struct CommandTask {
  std::string who;  // in the invocation's language
  std::vector<std::string> steps;
};

struct Command {
  std::string path;      // "", "signal", "signal send"
  std::string help;      // in the invocation's language
  std::string examples;  // command lines, one a line
  std::vector<CommandOption> options;
  std::vector<Command> commands;
  std::vector<CommandTask> tasks;  // of the program: all; of a noun: those that it has part in

  // The last word of the path.
  std::string name() const;
};

// The whole tree. REQUIRES: BuildProgram(program, invocation) was called
Command TreeOf(const CLI::App& program, const Invocation& invocation);

// The command with this path; nullptr when there is none.
const Command* FindCommand(const Command& tree, const std::string& path);
// It and all below it, each before what is below it.
std::vector<const Command*> AllCommands(const Command& tree);

}  // namespace schakel::cli
