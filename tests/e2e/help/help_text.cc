#include "tests/e2e/help/help_text.h"

#include <sstream>

namespace schakel::e2e {

std::vector<std::string> BlockOf(const std::string& help, const std::string& title) {
  std::vector<std::string> block;
  bool inside = false;
  std::istringstream in(help);
  for (std::string line; std::getline(in, line);) {
    if (inside && !line.starts_with("  ")) break;
    if (inside) block.push_back(line.substr(2));
    if (line.starts_with(title)) inside = true;
  }
  return block;
}

std::vector<std::string> ExamplesOf(const std::string& help) {
  std::vector<std::string> examples;
  std::string example;
  bool has_program = false;
  for (const auto& line : BlockOf(help, "Examples:")) {
    example += (example.empty() ? "" : "\n") + line;
    has_program = has_program || line.find("schakel ") != std::string::npos;
    if (!has_program || line.ends_with('\\')) continue;
    examples.push_back(std::move(example));
    example.clear();
    has_program = false;
  }
  if (!example.empty()) examples.push_back(std::move(example));
  return examples;
}

std::vector<HelpTask> TasksOf(const std::string& help) {
  std::vector<HelpTask> tasks;
  for (const auto& line : BlockOf(help, "Main tasks")) {
    const size_t gap = line.find("  ");
    if (gap == std::string::npos) continue;  // of other programs
    HelpTask task{line.substr(0, gap), {}};
    std::istringstream steps(line.substr(line.find_first_not_of(' ', gap)));
    for (std::string step; std::getline(steps >> std::ws, step, ',');) task.steps.push_back(step);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

}  // namespace schakel::e2e
