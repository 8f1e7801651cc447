// Somebody at a shell, with a home of their own and the built programs in PATH.
#pragma once

#include <filesystem>
#include <string>

#include "schakel/config/v1/contexts.pb.h"
#include "tests/support/child_process.h"

namespace schakel::e2e {

// How a line is run.
enum class Manner {
  kRun,       // to its end
  kFollow,    // until it showed what it is for, and then Ctrl-C
  kTerminal,  // on a terminal, where the user types an answer
};

struct ShellLine {
  std::string text;  // for bash -c
  Manner manner = Manner::kRun;
  std::string shows = {};  // kFollow: Ctrl-C once this stands in what it wrote
  std::string types = {};  // kTerminal
};

struct Shown {
  int code = -1;
  std::string out;  // standard output, or what was added to the file that it went to
  std::string err;
};

class ShellUser {
 public:
  explicit ShellUser(std::filesystem::path home);
  ShellUser(const ShellUser&) = delete;
  ShellUser& operator=(const ShellUser&) = delete;

  Shown Run(const ShellLine& line);
  Shown Run(const std::string& text) { return Run(ShellLine{text}); }
  // Left running.
  std::unique_ptr<testing::ChildProcess> Start(const std::string& text) const;
  // Ctrl-C, for all that it started; its exit code, -1 when it goes on.
  static int Interrupt(testing::ChildProcess& started);
  // Everything that the user saw so far.
  const std::string& screen() const { return screen_; }

  void Take(const config::v1::Context& context) const;     // as the one and only
  void TakeToo(const config::v1::Context& context) const;  // beside those that are there
  void Write(const std::string& name, const std::string& content) const;
  void Copy(const std::filesystem::path& from, const std::string& name) const;
  const std::filesystem::path& home() const { return home_; }

 private:
  testing::ChildOptions OptionsOf(std::string program, std::vector<std::string> args) const;
  // The file that the line's output goes to; empty when it goes to the screen.
  std::filesystem::path TargetOf(const std::string& text) const;
  static Shown Follow(const testing::ChildOptions& options, const ShellLine& line,
                      const std::filesystem::path& target, size_t before);

  const std::filesystem::path home_;
  std::string screen_;
};

}  // namespace schakel::e2e
