#include "clients/cli/input.h"

#include <fcntl.h>
#include <unistd.h>

#include "clients/cli/exit_code.h"
#include "tests/unit/cli/run.h"

namespace schakel::cli {
namespace {

TEST(Bsns, AreReadFromAFileOneALine) {
  User user;
  Input input(-1);
  const auto bsns = ReadBsns(Language::kEnglish, input,
                             {user.File("bsn.txt", "999990019\n\n  999990020 \r\n10082426\n")});
  ASSERT_TRUE(bsns.ok()) << bsns.error().message;
  ASSERT_EQ(bsns->size(), 3u);
  EXPECT_EQ((*bsns)[0].ExposeSecret(), "999990019");
  EXPECT_EQ((*bsns)[1].ExposeSecret(), "999990020");
  EXPECT_EQ((*bsns)[2].ExposeSecret(), "010082426") << "8 digits are padded";
}

TEST(Bsns, OnTheCommandLineMustBePublishedTestNumbers) {
  Input input(-1);
  EXPECT_TRUE(IsPublishedTestBsn("999990019"));
  EXPECT_TRUE(ReadBsns(Language::kEnglish, input, {"999990019"}).ok());
  // 123456782 passes the elfproef, but is not published as nobody's.
  EXPECT_FALSE(IsPublishedTestBsn("123456782"));
  const auto refused = ReadBsns(Language::kEnglish, input, {"123456782"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(ExitCodeOf(refused.error()), ExitCode::kUsage);
  EXPECT_EQ(refused.error().message.find("123456782"), std::string::npos);
}

TEST(Bsns, ThatAreWrongAreNamedByTheirLineOnly) {
  User user;
  Input input(-1);
  const auto refused =
      ReadBsns(Language::kEnglish, input, {user.File("bsn.txt", "999990019\n999990010\n")});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "BSN_INVALID");
  EXPECT_EQ(ExitCodeOf(refused.error()), ExitCode::kData);
  EXPECT_TRUE(refused.error().field.ends_with("line 2")) << refused.error().field;
  EXPECT_EQ((refused.error().field + refused.error().message).find("999990010"), std::string::npos);
  EXPECT_FALSE(ReadBsns(Language::kEnglish, input, {user.File("empty.txt", "\n")}).ok());
}

TEST(Input, ReadsStandardInputOnce) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "999990019\n", 10), 10);
  close(ends[1]);
  Input input(ends[0]);
  const auto first = input.Read(Language::kEnglish, "@-");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->ExposeSecret(), "999990019\n");
  const auto second = input.Read(Language::kEnglish, "-");
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().reason, "USAGE");
  close(ends[0]);
}

TEST(Input, TakesFilesOnlyAndHasALimit) {
  User user;
  Input input(-1);
  EXPECT_EQ(input.Read(Language::kEnglish, "{\"a\":1}").error().reason, "USAGE");
  EXPECT_EQ(input.Read(Language::kEnglish, "@/nowhere/at/all").error().reason, "FILE_MISSING");
  const std::string spec = user.File("big", std::string(10'000, 'x'));
  EXPECT_EQ(input.Read(Language::kEnglish, spec, 9'999).error().reason, "TOO_LARGE");
  const auto whole = input.Read(Language::kEnglish, spec, 10'000);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->ExposeSecret(), std::string(10'000, 'x'));
}

}  // namespace
}  // namespace schakel::cli
