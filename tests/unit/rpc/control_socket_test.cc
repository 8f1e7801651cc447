#include "broker/rpc/control_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/support/temp_dir.h"

namespace schakel::rpc {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<ControlSocket> Echo(const fs::path& folder) {
  auto socket =
      ControlSocket::Listen(folder, [](const std::string& request) { return "heard " + request; });
  EXPECT_TRUE(socket.ok()) << (socket.ok() ? "" : socket.error().message);
  return socket.ok() ? std::move(socket).value() : nullptr;
}

TEST(ControlSocket, AnswersOneLineWithOneLineAsOftenAsItIsAsked) {
  testing::TempDir folder;
  const auto socket = Echo(folder.path());
  for (const std::string request : {"backup /somewhere", "x", "y z"}) {
    const auto answer = AskRunningBroker(folder.path(), request);
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(*answer, "heard " + request);
  }
}

TEST(ControlSocket, IsForItsOwnerAlone) {
  testing::TempDir folder;
  const auto socket = Echo(folder.path());
  struct stat facts {};
  ASSERT_EQ(::stat((folder / "control").c_str(), &facts), 0);
  EXPECT_TRUE(S_ISSOCK(facts.st_mode));
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST(ControlSocket, IsGoneWithItsProgramAndReplacesOneThatWasLeft) {
  testing::TempDir folder;
  {
    const auto socket = Echo(folder.path());
    // As after kill -9: the file stays, nobody listens.
    fs::create_hard_link(folder / "control", folder / "kept");
  }
  EXPECT_FALSE(fs::exists(folder / "control"));
  fs::rename(folder / "kept", folder / "control");
  const auto nobody = AskRunningBroker(folder.path(), "x");
  ASSERT_FALSE(nobody.ok());
  EXPECT_EQ(nobody.error().reason, "CONTROL_NOBODY");
  const auto socket = Echo(folder.path());
  EXPECT_TRUE(AskRunningBroker(folder.path(), "x").ok());
}

TEST(ControlSocket, WorksInAFolderWhosePathIsLongerThanASocketsMayBe) {
  testing::TempDir folder;
  const fs::path deep = folder.path() / std::string(100, 'a') / std::string(100, 'b');
  fs::create_directories(deep);
  const auto socket = Echo(deep);
  EXPECT_TRUE(AskRunningBroker(deep, "x").ok());
}

TEST(ControlSocket, SaysThatNobodyRuns) {
  testing::TempDir folder;
  EXPECT_EQ(AskRunningBroker(folder.path(), "x").error().reason, "CONTROL_NOBODY");
  EXPECT_EQ(AskRunningBroker(folder / "missing", "x").error().reason, "CONTROL_NOBODY");
}

TEST(ControlSocket, DropsARequestThatIsTooLongAndGoesOn) {
  testing::TempDir folder;
  const auto socket = Echo(folder.path());
  EXPECT_FALSE(AskRunningBroker(folder.path(), std::string(100'000, 'x')).ok());
  EXPECT_TRUE(AskRunningBroker(folder.path(), "x").ok());
}

}  // namespace
}  // namespace schakel::rpc
