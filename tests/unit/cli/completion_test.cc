// Completion scripts in the shells that they are for, and man pages under mandoc's eyes.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/child_process.h"
#include "tests/unit/cli/run.h"

namespace schakel::cli {
namespace {

class Completion : public ::testing::Test {
 protected:
  Completion() {
    EXPECT_EQ(user_.Run({"context", "add", "team-a", "--broker", "a:1"}).code, ExitCode::kOk);
    EXPECT_EQ(user_.Run({"context", "add", "team-b", "--broker", "b:1"}).code, ExitCode::kOk);
    user_.File("bsn.txt", "999990019\n");
    user_.File("bundle.bin", "");
  }

  // Runs a script in a shell, in the home folder, with the built program in its PATH.
  testing::RunResult Shell(const std::string& shell, std::vector<std::string> flags,
                           const std::string& script) {
    const char* path = std::getenv("PATH");
    testing::ChildOptions options{.program = shell, .args = std::move(flags)};
    options.args.push_back(script);
    options.folder = user_.home.path();
    options.env = {{"PATH", checkout::BuildPath("bin") + ":" + (path == nullptr ? "" : path)},
                   {"HOME", user_.home.path().string()},
                   {"XDG_CONFIG_HOME", user_.variables["XDG_CONFIG_HOME"]},
                   {"LC_ALL", "C.UTF-8"}};
    return testing::RunProgram(std::move(options));
  }
  void WriteScript(const std::string& shell) {
    const Ran ran = user_.Run({"completion", shell});
    ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
    user_.File("script", ran.out);
  }
  static std::set<std::string> Lines(const std::string& text) {
    std::set<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      while (!line.empty() && line.back() == ' ') line.pop_back();
      if (!line.empty()) lines.insert(line);
    }
    return lines;
  }

  // What bash would offer for this line.
  std::set<std::string> Bash(const std::string& line) {
    const auto ran =
        Shell("bash", {"--norc", "-c"},
              "source ./script || exit 3\nCOMP_LINE='" + line +
                  "'\nCOMP_POINT=${#COMP_LINE}\nCOMP_WORDBREAKS=$' \\t\\n\"\\'><=;|&(:@'\n"
                  "_schakel\nprintf '%s\\n' \"${COMPREPLY[@]}\"");
    EXPECT_EQ(ran.code, 0) << ran.err;
    return Lines(ran.out);
  }
  // The same of fish, without the descriptions.
  std::set<std::string> Fish(const std::string& line) {
    const auto ran = Shell("fish", {"--no-config", "-c"},
                           "source ./script; complete -C '" + line + "' | string split -f1 \\t");
    EXPECT_EQ(ran.err, "");
    return Lines(ran.out);
  }
  // The same of zsh: its own completion system is told what to offer through three builtins, which
  // say here what they were told.
  std::set<std::string> Zsh(const std::string& words) {
    const auto ran =
        Shell("zsh", {"-f", "-c"},
              "compdef() { : }\n"
              "_describe() { local -a all; all=(${(P)@[-1]}); print -rl -- ${all%%:*} }\n"
              "compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -rl -- $@ }\n"
              "compset() { [[ $cur == ${~2}* ]] }\n"
              "_files() { print -r -- files $@ }\n"
              "source ./script\nwords=(" +
                  words + ")\nCURRENT=$#words\n_schakel | grep -- \"^${words[-1]:-.}\" || true");
    EXPECT_EQ(ran.err, "");
    return Lines(ran.out);
  }

