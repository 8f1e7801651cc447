// Plays every example of every help text of schakel in a region of real processes: as it is
// printed, by a shell, by those whom it is for. Nothing here repeats an example; plays.h says who
// plays it, and what comes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "clients/cli/command_tree.h"
#include "clients/cli/invocation.h"
#include "clients/cli/program.h"
#include "tests/e2e/help/plays.h"

namespace schakel::e2e {
namespace {

using ::testing::HasSubstr;

// Every command of the program, "" for itself; nouns have no examples of their own.
std::vector<std::string> Commands() {
  std::ostringstream sink;
  cli::Io io{sink, sink, [](const char*) { return std::optional<std::string>(); }};
  cli::Invocation invocation(io, cli::Language::kEnglish);
  CLI::App program;
  cli::BuildProgram(program, invocation);
  const cli::Command tree = cli::TreeOf(program, invocation);
  std::vector<std::string> commands = {""};
  for (const auto* command : cli::AllCommands(tree)) {
    if (command->commands.empty()) commands.push_back(command->path);
  }
  return commands;
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// What -o promises.
void ExpectFormat(const std::string& line, const std::string& out) {
  const auto asks = [&](const std::string& format) {
    return (line + " ").find("-o " + format + " ") != std::string::npos;
  };
  if (asks("json") && line.find("| jq ") == std::string::npos) {
    EXPECT_TRUE(nlohmann::json::accept(out)) << line << "\n" << out;
  } else if (asks("jsonl")) {
    for (const auto& each : LinesOf(out)) {
      EXPECT_TRUE(nlohmann::json::accept(each)) << line << "\n" << each;
    }
  } else if (asks("csv")) {
    EXPECT_TRUE(out.starts_with("\xEF\xBB\xBF")) << line << "\n" << out;
    EXPECT_GE(LinesOf(out).size(), 2u) << line << "\n" << out;
    EXPECT_NE(out.find(','), std::string::npos) << line << "\n" << out;
  }
}

void ExpectTurn(const Turn& turn, const std::string& line, const Shown& shown) {
  const std::string all = line + "\n" + shown.out + shown.err;
  EXPECT_EQ(shown.code, turn.code) << all;
  EXPECT_THAT(shown.out, HasSubstr(turn.out)) << all;
  EXPECT_THAT(shown.err, HasSubstr(turn.err)) << all;
  if (turn.silent) {
    EXPECT_EQ(shown.out + shown.err, "") << line;
  } else {
    EXPECT_NE(turn.out + turn.err, "") << line << "\nsay in tests/e2e/help what it is for";
  }
  ExpectFormat(line, shown.out);
}

class HelpExamples : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    region_ = new Region({.steered = true, .newcomer = "team"});
    world_ = new World(*region_, "team");
  }
  static void TearDownTestSuite() {
    delete world_;
    delete region_;
  }

  static Region* region_;
  static World* world_;
};
Region* HelpExamples::region_ = nullptr;
World* HelpExamples::world_ = nullptr;

TEST_F(HelpExamples, AreAllPlayed) {
  std::vector<Play> plays = PartnerPlays();
  for (auto& play : RegionPlays()) plays.push_back(std::move(play));
  std::map<std::string, size_t> turns;
  for (const auto& play : plays) {
    EXPECT_TRUE(turns.emplace(play.command, play.turns.size()).second)
        << "'" << play.command << "' is played twice";
  }
  for (const auto& command : Commands()) {
    const auto examples = world_->Help("volunteers", command);
    EXPECT_FALSE(examples.empty())
        << "the help of 'schakel " << command << "' has no example: add one where it is defined";
    EXPECT_EQ(turns[command], examples.size())
        << "the help of 'schakel " << command << "' has " << examples.size()
        << " examples: say in tests/e2e/help/partner_plays.cc or region_plays.cc who plays each, "
           "and what it shows; in order, one turn an example";
    turns.erase(command);
  }
  for (const auto& [command, count] : turns) {
    ADD_FAILURE() << "there is no command 'schakel " << command << "' any more: take out its play";
  }
}

TEST_F(HelpExamples, DoWhatTheyShow) {
  std::vector<Play> plays = PartnerPlays();
  for (auto& play : RegionPlays()) plays.push_back(std::move(play));
  for (const auto& play : plays) {
    for (size_t i = 0; i < play.turns.size(); ++i) {
      const Turn& turn = play.turns[i];
      const auto examples = world_->Help(turn.who, play.command);
      ASSERT_LT(i, examples.size()) << play.command;
      if (turn.before) turn.before(*world_);
      const std::string line = world_->Typed(turn.who, examples[i]);
      const std::string shows = turn.out.empty() ? turn.err : turn.out;
      ExpectTurn(turn, line, world_->At(turn.who).Run({line, turn.manner, shows, turn.types}));
    }
  }
}

}  // namespace
}  // namespace schakel::e2e
