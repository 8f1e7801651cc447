#include "clients/cli/parse.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "clients/cli/draft_options.h"

namespace schakel::cli {
namespace {

TEST(Ids, AreReadInTheThreeFormsThatAreShown) {
  const Bytes raw = *UuidParse("01980c5e-7a3f-7d2c-9b60-3c2b8f1e4a11");
  for (const auto& text : {UuidText(raw), HexEncode(raw), Base64Encode(raw)}) {
    const auto id = ParseId<SignalId>(Language::kEnglish, text, "ID");
    ASSERT_TRUE(id.ok()) << text;
    EXPECT_EQ(id->str(), raw);
  }
  const auto wrong = ParseId<SignalId>(Language::kDutch, "01980c5e", "ID");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(ExitCodeOf(wrong.error()), ExitCode::kUsage);
  EXPECT_EQ(wrong.error().message, "'01980c5e' is geen id: geef het hele id, als UUID");
}

TEST(Durations, AreANumberWithItsUnit) {
  EXPECT_EQ(*ParseDuration(Language::kEnglish, "5d", "x"), std::chrono::hours(120));
  EXPECT_EQ(*ParseDuration(Language::kEnglish, "500ms", "x"), Millis(500));
  EXPECT_EQ(*ParseDuration(Language::kEnglish, "10min", "x"), std::chrono::minutes(10));
  EXPECT_EQ(*ParseDuration(Language::kEnglish, "2w", "x"), std::chrono::hours(336));
  for (const char* wrong : {"", "5", "d", "-5d", "0s", "5 d", "5.5h", "99999999999999999999d"}) {
    EXPECT_FALSE(ParseDuration(Language::kEnglish, wrong, "x").ok()) << wrong;
  }
}

TEST(Times, AreLocalUnlessTheySayZ) {
  setenv("TZ", "Europe/Amsterdam", 1);
  tzset();
  EXPECT_EQ(*ParseTime(Language::kEnglish, "2026-01-31T12:00Z", "x"), Millis(1769860800000));
  EXPECT_EQ(*ParseTime(Language::kEnglish, "2026-01-31T12:00:05Z", "x"), Millis(1769860805000));
  EXPECT_EQ(*ParseTime(Language::kEnglish, "2026-01-31T13:00", "x"), Millis(1769860800000));
  EXPECT_EQ(TimeText(Millis(1769860800000)), "2026-01-31 13:00:00");
  for (const char* wrong : {"", "2026", "31-01-2026", "2026-02-31", "2026-01-31T25:00", "morgen"}) {
    EXPECT_FALSE(ParseTime(Language::kEnglish, wrong, "x").ok()) << wrong;
  }
}

TEST(Times, OfAnySizeAreShown) {
  google::protobuf::Timestamp time;
  for (const int64_t seconds : {INT64_MAX, INT64_MIN}) {
    time.set_seconds(seconds);
    EXPECT_FALSE(TimeText(time).empty()) << seconds;
  }
}

TEST(Sections, NameTheirCategoryAndSubjects) {
  EXPECT_EQ(*ParseSectionTarget(Language::kEnglish, "finances"), (SectionTarget{"finances", {}}));
  EXPECT_EQ(*ParseSectionTarget(Language::kEnglish, "safety:1,2"),
            (SectionTarget{"safety", {1, 2}}));
  for (const char* wrong :
       {"", ":1", "safety:", "safety:0", "safety:1,", "safety:a", "safety:1;2"}) {
    EXPECT_FALSE(ParseSectionTarget(Language::kEnglish, wrong).ok()) << wrong;
  }
}

TEST(Pairs, HaveTwoSides) {
  EXPECT_EQ(ParsePair(Language::kEnglish, "a=b=c", "x")->second, "b=c");
  for (const char* wrong : {"", "a", "=b", "a="}) {
    EXPECT_FALSE(ParsePair(Language::kEnglish, wrong, "x").ok()) << wrong;
  }
}

}  // namespace
}  // namespace schakel::cli
