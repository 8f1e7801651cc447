#include "tests/support/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "broker/base/check.h"
#include "tests/support/temp_dir.h"

extern char** environ;  // NOLINT(readability-redundant-declaration)

namespace schakel::testing {
namespace {

using Clock = std::chrono::steady_clock;

// How a program ends that a sanitizer stopped, as tests/run has it.
constexpr int kSanitizerExit = 86;

// The program's path, by PATH when it has no slash; empty when there is none.
std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return access(name.c_str(), X_OK) == 0 ? name : std::string();
  }
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/bin:/bin" : path;
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    const std::string candidate = std::string(rest.substr(0, colon)) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  }
  return {};
}

std::vector<std::string> MergedEnvironment(
    const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> merged;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry = *at;
    const bool replaced = std::any_of(added.begin(), added.end(), [&](const auto& pair) {
      return entry.starts_with(pair.first + "=");
    });
    if (!replaced) merged.emplace_back(entry);
  }
  for (const auto& [name, value] : added) merged.push_back(name + "=" + value);
  return merged;
}

std::vector<char*> Pointers(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  for (std::string& text : *texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

int OpenOrStop(const std::filesystem::path& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC, 0600);
  SCHAKEL_CHECK(fd >= 0, "a test's output file can be opened");
  return fd;
}

}  // namespace

std::unique_ptr<ChildProcess> ChildProcess::Start(ChildOptions options) {
  const std::string program = FindProgram(options.program.string());
  if (program.empty()) return nullptr;
  std::unique_ptr<ChildProcess> child(new ChildProcess());
  if (options.output.empty()) {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "schakel-child-XXXXXX").string();
    SCHAKEL_CHECK(mkdtemp(pattern.data()) != nullptr, "a temporary folder can be made");
    child->own_folder_ = pattern;
    options.output = child->own_folder_ / "child";
  }
  child->out_ = options.output.string() + ".out";
  child->err_ = options.output.string() + ".err";
  const std::filesystem::path input = options.output.string() + ".in";
  WriteFile(input, options.input, 0600);

  // Everything that allocates comes before fork: this process may have threads.
  std::vector<std::string> args = options.args;
  args.insert(args.begin(), program);
  std::vector<char*> argv = Pointers(&args);
  std::vector<std::string> env = MergedEnvironment(options.env);
  std::vector<char*> envp = Pointers(&env);
  const int in = OpenOrStop(input, O_RDONLY);
  const int out = OpenOrStop(child->out_, O_WRONLY | O_CREAT | O_APPEND);
  const int err = OpenOrStop(child->err_, O_WRONLY | O_CREAT | O_APPEND);
  const std::string folder = options.folder.string();
  const pid_t parent = getpid();

  child->pid_ = fork();
  SCHAKEL_CHECK(child->pid_ >= 0, "fork");
  if (child->pid_ == 0) {
    // Only async-signal-safe functions from here on.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) _exit(127);
    if (!folder.empty() && chdir(folder.c_str()) != 0) _exit(127);
    execve(program.c_str(), argv.data(), envp.data());
    _exit(127);
  }
  close(in);
  close(out);
  close(err);
  child->pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, child->pid_, 0));
  SCHAKEL_CHECK(child->pidfd_ >= 0, "pidfd_open");
  return child;
}

ChildProcess::~ChildProcess() {
  Kill();
  if (pidfd_ >= 0) close(pidfd_);
  if (!own_folder_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(own_folder_, ignored);
  }
}

bool ChildProcess::Running() { return !Wait(std::chrono::milliseconds(0)).has_value(); }

std::optional<int> ChildProcess::Wait(std::chrono::milliseconds timeout) {
  if (exit_) return exit_;
  pollfd ended{pidfd_, POLLIN, 0};
  const Clock::time_point until = Clock::now() + timeout;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        std::max(Clock::duration(0), until - Clock::now()));
    const int ready = poll(&ended, 1, static_cast<int>(left.count()));
    if (ready > 0) break;
    if (ready == 0) return std::nullopt;
    SCHAKEL_CHECK(errno == EINTR, "poll");
  }
  int status = 0;
  SCHAKEL_CHECK(waitpid(pid_, &status, 0) == pid_, "waitpid");
  exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (*exit_ == kSanitizerExit) {
    // The test may look at this child no more, or expect that it fails.
    std::fprintf(stderr,
                 "a sanitizer stopped a child, process %d; its report is where tests/run says\n%s",
                 pid_, Stderr().c_str());
    std::abort();
  }
  return exit_;
}

int ChildProcess::Stop(std::chrono::milliseconds timeout) {
  Signal(SIGTERM);
  if (!Wait(timeout)) Kill();
  return *exit_;
}

void ChildProcess::Kill() {
  if (exit_) return;
  Signal(SIGKILL);
  while (!Wait(std::chrono::seconds(60))) {
  }
}

void ChildProcess::Signal(int number) {
  if (!exit_) kill(pid_, number);
}

std::string ChildProcess::Stdout() const { return ReadFile(out_); }
std::string ChildProcess::Stderr() const { return ReadFile(err_); }

template <typename Done>
bool ChildProcess::Await(std::chrono::milliseconds timeout, Done done) {
  const Clock::time_point until = Clock::now() + timeout;
  while (true) {
    const bool ended = !Running();
    if (done()) return true;
    if (ended || Clock::now() >= until) return false;
    Wait(std::chrono::milliseconds(5));  // returns at once when it ends
  }
}

bool ChildProcess::WaitFor(std::string_view part, std::chrono::milliseconds timeout) {
  return Await(timeout, [&] {
    return Stdout().find(part) != std::string::npos || Stderr().find(part) != std::string::npos;
  });
}

std::optional<int> ChildProcess::WaitForPort(const std::filesystem::path& file,
                                             std::chrono::milliseconds timeout) {
  int port = 0;
  const bool there = Await(timeout, [&] {
    port = std::atoi(ReadFile(file).c_str());
    return port > 0;
  });
  return there ? std::optional<int>(port) : std::nullopt;
}

RunResult RunProgram(ChildOptions options, std::chrono::milliseconds timeout) {
  std::unique_ptr<ChildProcess> child = ChildProcess::Start(std::move(options));
  if (child == nullptr) return {127, "", "no such program"};
  if (!child->Wait(timeout)) child->Kill();
  return {*child->Wait(std::chrono::milliseconds(0)), child->Stdout(), child->Stderr()};
}

}  // namespace schakel::testing
