// What somebody new to a role does first, command by command. Help and man pages show it; a test
// goes through each with nothing but the examples of these commands (tests/e2e/help).
#pragma once

#include <string>
#include <vector>

#include "clients/cli/messages.h"

namespace schakel::cli {

struct MainTask {
  Msg who;                         // a role, and what for
  std::vector<std::string> steps;  // "signal send", in order
};

// In the order in which a region needs them.
const std::vector<MainTask>& MainTasks();
// Those with a step of this noun; all of them for an empty name.
std::vector<MainTask> MainTasksOf(const std::string& noun);

}  // namespace schakel::cli
