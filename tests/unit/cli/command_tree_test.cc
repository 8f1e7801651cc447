// What holds for every noun, verb and option: both languages, examples, and that shells can tell
// values from words.
#include "clients/cli/command_tree.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include <set>

#include "clients/cli/completion_parts.h"
#include "tests/unit/cli/run.h"

namespace schakel::cli {
namespace {

Command TreeIn(Language language) {
  std::ostringstream sink;
  Io io{sink, sink, [](const char*) { return std::optional<std::string>(); }};
  Invocation invocation(io, language);
  CLI::App program;
  BuildProgram(program, invocation);
  return TreeOf(program, invocation);
}

const Command& English() {
  static const auto* const tree = new Command(TreeIn(Language::kEnglish));
  return *tree;
}

TEST(CommandTree, HoldsTheNounsOfTheDesign) {
  for (const char* path :
       {"signal send",       "signal preflight",  "signal status",    "signal list",
        "signal outcomes",   "signal resend",     "inbox watch",      "inbox fetch",
        "inbox ack",         "inbox refuse",      "inbox release",    "inbox extend",
        "inbox attach",      "consent record",    "consent withdraw", "consent list",
        "consent check",     "pseudonym compute", "pseudonym budget", "org request",
        "org admit",         "org disable",       "org list",         "org show",
        "org register-keys", "keys generate",     "keys statement",   "keys attach",
        "policy check",      "policy test",       "policy explain",   "policy pack",
        "policy activate",   "policy show",       "policy replay",    "audit checkpoint",
        "audit query",       "audit subject",     "audit prove",      "audit verify",
        "audit export",      "audit state",       "context add",      "context use",
        "context list",      "context show",      "context check",    "completion bash",
        "completion zsh",    "completion fish",   "bench publish",     "bench flow",        "bench decide",
        "bench pseudonym",   "bench verify",      "version"}) {
    EXPECT_NE(FindCommand(English(), path), nullptr) << path;
  }
}

TEST(CommandTree, IsTheSameInBothLanguagesButForTheWords) {
  const Command dutch = TreeIn(Language::kDutch);
  const auto en = AllCommands(English());
  const auto nl = AllCommands(dutch);
  ASSERT_EQ(en.size(), nl.size());
  for (size_t i = 0; i < en.size(); ++i) {
    EXPECT_EQ(en[i]->path, nl[i]->path);
    EXPECT_EQ(en[i]->examples, nl[i]->examples) << en[i]->path;
    EXPECT_NE(en[i]->help, "") << en[i]->path;
    EXPECT_NE(nl[i]->help, "") << nl[i]->path;
    EXPECT_NE(en[i]->help, nl[i]->help) << en[i]->path;
    ASSERT_EQ(en[i]->options.size(), nl[i]->options.size()) << en[i]->path;
    for (size_t j = 0; j < en[i]->options.size(); ++j) {
      const auto& a = en[i]->options[j];
      const auto& b = nl[i]->options[j];
      const std::string what = en[i]->path + " " + a.names.front();
      EXPECT_EQ(a.names, b.names);
      EXPECT_EQ(a.value, b.value) << what;
      EXPECT_EQ(a.choices, b.choices) << what;
      EXPECT_NE(a.help, "") << what;
      EXPECT_NE(b.help, "") << what;
      // A help text of a few words may be alike; one that says something may not.
      if (a.help.size() > 20) {
        EXPECT_NE(a.help, b.help) << what;
      }
    }
  }
}

TEST(CommandTree, HasAnExampleOfEveryVerbInItsHelp) {
  User user;
  for (const auto* command : AllCommands(English())) {
    if (!command->commands.empty()) continue;
    EXPECT_NE(command->examples.find("schakel " + command->path), std::string::npos)
        << command->path;
    std::vector<std::string> args;
    std::istringstream words(command->path);
    for (std::string word; words >> word;) args.push_back(word);
    args.push_back("--help");
    const Ran ran = user.Run(args);
    EXPECT_EQ(ran.code, ExitCode::kOk) << command->path;
    const size_t examples = ran.out.find("Examples:\n  ");
    EXPECT_NE(examples, std::string::npos) << command->path;
    EXPECT_LT(examples, ran.out.find("Usage: ")) << command->path << ": examples come first";
  }
}

TEST(CommandTree, TakesAValueForANameEverywhereOrNowhere) {
  const auto valued = ValuedOptions(English());
  const std::set<std::string> with(valued.begin(), valued.end());
  for (const auto* command : AllCommands(English())) {
    for (const auto& option : command->options) {
      if (option.is_argument() || !option.value.empty()) continue;
      for (const auto& name : option.names) {
        EXPECT_FALSE(with.contains(name)) << command->path << " " << name;
      }
    }
  }
}

TEST(CommandTree, NamesTheValuesOfEnums) {
  const auto choices = [](const std::string& path, const std::string& name) {
    for (const auto& option : FindCommand(English(), path)->options) {
      for (const auto& each : option.names) {
        if (each == name) return option.choices;
      }
    }
    return std::vector<std::string>();
  };
  EXPECT_EQ(choices("signal send", "--urgency"), (std::vector<std::string>{"normal", "acute"}));
  EXPECT_EQ(choices("", "--language"), (std::vector<std::string>{"nl", "en"}));
  EXPECT_EQ(choices("org admit", "--role").size(), 4u);
  EXPECT_GT(choices("audit query", "--kind").size(), 20u);
  EXPECT_GT(choices("signal list", "--state-of").size(), 8u);
}

}  // namespace
}  // namespace schakel::cli
