// Every command of ours in the runbook exists, with its flags.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include "tests/deploy/deploy_files.h"
#include "tests/support/child_process.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

namespace schakel::testing {
namespace {

const std::set<std::string> kPrograms = {"schakel-broker", "schakel-custodian", "schakel"};

std::string HelpOf(const std::vector<std::string>& command) {
  static std::map<std::vector<std::string>, std::string> known;
  auto& help = known[command];
  if (help.empty()) {
    std::vector<std::string> args(command.begin() + 1, command.end());
    args.push_back("--help");
    const auto result = RunProgram({.program = checkout::BuildPath("bin/" + command[0]),
                                    .args = args,
                                    .env = {{"SCHAKEL_LANGUAGE", "en"}, {"LANG", "C.UTF-8"}}});
    EXPECT_EQ(result.code, 0) << ::testing::PrintToString(command) << result.err;
    help = result.out + "\n";
  }
  return help;
}

// Names in the list of commands at the end of a help text.
std::set<std::string> CommandsIn(const std::string& help) {
  std::set<std::string> names;
  bool listed = false;
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    if (line == "Commands:" || line == "Subcommands:") {
      listed = true;
    } else if (listed && line.starts_with("  ") && line.size() > 2 && line[2] != ' ') {
      names.insert(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  return names;
}

bool HasFlag(const std::string& help, const std::string& flag) {
  for (size_t at = help.find(flag); at != std::string::npos; at = help.find(flag, at + 1)) {
    const char after = help[at + flag.size()];
    if ((after == ' ' || after == ',' || after == '\n' || after == '=') && help[at - 1] != '-') {
      return true;
    }
  }
  return false;
}

// What is wrong with a command; empty: nothing.
std::string Fault(const std::vector<std::string>& words) {
  std::vector<std::string> command = {words[0]};
  std::string help = HelpOf(command);
  std::string all_help = help;
  bool after_flag = false;
  std::vector<std::string> flags;
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "||" || word == "|" || word == ">") break;
    if (word.starts_with("-")) {
      flags.push_back(word.substr(0, word.find('=')));
      after_flag = true;
      continue;
    }
    const auto commands = CommandsIn(help);
    if (commands.contains(word)) {
      command.push_back(word);
      help = HelpOf(command);
      all_help += help;
    } else if (!after_flag && !commands.empty()) {
      return "no command " + word + " of " + command.back();
    }
    after_flag = false;
  }
  if (words[0] == "schakel" && !CommandsIn(help).empty()) return "a verb is missing";
  for (const auto& flag : flags) {
    if (!HasFlag(all_help, flag)) return "no flag " + flag;
  }
  return "";
}

// The commands of ours in the page: lines of blocks, and `...` in sentences.
std::vector<std::vector<std::string>> CommandsOf(const std::string& page) {
  std::vector<std::string> lines;
  for (const auto& block : ShellBlocksOf(page)) {
    lines.insert(lines.end(), block.lines.begin(), block.lines.end());
  }
  bool in_block = false;
  std::istringstream all(page);
  for (std::string line; std::getline(all, line);) {
    if (line.starts_with("```")) in_block = !in_block;
    if (in_block) continue;
    for (size_t at = line.find('`'); at != std::string::npos;) {
      const size_t end = line.find('`', at + 1);
      if (end == std::string::npos) break;
      lines.push_back(line.substr(at + 1, end - at - 1));
      at = line.find('`', end + 1);
    }
  }
  std::vector<std::vector<std::string>> commands;
  for (const auto& line : lines) {
    auto words = WordsOf(line);
    if (words.size() > 4 && words[0] == "runuser") words.erase(words.begin(), words.begin() + 4);
    if (words.size() > 1 && kPrograms.contains(words[0])) commands.push_back(std::move(words));
  }
  return commands;
}

TEST(Runbook, NamesOnlyCommandsAndFlagsThatExist) {
  const auto commands = CommandsOf(ReadFile(checkout::SourcePath("deploy/RUNBOOK.md")));
  EXPECT_GT(commands.size(), 20u);
  std::set<std::string> programs;
  for (const auto& words : commands) {
    programs.insert(words[0]);
    EXPECT_EQ(Fault(words), "") << ::testing::PrintToString(words);
  }
  EXPECT_EQ(programs, kPrograms);
}

TEST(Runbook, WouldBeCaughtWithACommandThatDoesNotExist) {
  for (const char* line :
       {"schakel-broker backup --into /x --config y", "schakel-broker restore --config y",
        "schakel-broker recover --incarnations 2", "schakel org admitt", "schakel org",
        "schakel audit verify --recordss", "schakel-custodian --confg x"}) {
    EXPECT_NE(Fault(WordsOf(line)), "") << line;
  }
  EXPECT_EQ(Fault(WordsOf("schakel-broker --config x --check-config")), "");
}

TEST(Runbook, InstallsFilesThatExist) {
  size_t found = 0;
  for (const auto& block : ShellBlocksOf(ReadFile(checkout::SourcePath("deploy/RUNBOOK.md")))) {
    for (const auto& line : block.lines) {
      for (const auto& word : WordsOf(line)) {
        if (!word.starts_with("deploy/")) continue;
        ++found;
        EXPECT_TRUE(std::filesystem::exists(checkout::SourcePath(word))) << line;
      }
    }
  }
  EXPECT_GE(found, 5u);
}

TEST(Runbook, HasEachSectionThatItPromises) {
  const auto anchors = AnchorsOf(ReadFile(checkout::SourcePath("deploy/RUNBOOK.md")));
  for (const char* section : {"keys", "rotation-of-the-log-key", "rotation-of-certificates",
                              "backup", "restore-a-backup", "disk-full", "clock-doubtful",
                              "failed-sync", "revoked-certificate", "custodian-down", "upgrade"}) {
    EXPECT_TRUE(anchors.contains(section)) << section;
  }
}

}  // namespace
}  // namespace schakel::testing
