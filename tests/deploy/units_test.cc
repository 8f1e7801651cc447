// The systemd units: how far they are shut in, that systemd understands them, and what they promise
// the programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "tests/support/child_process.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

namespace schakel::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::vector<std::string> kServices = {"schakel-broker.service", "schakel-custodian.service",
                                            "schakel-broker-backup.service",
                                            "schakel-loopback.service"};

std::string UnitPath(const std::string& unit) {
  return checkout::SourcePath("deploy/systemd/" + unit);
}

RunResult Analyze(std::vector<std::string> args) {
  return RunProgram({.program = "systemd-analyze", .args = std::move(args)});
}

// Neither needs a systemd that runs.
TEST(Units, AreShutInAsFarAsTheThreshold) {
  for (const auto& unit : kServices) {
    const auto judged = Analyze({"security", "--offline=true", "--threshold=20", UnitPath(unit)});
    EXPECT_EQ(judged.code, 0) << unit << judged.out << judged.err;
    EXPECT_THAT(judged.out, HasSubstr("Overall exposure level")) << judged.err;
  }
}

TEST(Units, OpenOnesWouldBeSeen) {
  TempDir folder;
  std::string text = ReadFile(UnitPath("schakel-broker.service"));
  const size_t begin = text.find("NoNewPrivileges=");
  const size_t end = text.find("[Install]");
  ASSERT_LT(begin, end);
  text.erase(begin, end - begin);
  WriteFile(folder / "schakel-broker.service", text);
  EXPECT_NE(Analyze({"security", "--offline=true", "--threshold=20",
                     (folder / "schakel-broker.service").string()})
                .code,
            0);
}

TEST(Units, AreUnderstoodBySystemd) {
  TempDir folder;
  std::vector<std::string> args = {"verify", "--man=no"};
  for (const auto& entry : fs::directory_iterator(checkout::SourcePath("deploy/systemd"))) {
    const std::string extension = entry.path().extension();
    if (extension != ".service" && extension != ".timer") continue;
    // Verifying wants the programs to be there; they are not installed where they are tested.
    std::string text = ReadFile(entry.path());
    for (const std::string program : {"schakel-broker", "schakel-custodian", "schakel"}) {
      const std::string installed = "ExecStart=/usr/local/bin/" + program + " ";
      const size_t at = text.find(installed);
      if (at != std::string::npos) {
        text.replace(at, installed.size(),
                     "ExecStart=" + checkout::BuildPath("bin/" + program) + " ");
      }
    }
    const auto path = folder / entry.path().filename().string();
    WriteFile(path, text);
    args.push_back(path.string());
  }
  EXPECT_EQ(args.size(), 2 + kServices.size() + 1);
  const auto verified = Analyze(args);
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  EXPECT_EQ(verified.err, "");
}

// What the programs do for it is tested on the programs: tests/e2e/machine_room_test.cc.
TEST(Units, OfServersNotifyPingReloadAndDrain) {
  for (const std::string program : {"schakel-broker", "schakel-custodian"}) {
    const std::string text = ReadFile(UnitPath(program + ".service"));
    for (const std::string& line :
         {std::string("Type=notify"), std::string("WatchdogSec=60"),
          std::string("ExecReload=/bin/kill -HUP $MAINPID"), std::string("Restart=on-failure"),
          std::string("RestartPreventExitStatus=64 78"), std::string("KillSignal=SIGTERM"),
          "User=" + program, std::string("StateDirectoryMode=0700"),
          std::string("ConfigurationDirectory=schakel")}) {
      EXPECT_THAT(text, HasSubstr("\n" + line + "\n")) << program;
    }
    EXPECT_THAT(ReadFile(UnitPath("schakel.sysusers.conf")), HasSubstr("u " + program + " "));
    // The folders that the unit makes are those that the example configuration names.
    const std::string example = program.substr(program.find('-') + 1) + ".yaml";
    EXPECT_THAT(ReadFile(checkout::SourcePath("deploy/examples/" + example)),
                HasSubstr("data_folder: /var/lib/" + program + "/data"));
  }
  EXPECT_THAT(ReadFile(checkout::SourcePath("deploy/examples/broker.yaml")),
              HasSubstr("head_file: /var/lib/schakel-broker-head/"));
  EXPECT_THAT(ReadFile(checkout::SourcePath("deploy/examples/custodian.yaml")),
              HasSubstr("head_file: /var/lib/schakel-custodian-head/"));
}

// It answers by itself, so it is stopped and started as a server is, without a port or an operator.
TEST(Units, OfTheLoopbackRunsItWithAContextOfItsOwn) {
  const std::string text = ReadFile(UnitPath("schakel-loopback.service"));
  for (const std::string line :
       {"ExecStart=/usr/local/bin/schakel --context loopback loopback run",
        "Environment=SCHAKEL_CONTEXTS=/etc/schakel/loopback-contexts.yaml", "User=schakel-loopback",
        "Restart=on-failure", "RestartPreventExitStatus=64 65 77 78", "KillSignal=SIGTERM",
        "StateDirectory=schakel-loopback", "StateDirectoryMode=0700", "LimitCORE=0"}) {
    EXPECT_THAT(text, HasSubstr("\n" + line + "\n"));
  }
  EXPECT_THAT(ReadFile(UnitPath("schakel.sysusers.conf")), HasSubstr("u schakel-loopback "));
}

}  // namespace
}  // namespace schakel::testing
