#include "clients/cli/run_command.h"

#include "tests/unit/cli/run.h"

namespace schakel::cli {
namespace {

TEST(Commands, RunInTheirFolderAndGiveTheirExitCode) {
  crypto::TempFolder folder;
  const auto code =
      RunCommand({"pwd > where; echo $WHAT > what; exit 7", folder.path(), {{"WHAT", "a b"}}},
                 std::chrono::seconds(10), [] { return true; });
  ASSERT_TRUE(code.ok());
  EXPECT_EQ(*code, 7);
  EXPECT_EQ(crypto::ReadText(folder.path() / "where"), folder.path().string() + "\n");
  EXPECT_EQ(crypto::ReadText(folder.path() / "what"), "a b\n");
}

TEST(Commands, ThatRunLongAreAskedAboutAndCanBeEnded) {
  crypto::TempFolder folder;
  int asked = 0;
  const auto code = RunCommand({"exec sleep 60", folder.path(), {}}, std::chrono::milliseconds(20),
                               [&] { return ++asked < 3; });
  ASSERT_TRUE(code.ok());
  EXPECT_EQ(*code, 128 + 15);
  EXPECT_EQ(asked, 3);
}

TEST(Commands, ThatDoNotExistGiveTheShellsCode) {
  crypto::TempFolder folder;
  const auto code = RunCommand({"exec /nowhere/at/all 2>/dev/null", folder.path(), {}},
                               std::chrono::seconds(10), [] { return true; });
  ASSERT_TRUE(code.ok());
  EXPECT_EQ(*code, 127);
}

}  // namespace
}  // namespace schakel::cli
