#include "clients/cli/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <clocale>

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
