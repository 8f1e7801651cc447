#include "broker/rpc/reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/support/temp_dir.h"

namespace schakel::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ReloadTest : public ::testing::Test {
 protected:
  ReloadTest() { Write(""); }
  void Write(const std::string& more) {
    testing::WriteFile(folder_ / "broker.yaml",
                       "data_folder: data\nhead_file: head\nlog_key_file: log.key\n"
                       "listen:\n  address: 127.0.0.1:0\n"
                       "tls:\n  certificate_file: a\n  key_file: b\n  ca_file: c\n  crl_path: d\n" +
                           more);
  }
  Settings Load() {
    std::vector<Error> problems;
    auto settings = LoadSettings(folder_ / "broker.yaml", &problems);
    EXPECT_TRUE(settings.has_value());
    return *settings;
  }
  std::string Reload(const Settings& running) {
    out_.str("");
    ReloadSettings(running, log_.get());
    return out_.str();
  }
  testing::TempDir folder_;
  std::ostringstream out_;
  std::unique_ptr<transport::Logger> log_ = transport::Logger::Make("info", &out_).value();
};

TEST_F(ReloadTest, TakesTheLevelOfTheLog) {
  const Settings running = Load();
  log_->Debug("before");
  EXPECT_EQ(out_.str(), "");
  Write("log:\n  level: debug\n");
  EXPECT_THAT(Reload(running), HasSubstr("\"config_read\""));
  log_->Debug("after");
  EXPECT_THAT(out_.str(), HasSubstr("\"after\""));
}

TEST_F(ReloadTest, NamesWhatTakesARestart) {
  const Settings running = Load();
  EXPECT_THAT(KeysForRestart(running, running), IsEmpty());
  Write("reflection: true\nlimits:\n  streams: 3\n");
  EXPECT_THAT(KeysForRestart(running, Load()), ElementsAre("reflection", "limits.streams"));
  const std::string told = Reload(running);
  EXPECT_THAT(told, HasSubstr("\"config_needs_restart\""));
  EXPECT_THAT(told, HasSubstr("limits.streams is taken at a start only"));
}

TEST_F(ReloadTest, RefusesAFileWithMistakesAndChangesNothing) {
  const Settings running = Load();
  for (const char* wrong : {"log:\n  level: loud\n", "nonsense: 1\n", "  : :\n"}) {
    Write(wrong);
    const std::string told = Reload(running);
    EXPECT_THAT(told, HasSubstr("\"config_refused\"")) << wrong;
    EXPECT_THAT(told, HasSubstr("nothing was changed")) << wrong;
    EXPECT_THAT(told, Not(HasSubstr("\"config_read\""))) << wrong;
  }
}

}  // namespace
}  // namespace schakel::rpc
