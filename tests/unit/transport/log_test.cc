#include "broker/transport/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace schakel::transport {
namespace {

TEST(Logger, WritesOneJsonObjectALine) {
  std::ostringstream out;
  const auto log = Logger::Make("info", &out);
  ASSERT_TRUE(log.ok());
  (*log)->Info("started", {{LogKey::kPort, 7443},
                           {LogKey::kPosition, uint64_t{18446744073709551615u}},
                           {LogKey::kMode, "serving"},
                           {LogKey::kDetail, "two\nlines \"quoted\""}});
  (*log)->Warning("again");
  std::istringstream lines(out.str());
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const auto first = nlohmann::json::parse(line);
  EXPECT_EQ(first["level"], "info");
  EXPECT_EQ(first["event"], "started");
  EXPECT_EQ(first["port"], 7443);
  EXPECT_EQ(first["position"], 18446744073709551615u);
  EXPECT_EQ(first["mode"], "serving");
  EXPECT_EQ(first["detail"], "two\nlines \"quoted\"");
  const std::string time = first["time"];
  EXPECT_EQ(time.size(), std::string("2026-01-01T00:00:00.000Z").size());
  EXPECT_TRUE(time.ends_with('Z'));
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(nlohmann::json::parse(line)["event"], "again");
  EXPECT_FALSE(std::getline(lines, line));
}

TEST(Logger, LeavesOutWhatIsBelowItsLevel) {
  for (const auto& [level, expected] : std::vector<std::pair<std::string, int>>{
           {"debug", 4}, {"info", 3}, {"", 3}, {"warning", 2}, {"error", 1}}) {
    std::ostringstream out;
    const auto log = Logger::Make(level, &out);
    ASSERT_TRUE(log.ok());
    (*log)->Debug("a");
    (*log)->Info("b");
    (*log)->Warning("c");
    (*log)->Failure("d");
    const std::string text = out.str();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), expected) << level;
  }
}

TEST(Logger, RefusesAnUnknownLevel) {
  for (const char* level : {"trace", "INFO", "warn", " info"}) {
    const auto log = Logger::Make(level);
    ASSERT_FALSE(log.ok()) << level;
    EXPECT_EQ(log.error().field, "log.level");
  }
}

TEST(Logger, CutsLongValuesAndReplacesWrongUtf8) {
  std::ostringstream out;
  const auto log = Logger::Make("info", &out);
  (*log)->Info("long", {{LogKey::kDetail, std::string(100'000, 'x')}});
  EXPECT_LT(out.str().size(), 1200u);
  out.str("");
  (*log)->Info("wrong", {{LogKey::kDetail, std::string_view("\xff\xfe%s{}")}});
  const auto line = nlohmann::json::parse(out.str());
  EXPECT_NE(std::string(line["detail"]).find("%s{}"), std::string::npos);
}

}  // namespace
}  // namespace schakel::transport
