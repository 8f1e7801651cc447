#include "clients/cli/command_tree.h"

#include <CLI/CLI.hpp>

#include "clients/cli/invocation.h"
#include "clients/cli/main_tasks.h"

namespace schakel::cli {
namespace {

std::vector<std::string> Split(const std::string& text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == at) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

CommandOption OptionOf(const CLI::Option& option, const Invocation& invocation) {
  CommandOption out;
  for (const auto& name : option.get_snames()) out.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) out.names.push_back("--" + name);
  if (out.names.empty()) out.names.push_back(option.get_name(true));
  out.help = option.get_description();
  out.required = option.get_required();
  const bool is_flag = option.get_type_size_max() == 0;
  if (!is_flag) out.value = option.get_type_name();
  // A flag that counts is repeatable without saying so: nothing that completes needs to know.
  out.repeatable = !is_flag && option.get_items_expected_max() > 1;
  const auto known = invocation.choices.find(&option);
  if (known != invocation.choices.end()) {
    out.choices = known->second;
  } else if (out.value.find('|') != std::string::npos) {
    out.choices = Split(out.value, '|');
  }
  return out;
}

Command CommandOf(const CLI::App& app, const std::string& path, const Invocation& invocation) {
  Command command{path, app.get_description(), app.get_footer(), {}, {}, {}};
  for (const auto* option : app.get_options()) {
    command.options.push_back(OptionOf(*option, invocation));
  }
  for (const auto* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string below = path.empty() ? child->get_name() : path + " " + child->get_name();
    command.commands.push_back(CommandOf(*child, below, invocation));
  }
  if (command.commands.empty()) return command;
  for (const auto& task : MainTasksOf(path)) {
    command.tasks.push_back({invocation.Text(task.who), task.steps});
  }
  return command;
}

void Collect(const Command& command, std::vector<const Command*>& all) {
  all.push_back(&command);
  for (const auto& child : command.commands) Collect(child, all);
}

}  // namespace

std::string Command::name() const {
  const size_t space = path.rfind(' ');
  return space == std::string::npos ? path : path.substr(space + 1);
}

Command TreeOf(const CLI::App& program, const Invocation& invocation) {
  return CommandOf(program, "", invocation);
}

const Command* FindCommand(const Command& tree, const std::string& path) {
  for (const auto* command : AllCommands(tree)) {
    if (command->path == path) return command;
  }
  return nullptr;
}

std::vector<const Command*> AllCommands(const Command& tree) {
  std::vector<const Command*> all;
  Collect(tree, all);
  return all;
}

}  // namespace schakel::cli
