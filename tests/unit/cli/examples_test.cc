// Plays the examples of all help texts, as a shell takes them. Those that need no server must do
// what they show; the others must get as far as missing a broker: every flag and value is right.
// With a region: tests/e2e/cli_test.cc.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "clients/cli/command_tree.h"
#include "tests/support/child_process.h"
#include "tests/unit/cli/run.h"

namespace schakel::cli {
namespace {

namespace fs = std::filesystem;

// Lines that end in a backslash go on in the next.
std::vector<std::string> LogicalLines(const std::string& examples) {
  std::vector<std::string> lines;
  bool goes_on = false;
  std::istringstream in(examples);
  for (std::string line; std::getline(in, line);) {
    if (goes_on) {
      lines.back() += "\n" + line;
    } else {
      lines.push_back(line);
    }
    goes_on = line.ends_with('\\');
  }
  return lines;
}

class Examples : public ::testing::Test {
 protected:
  Examples() {
    pki_.Issue(oin_);
    fs::create_directory_symlink(checkout::SourcePath("policy"), user_.home.path() / "policy");
    for (const char* name : {"arrears.json", "person.json", "report.json", "one.json"}) {
      user_.File(name, "{}");
    }
    for (const char* name : {"bsn.txt", "bsns.txt", "one.txt", "two.txt"}) {
      user_.File(name, "999990019\n");
    }
    user_.File("outcomes.jsonl", "Y3Vyc29y\n");
    for (const char* name : {"form.pdf", "key-document-1.bin", "key-set.sig", "request.sig",
                             "log.export", "receipt.json"}) {
      user_.File(name, "x");
    }
    fs::copy(pki_.path() / (oin_ + ".pem"), user_.home.path() / "debt-relief.pem");
    for (const char* name : {".zfunc", ".config/fish/completions",
                             ".local/share/bash-completion/completions", ".local/share"}) {
      fs::create_directories(user_.home.path() / name);
    }
  }

  testing::RunResult Play(const std::string& line) {
    const char* path = std::getenv("PATH");
    // The lines for zsh are taken by zsh, whose completion system is not started by scripts.
    const bool zsh = line.find("completion zsh") != std::string::npos;
    testing::ChildOptions options{
        .program = zsh ? "zsh" : "bash",
        .args = {zsh ? "-f" : "--norc", "-c", (zsh ? "compdef() { : }\n" : "") + line}};
    options.folder = user_.home.path();
    options.env = {{"PATH", checkout::BuildPath("bin") + ":" + (path == nullptr ? "" : path)},
                   {"HOME", user_.home.path().string()},
                   {"XDG_CONFIG_HOME", user_.variables["XDG_CONFIG_HOME"]},
                   {"XDG_STATE_HOME", user_.variables["XDG_STATE_HOME"]},
                   {"SCHAKEL_CERTIFICATE", (pki_.path() / (oin_ + ".chain.pem")).string()},
                   {"SCHAKEL_KEY", (pki_.path() / (oin_ + ".key")).string()},
                   {"SCHAKEL_KEY_STORE", (user_.home.path() / "keys").string()},
                   {"SCHAKEL_ACTOR", "user-1"},
                   {"SCHAKEL_ACTOR_ROLE", "professional"},
                   {"LC_ALL", "C.UTF-8"}};
    return testing::RunProgram(std::move(options));
  }
  // All lines of a command's examples.
  std::vector<std::string> Of(const std::string& path) {
    const Command* command = FindCommand(tree_, path);
    EXPECT_NE(command, nullptr) << path;
    return command == nullptr ? std::vector<std::string>() : LogicalLines(command->examples);
  }

  static Command Tree() {
    std::ostringstream sink;
    Io io{sink, sink, [](const char*) { return std::optional<std::string>(); }};
    Invocation invocation(io, Language::kEnglish);
    CLI::App program;
    BuildProgram(program, invocation);
    return TreeOf(program, invocation);
  }

  const std::string oin_ = "00000099000000002000";
  crypto::DevPki pki_;
  User user_;
  const Command tree_ = Tree();
};

TEST_F(Examples, ThatNeedNoServerDoWhatTheyShow) {
  for (const char* path : {"policy check", "policy test", "policy pack", "keys generate",
                           "keys show", "keys statement", "context add", "context use",
                           "context list", "context show", "completion bash", "completion zsh",
                           "completion fish", "completion man", "completion contexts"}) {
    for (const auto& line : Of(path)) {
      if (line == "schakel org register-keys") continue;  // with the broker
      const auto ran = Play(line);
      EXPECT_EQ(ran.code, 0) << line << "\n" << ran.out << ran.err;
    }
  }
  // Explaining from a folder is local too; from the broker it is not.
  const auto explained = Play(Of("policy explain").front());
  EXPECT_EQ(explained.code, 0) << explained.out << explained.err;
}

TEST_F(Examples, ThatMakeARequestWriteIt) {
  ASSERT_EQ(Play("schakel keys generate").code, 0);
  const auto lines = Of("org request");
  ASSERT_EQ(lines.size(), 3u);
  const auto ran = Play(lines[1]);
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(fs::exists(user_.home.path() / "team.request"));
}

TEST_F(Examples, AllGetAsFarAsTheBroker) {
  size_t played = 0;
  for (const auto* command : AllCommands(tree_)) {
    for (const auto& line : LogicalLines(command->examples)) {
      // Placeholders of whole words, and a program that is only another's.
      std::string text = line;
      for (const auto& [from, to] :
           {std::pair<std::string, std::string>("DIGEST", std::string(64, 'a')),
            {"CURSOR", "Y3Vyc29y"},
            {"zhz.example/schakel/1+8f2c...", "zhz.example/schakel/1+8f2c"}}) {
        for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
          text.replace(at, from.size(), to);
          at += to.size();
        }
      }
      const auto ran = Play("jq() { cat; }; " + text + " < /dev/null");
      EXPECT_EQ(ran.err.find("wrong use"), std::string::npos) << text << "\n" << ran.err;
      EXPECT_EQ(ran.err.find("(USAGE"), std::string::npos) << text << "\n" << ran.err;
      EXPECT_NE(ran.code, 64) << text << "\n" << ran.err;
      EXPECT_NE(ran.code, 127) << text << "\n" << ran.err;
      ++played;
    }
  }
  EXPECT_GT(played, 60u);
}

}  // namespace
}  // namespace schakel::cli
