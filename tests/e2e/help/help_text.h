// What stands in the help of the programs, read as a newcomer reads it: from what they print.
#pragma once

#include <string>
#include <vector>

namespace schakel::e2e {

// The indented lines behind the line that begins with `title`, without their indentation; empty
// when there is none.
std::vector<std::string> BlockOf(const std::string& help, const std::string& title);

// The examples in a help text. One is what a shell takes at a time: the lines that make its files,
// and the line with the program, as they are printed.
std::vector<std::string> ExamplesOf(const std::string& help);

// "Main tasks": who, and by which commands.
struct HelpTask {
  std::string who;
  std::vector<std::string> steps;
};
std::vector<HelpTask> TasksOf(const std::string& help);

}  // namespace schakel::e2e
