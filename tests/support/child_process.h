// Programs that a test starts: servers and command lines.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace schakel::testing {

struct ChildOptions {
  std::filesystem::path program;                              // with a slash, or looked up in PATH
  std::vector<std::string> args;                              // without the program's name
  std::vector<std::pair<std::string, std::string>> env = {};  // added to this process's own
  std::filesystem::path folder = {};  // working folder; empty for this process's own
  std::filesystem::path output = {};  // prefix of the output files; ".out" and ".err" are added
                                      // (appended to when they exist); empty: a temporary folder
  std::string input = {};             // standard input
};

// A running program. When the test's process dies, or the thread that started it ends, the program
// is killed. Not thread-safe.
class ChildProcess {
 public:
  // nullptr when there is no such program.
  static std::unique_ptr<ChildProcess> Start(ChildOptions options);
  ~ChildProcess();  // SIGKILL if it still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool Running();

  // Exit code, or 128 + number of the signal that ended it; nullopt when it still runs then.
  std::optional<int> Wait(std::chrono::milliseconds timeout);
  // SIGTERM, then as Wait; after the timeout SIGKILL (the answer is then 137).
  int Stop(std::chrono::milliseconds timeout = std::chrono::seconds(20));
  // SIGKILL: what a power cut does to a process.
  void Kill();
  void Signal(int number);

  // What it wrote so far.
  std::string Stdout() const;
  std::string Stderr() const;
  // Waits until `part` stands in one of them; false when it ended or the time passed before that.
  bool WaitFor(std::string_view part, std::chrono::milliseconds timeout = std::chrono::seconds(20));
  // Waits for a file with a port number (a server's port_file). nullopt as above.
  std::optional<int> WaitForPort(const std::filesystem::path& file,
                                 std::chrono::milliseconds timeout = std::chrono::seconds(20));

 private:
  ChildProcess() = default;
  template <typename Done>
  bool Await(std::chrono::milliseconds timeout, Done done);

  pid_t pid_ = -1;
  int pidfd_ = -1;
  std::optional<int> exit_;
  std::filesystem::path own_folder_;  // removed at the end
  std::filesystem::path out_;
  std::filesystem::path err_;
};

// A program run to its end.
struct RunResult {
  int code = -1;  // as ChildProcess::Wait; 137 when it took longer than the timeout; 127 not found
  std::string out;
  std::string err;
};
RunResult RunProgram(ChildOptions options,
                     std::chrono::milliseconds timeout = std::chrono::seconds(60));

}  // namespace schakel::testing
