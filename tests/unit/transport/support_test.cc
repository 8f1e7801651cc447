#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/support/child_process.h"
#include "tests/support/free_port.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_pki.h"

namespace schakel::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RunProgram, GivesCodeAndBothOutputs) {
  const RunResult result =
      RunProgram({.program = "sh",
                  .args = {"-c", "cat; echo out $NAME; echo err >&2; pwd; exit 7"},
                  .env = {{"NAME", "value with spaces"}},
                  .folder = "/",
                  .input = "typed\n"});
  EXPECT_EQ(result.code, 7);
  EXPECT_EQ(result.out, "typed\nout value with spaces\n/\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST(RunProgram, SaysWhenThereIsNoSuchProgram) {
  EXPECT_EQ(RunProgram({.program = "no-such-program-at-all", .args = {}}).code, 127);
  EXPECT_EQ(RunProgram({.program = "/no/such/program", .args = {}}).code, 127);
}

TEST(RunProgram, KillsWhatTakesTooLong) {
  EXPECT_EQ(RunProgram({.program = "sleep", .args = {"60"}}, milliseconds(50)).code, 137);
}

TEST(ChildProcess, StopsBySignalAndByForce) {
  auto gentle = ChildProcess::Start({.program = "sleep", .args = {"60"}});
  ASSERT_NE(gentle, nullptr);
  EXPECT_TRUE(gentle->Running());
  EXPECT_EQ(gentle->Stop(), 128 + SIGTERM);
  EXPECT_FALSE(gentle->Running());

  auto stubborn = ChildProcess::Start(
      {.program = "sh", .args = {"-c", "trap '' TERM; echo ready; while :; do sleep 1; done"}});
  ASSERT_TRUE(stubborn->WaitFor("ready"));
  EXPECT_EQ(stubborn->Stop(milliseconds(50)), 137);

  auto killed = ChildProcess::Start({.program = "sleep", .args = {"60"}});
  const pid_t pid = killed->pid();
  killed.reset();
  EXPECT_EQ(kill(pid, 0), -1) << "nothing is left behind";
}

TEST(ChildProcess, WaitsForALineOrItsEnd) {
  auto child = ChildProcess::Start(
      {.program = "sh", .args = {"-c", "echo first; sleep 0.1; echo second >&2; read line"}});
  EXPECT_TRUE(child->WaitFor("first"));
  EXPECT_TRUE(child->WaitFor("second"));
  EXPECT_FALSE(child->WaitFor("third", milliseconds(300)));
  child->Wait(seconds(5));
  EXPECT_FALSE(child->WaitFor("third", seconds(60))) << "it ended: nobody waits a minute";
}

TEST(ChildProcess, WaitsForAPortFile) {
  const TempDir folder;
  const std::filesystem::path file = folder / "port";
  auto child = ChildProcess::Start(
      {.program = "sh",
       .args = {"-c", "sleep 0.05; echo 4711 > port.new; mv port.new port; sleep 60"},
       .folder = folder.path()});
  EXPECT_EQ(child->WaitForPort(file), 4711);
  auto dead = ChildProcess::Start({.program = "true", .args = {}});
  EXPECT_EQ(dead->WaitForPort(folder / "never"), std::nullopt);
}

TEST(ChildProcess, AppendsToTheOutputFilesOfAnEarlierRun) {
  const TempDir folder;
  for (int i = 0; i < 2; ++i) {
    auto child =
        ChildProcess::Start({.program = "echo", .args = {"run"}, .output = folder / "program"});
    EXPECT_EQ(child->Wait(seconds(10)), 0);
  }
  EXPECT_EQ(ReadFile(folder / "program.out"), "run\nrun\n");
}

TEST(TempDir, IsGoneAfterwards) {
  std::filesystem::path path;
  {
    const TempDir folder("name");
    path = folder.path();
    WriteFile(folder / "file", "text", 0600);
    EXPECT_EQ(ReadFile(folder / "file"), "text");
    EXPECT_EQ(std::filesystem::status(folder / "file").permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(FreePort, IsAPort) {
  const int port = FreePort();
  EXPECT_GT(port, 1023);
  EXPECT_LT(port, 65536);
}

TEST(TestPki, IssuesWhatOpensslAccepts) {
  const TempDir folder;
  TestPki pki(folder.path());
  const TestCertificate leaf = pki.IssueFor(TestOin(12));
  EXPECT_EQ(TestOin(12), "00000099000000000012");
  const RunResult verified =
      RunProgram({.program = "openssl",
                  .args = {"verify", "-CAfile", pki.ca().string(), "-CRLfile", pki.crl().string(),
                           "-crl_check", "-purpose", "sslclient", leaf.certificate.string()}});
  EXPECT_EQ(verified.code, 0) << verified.err;
  pki.Revoke(leaf);
  pki.WriteCrl();
  const RunResult revoked =
      RunProgram({.program = "openssl",
                  .args = {"verify", "-CAfile", pki.ca().string(), "-CRLfile", pki.crl().string(),
                           "-crl_check", leaf.certificate.string()}});
  EXPECT_NE(revoked.code, 0);
  EXPECT_NE((revoked.err + revoked.out).find("revoked"), std::string::npos);
}

}  // namespace
}  // namespace schakel::testing
