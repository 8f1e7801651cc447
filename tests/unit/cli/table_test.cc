#include "clients/cli/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <clocale>
#include <sstream>

#include "clients/cli/table_layout.h"
#include "tests/support/child_process.h"
#include "tests/support/paths.h"

namespace schakel::cli {
namespace {

TEST(Tables, AlignTheirColumns) {
  Table table({"RECIPIENT", "STATE"});
  table.Add({"Schuldhulp Dordrecht", "waiting"});
  table.Add({"Politie", {"denied", Colour::kBad}});
  EXPECT_EQ(table.Render(0, true),
            "RECIPIENT             STATE\n"
            "Schuldhulp Dordrecht  waiting\n"
            "Politie               denied\n");
}

TEST(Tables, HaveColourOnlyWhereItIsAskedForOnATerminal) {
  Table table({"STATE"});
  table.Add({{"denied", Colour::kBad}});
  EXPECT_NE(table.Render(80, true).find("\x1b["), std::string::npos);
  EXPECT_EQ(table.Render(80, false).find("\x1b["), std::string::npos);
  EXPECT_EQ(table.Render(0, true).find("\x1b["), std::string::npos);
}

TEST(Tables, ShowNoControlCharactersOfOthers) {
  Table table({"NAME"});
  table.Add({"evil\x1b[2Jname"});
  const std::string text = table.Render(0, false);
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  EXPECT_NE(text.find("name"), std::string::npos) << text;
}

TEST(Tables, MeasureLettersNotBytes) {
  ASSERT_NE(std::setlocale(LC_CTYPE, "C.UTF-8"), nullptr);
  Table table({"NAAM", "X"});
  table.Add({"Financiën", "1"});
  table.Add({"Financien", "2"});
  EXPECT_EQ(table.Render(0, false), "NAAM       X\nFinanciën  1\nFinancien  2\n");
}

TEST(Tables, WrapOnlyLongCellsOnANarrowTerminal) {
  Table table({"ID", "MESSAGE"});
  table.Add({"01980c5e-7a3f-7d2c-9b60-3c2b8f1e4a11", std::string(100, 'x')});
  const std::string text = table.Render(80, false);
  EXPECT_NE(text.find("01980c5e-7a3f-7d2c-9b60-3c2b8f1e4a11  xxx"), std::string::npos) << text;
  EXPECT_GE(std::count(text.begin(), text.end(), '\n'), 4) << text;
}

// As audit query shows it: more than a terminal has room for.
Table Records() {
  Table table({"INDEX", "TIME", "KIND", "ORGANISATION", "SECTIONS", "WHY NOT", "SIGNAL"});
  table.Add({"18", "2026-11-26 13:43:57", "delivery", "Sociale Dienst, schuldhulp",
             "Finances (Early signals of debts), Name and birth date (Early signals of debts)", "",
             "01a21819-3e70-72c5-96bf-f6014d2abc5a"});
  table.Add({"28", "2026-11-26 13:43:58", "withheld", "Zorgaanbieder Rivierenland", "",
             "the consent was withdrawn", "01a21819-41f7-7958-952b-554218d8328b"});
  return table;
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Tables, GoOnInTheLinesBelowUnderTheirHeaders) {
  const std::string text = Records().Render(120, false);
  const auto lines = LinesOf(text);
  ASSERT_GT(lines.size(), 4u);
  for (const auto& line : lines) EXPECT_LE(PlacesOf(line), 120u) << text;
  const auto begins = [&](const std::string& line, const std::string& header,
                          const std::string& word) {
    EXPECT_EQ(line.find(word), lines[0].find(header)) << text;
  };
  begins(lines[1], "TIME", "2026-11-26");
  begins(lines[1], "ORGANISATION", "Sociale");
  begins(lines[1], "SECTIONS", "Finances");
  begins(lines[1], "SIGNAL", "01a21819-3e70-72c5-96bf-f6014d2abc5a");
  const auto second = std::find_if(lines.begin(), lines.end(),
                                   [](const auto& line) { return line.starts_with("28"); });
  ASSERT_NE(second, lines.end());
  begins(*second, "WHY NOT", "the consent");
  begins(*second, "SIGNAL", "01a21819-41f7-7958-952b-554218d8328b");
  // What goes on stands under its beginning, and nothing is lost.
  begins(lines[2], "SECTIONS", "signals of");
  for (const char* word : {"Dienst,", "schuldhulp", "birth", "debts)", "Rivierenland"}) {
    EXPECT_NE(text.find(word), std::string::npos) << text;
  }
}

TEST(Tables, AreListsOfFieldsWhereNoScreenHasRoomForTheirColumns) {
  EXPECT_EQ(Records().Render(60, false),
            "INDEX         18\n"
            "TIME          2026-11-26 13:43:57\n"
            "KIND          delivery\n"
            "ORGANISATION  Sociale Dienst, schuldhulp\n"
            "SECTIONS      Finances (Early signals of debts), Name and\n"
            "              birth date (Early signals of debts)\n"
            "SIGNAL        01a21819-3e70-72c5-96bf-f6014d2abc5a\n"
            "\n"
            "INDEX         28\n"
            "TIME          2026-11-26 13:43:58\n"
            "KIND          withheld\n"
            "ORGANISATION  Zorgaanbieder Rivierenland\n"
            "WHY NOT       the consent was withdrawn\n"
            "SIGNAL        01a21819-41f7-7958-952b-554218d8328b\n");
}

TEST(Tables, AreOneLineARowInAFile) { EXPECT_EQ(LinesOf(Records().Render(0, false)).size(), 3u); }

TEST(Tables, InAFileAreAsWideAsTheUserSays) {
  const auto print = [](const char* columns) {
    testing::ChildOptions options{
        .program = checkout::BuildPath("bin/schakel"),
        .args = {"policy", "matrix", checkout::SourcePath("policy/zuid-holland-zuid"), "--type",
                 "rent-arrears"}};
    options.env = {{"LC_ALL", "C.UTF-8"}, {"COLUMNS", columns}};
    return testing::RunProgram(std::move(options)).out;
  };
  const auto widest = [](const std::string& text) {
    size_t places = 0;
    for (const auto& line : LinesOf(text)) places = std::max(places, PlacesOf(line));
    return places;
  };
  EXPECT_GT(widest(print("")), 200u);
  EXPECT_GT(widest(print("wide")), 200u);
  const std::string narrow = print("150");
  EXPECT_LE(widest(narrow), 150u) << narrow;
  EXPECT_GT(widest(narrow), 100u) << narrow;
  EXPECT_EQ(narrow.find('\x1b'), std::string::npos) << "no colour in a file";
}

TEST(Text, IsBrokenAtSpacesAndOnlyWhereItMust) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(WrapText("one two", 7), Lines{"one two"});
  EXPECT_EQ(WrapText("one two", 6), (Lines{"one", "two"}));
  EXPECT_EQ(WrapText("financiën twee", 9), (Lines{"financiën", "twee"}));
  EXPECT_EQ(WrapText("abcdefgh ij", 3), (Lines{"abc", "def", "gh", "ij"}));
  EXPECT_EQ(WrapText("abcdef", 3), (Lines{"abc", "def"}));
  EXPECT_EQ(WrapText("ëëë", 1), (Lines{"ë", "ë", "ë"})) << "never within a letter";
  EXPECT_EQ(WrapText("", 5), Lines{""});
}

TEST(Tables, WithoutRowsHaveTheirHeadersStill) {
  EXPECT_EQ(Table({"A", "B"}).Render(0, false), "A  B\n");
}

TEST(Tables, AsCsvQuoteWhatMustBeQuoted) {
  Table table({"A", "B"});
  table.Add({"x, \"y\"", "line\nbreak"});
  table.Add({"=1+2", "plain"});
  EXPECT_EQ(table.Csv(','),
            "\xEF\xBB\xBF"
            "A,B\r\n\"x, \"\"y\"\"\",\"line\nbreak\"\r\n'=1+2,plain\r\n");
}

TEST(Tables, AsCsvOpenInADutchSpreadsheetToo) {
  Table table({"NAAM", "AANTAL"});
  table.Add({"Geïnd; niet, gebruikt", "10"});
  EXPECT_EQ(table.Csv(';'),
            "\xEF\xBB\xBF"
            "NAAM;AANTAL\r\n\"Geïnd; niet, gebruikt\";10\r\n");
}

TEST(Tables, AsCsvHoldNoFormula) {
  for (const char* formula : {"=1+2", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"}) {
    Table table({"A"});
    table.Add({formula});
    const std::string csv = table.Csv(';');
    EXPECT_NE(csv.find(std::string("'") + formula), std::string::npos) << csv;
  }
}

}  // namespace
}  // namespace schakel::cli
