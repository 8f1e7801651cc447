// The user's own program, run for each item of the inbox.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "broker/base/result.h"

namespace schakel::cli {

struct CommandToRun {
  std::string command;                                           // for /bin/sh -c
  std::filesystem::path folder;                                  // its working folder
  std::vector<std::pair<std::string, std::string>> environment;  // added to this process's own
};

// Runs it to its end, its standard output going to standard error (data on standard output is
// ours). `each_interval` is called whenever that time passed while it runs; when it returns false
// the command gets SIGTERM. Returns its exit code, 128 + the signal that ended it. An Error when it
// can't be started.
Result<int> RunCommand(const CommandToRun& command, std::chrono::milliseconds interval,
                       const std::function<bool()>& each_interval);

}  // namespace schakel::cli
