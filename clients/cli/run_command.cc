#include "clients/cli/run_command.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

extern char** environ;

namespace schakel::cli {
namespace {

Error Failed(const char* what) {
  return MakeError(ErrorCode::kFailedPrecondition, "COMMAND_FAILED",
                   std::string("can't ") + what + ": " + std::strerror(errno));
}

}  // namespace

Result<int> RunCommand(const CommandToRun& command, std::chrono::milliseconds interval,
                       const std::function<bool()>& each_interval) {
  // Everything that allocates happens before the fork: between fork and exec of a process with
  // threads only async-signal-safe calls are allowed.
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) variables.emplace_back(*at);
  for (const auto& [name, value] : command.environment) variables.push_back(name + "=" + value);
  std::vector<char*> variable_pointers;
  for (auto& variable : variables) variable_pointers.push_back(variable.data());
  variable_pointers.push_back(nullptr);
  std::string shell = "/bin/sh";
  std::string flag = "-c";
  std::string line = command.command;
  char* const arguments[] = {shell.data(), flag.data(), line.data(), nullptr};
  const std::string folder = command.folder.string();

  const pid_t child = fork();
  if (child < 0) return Failed("start a process");
  if (child == 0) {
    // A Ctrl-C is the watcher's: it lets the command finish and then ends.
    setpgid(0, 0);
    if (chdir(folder.c_str()) != 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) _exit(126);
    execve(arguments[0], arguments, variable_pointers.data());
    _exit(127);
  }
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  bool asked_to_end = false;
  while (descriptor >= 0) {
    pollfd ready{descriptor, POLLIN, 0};
    const int got = poll(&ready, 1, static_cast<int>(interval.count()));
    if (got > 0) break;
    if (got < 0 && errno != EINTR) break;
    if (got == 0 && !asked_to_end && !each_interval()) {
      kill(child, SIGTERM);
      asked_to_end = true;
    }
  }
  if (descriptor >= 0) close(descriptor);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return Failed("wait for the command");
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace schakel::cli
