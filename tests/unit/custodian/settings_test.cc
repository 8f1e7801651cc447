#include "broker/custodian/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace schakel::custodian {
namespace {

using ::testing::HasSubstr;

const std::string kGood = R"(data_folder: data
share_file: share-1.key
key_document_file: key-document.pb
members_file: /etc/members.yaml
listen:
  address: 127.0.0.1:0
  port_file: port
tls:
  certificate_file: server.pem
  key_file: server.key
  ca_file: ca.pem
  crl_path: crl
head_file: ../head
log_key_file: log.key
metrics_address: 127.0.0.1:9465
log:
  level: warning
reflection: true
drain_timeout: 1500ms
)";

std::filesystem::path Write(const std::filesystem::path& path, const std::string& text) {
  testing::WriteFile(path, text);
  return path;
}

TEST(Settings, ReadsPathsRelativeToTheFile) {
  const testing::TempDir folder;
  std::vector<Error> problems;
  const auto settings = LoadSettings(Write(folder / "c.yaml", kGood), &problems);
  ASSERT_TRUE(settings) << problems.front().field << problems.front().message;
  EXPECT_EQ(settings->data_folder, folder.path() / "data");
  EXPECT_EQ(settings->members_file, "/etc/members.yaml");
  EXPECT_EQ(settings->tls.ca, folder.path() / "ca.pem");
  EXPECT_EQ(settings->port_file, folder.path() / "port");
  EXPECT_EQ(settings->cap_per_day, 20'000u);
  EXPECT_TRUE(settings->reflection);
  EXPECT_EQ(settings->drain_timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(settings->lines.at("tls.crl_path"), 12);
}

TEST(Settings, LeavesOutWhatIsOptional) {
  const testing::TempDir folder;
  std::vector<Error> problems;
  const std::string text = kGood.substr(0, kGood.find("metrics_address"));
  const auto settings = LoadSettings(Write(folder / "c.yaml", text), &problems);
  ASSERT_TRUE(settings);
  EXPECT_TRUE(settings->metrics_address.empty());
  EXPECT_FALSE(settings->reflection);
  EXPECT_EQ(settings->drain_timeout, std::chrono::seconds(10));
}

TEST(Settings, ListsEveryMistakeWithItsLine) {
  const testing::TempDir folder;
  std::string text = kGood;
  text.replace(text.find("127.0.0.1:0"), 11, "nowhere");
  text.replace(text.find("127.0.0.1:9465"), 14, "0.0.0.0:9465");
  text.replace(text.find("level: warning"), 14, "level: loud");
  const auto path = Write(folder / "c.yaml", text);
  std::vector<Error> problems;
  EXPECT_FALSE(LoadSettings(path, &problems));
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(problems[0].field, path.string() + ":6");
  EXPECT_THAT(problems[0].message, HasSubstr("host:port"));
  EXPECT_EQ(problems[1].field, path.string() + ":15");
  EXPECT_THAT(problems[1].message, HasSubstr("loopback"));
  EXPECT_EQ(problems[2].field, path.string() + ":17");
  EXPECT_THAT(problems[2].message, HasSubstr("debug, info, warning or error"));
}

TEST(Settings, RefusesMissingUnknownAndMistypedKeys) {
  const testing::TempDir folder;
  for (const std::string key :
       {"data_folder", "share_file", "key_document_file", "members_file", "  address",
        "  certificate_file", "  key_file", "  ca_file", "  crl_path"}) {
    std::string text = kGood;
    const size_t begin = text.find(std::string(key) + ":");
    text.erase(begin, text.find('\n', begin) + 1 - begin);
    std::vector<Error> problems;
    EXPECT_FALSE(LoadSettings(Write(folder / "c.yaml", text), &problems)) << key;
    ASSERT_EQ(problems.size(), 1u) << key;
    EXPECT_THAT(problems[0].message, HasSubstr("missing key"));
  }
  for (const std::string line : {"shares: x", "cap_per_day: many", "cap_per_day: 0",
                                 "drain_timeout: 5", "reflection: perhaps"}) {
    std::string text = kGood.substr(0, kGood.find("reflection")) + line + "\n";
    const auto path = Write(folder / "c.yaml", text);
    std::vector<Error> problems;
    EXPECT_FALSE(LoadSettings(path, &problems)) << line;
    ASSERT_EQ(problems.size(), 1u) << line;
    EXPECT_EQ(problems[0].field, path.string() + ":18") << line;
  }
}

TEST(Settings, NamesAFileThatIsNotThere) {
  std::vector<Error> problems;
  EXPECT_FALSE(LoadSettings("/nowhere/c.yaml", &problems));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].field, "/nowhere/c.yaml");
}

}  // namespace
}  // namespace schakel::custodian