  User user_;
};

using Words = std::set<std::string>;

TEST_F(Completion, InBash) {
  WriteScript("bash");
  EXPECT_EQ(Bash("schakel si"), Words{"signal"});
  EXPECT_EQ(Bash("schakel signal s"), (Words{"send", "status"}));
  EXPECT_EQ(Bash("schakel signal send --ur"), Words{"--urgency"});
  EXPECT_EQ(Bash("schakel signal send --urgency "), (Words{"acute", "normal"}));
  EXPECT_EQ(Bash("schakel signal send --urgency=a"), Words{"acute"}) << "what follows the =";
  EXPECT_EQ(Bash("schakel --context "), (Words{"team-a", "team-b"}));
  EXPECT_EQ(Bash("schakel context use team-b"), Words{"team-b"});
  EXPECT_EQ(Bash("schakel --context team-a sig"), Words{"signal"}) << "a value is no noun";
  EXPECT_EQ(Bash("schakel signal send --type signal --lang"), Words{"--language"});
  EXPECT_EQ(Bash("schakel signal send --subject-bsn @bs"), Words{"bsn.txt"}) << "after the @";
  EXPECT_EQ(Bash("schakel signal send --section finances=@bs"), Words{"bsn.txt"});
  EXPECT_EQ(Bash("schakel policy activate bun"), Words{"bundle.bin"});
  EXPECT_EQ(Bash("schakel org admit --role audi"), Words{"auditor"});
  EXPECT_EQ(Bash("schakel signal send --type "), Words()) << "codes are the policy's";
}

TEST_F(Completion, InFish) {
  WriteScript("fish");
  EXPECT_EQ(Fish("schakel si"), Words{"signal"});
  EXPECT_EQ(Fish("schakel signal s"), (Words{"send", "status"}));
  EXPECT_EQ(Fish("schakel signal send --urg"), Words{"--urgency"});
  EXPECT_EQ(Fish("schakel signal send --urgency "), (Words{"acute", "normal"}));
  EXPECT_EQ(Fish("schakel --context team-"), (Words{"team-a", "team-b"}));
  EXPECT_EQ(Fish("schakel context use team-b"), Words{"team-b"});
  EXPECT_EQ(Fish("schakel signal send --subject-bsn @bs"), Words{"@bsn.txt"});
  EXPECT_EQ(Fish("schakel policy activate bun"), Words{"bundle.bin"});
}

TEST_F(Completion, InZsh) {
  WriteScript("zsh");
  EXPECT_EQ(Zsh("schakel si"), Words{"signal"});
  EXPECT_EQ(Zsh("schakel signal s"), (Words{"send", "status"}));
  EXPECT_EQ(Zsh("schakel signal send --ur"), Words{"--urgency"});
  EXPECT_EQ(Zsh("schakel signal send --urgency ''"), (Words{"acute", "normal"}));
  EXPECT_EQ(Zsh("schakel --context team-"), (Words{"team-a", "team-b"}));
  EXPECT_EQ(Zsh("schakel context use team-b"), Words{"team-b"});
  EXPECT_EQ(Zsh("schakel policy activate ''"), Words{"files"});
}

TEST_F(Completion, TellsTheWordsInTheUsersLanguage) {
  EXPECT_NE(user_.Run({"completion", "fish", "--language", "nl"}).out.find("Signalen versturen"),
            std::string::npos);
}

TEST_F(Completion, ManPagesAreOneANounInBothLanguagesAndPleaseMandoc) {
  user_.variables["SOURCE_DATE_EPOCH"] = "1767225600";
  const auto folder = user_.home.path() / "man";
  const Ran ran = user_.Run({"completion", "man", folder.string()});
  ASSERT_EQ(ran.code, ExitCode::kOk) << ran.err;
  const auto lint = Shell("bash", {"-c"}, "mandoc -T lint -W style man/man1/*.1 man/nl/man1/*.1");
  EXPECT_EQ(lint.code, 0) << lint.out << lint.err;
  EXPECT_EQ(lint.out + lint.err, "");
  for (const char* noun : {"", "-signal", "-inbox", "-consent", "-pseudonym", "-keys", "-org",
                           "-policy", "-audit", "-context", "-bench", "-completion", "-version"}) {
    const std::string name = std::string("schakel") + noun + ".1";
    EXPECT_TRUE(std::filesystem::exists(folder / "man1" / name)) << name;
    EXPECT_TRUE(std::filesystem::exists(folder / "nl" / "man1" / name)) << name;
  }
  const auto shown = Shell("bash", {"-c"}, "mandoc -T utf8 man/nl/man1/schakel-signal.1 | col -b");
  EXPECT_NE(shown.out.find("schakel signal send"), std::string::npos) << shown.err;
  EXPECT_NE(shown.out.find("--urgency normal|acute"), std::string::npos) << shown.out;
  const std::string source = crypto::ReadText(folder / "man1" / "schakel.1");
  EXPECT_NE(source.find("2026-01-01"), std::string::npos) << "SOURCE_DATE_EPOCH is the date";
  // Two runs give the same bytes.
  ASSERT_EQ(user_.Run({"completion", "man", (user_.home.path() / "again").string()}).code,
            ExitCode::kOk);
  EXPECT_EQ(crypto::ReadText(user_.home.path() / "again" / "man1" / "schakel.1"), source);
}

}  // namespace
}  // namespace schakel::cli
