// The example files in deploy/examples are read as the programs read them.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "broker/config/yaml_message.h"
#include "schakel/config/v1/broker.pb.h"
#include "schakel/config/v1/contexts.pb.h"
#include "schakel/config/v1/custodian.pb.h"
#include "tests/support/paths.h"

namespace schakel::config {
namespace {

template <typename Message>
Message Read(const std::string& name) {
  const std::string path = checkout::SourcePath("deploy/examples/") + name;
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  Message message;
  std::vector<Error> problems;
  ReadYaml(path, text.str(), &message, &problems);
  for (const Error& problem : problems) {
    ADD_FAILURE() << problem.field << ": " << problem.message;
  }
  return message;
}

TEST(DeployExamples, ConfigureABrokerCompletely) {
  const auto config = Read<v1::BrokerConfig>("broker.yaml");
  EXPECT_FALSE(config.data_folder().empty());
  EXPECT_FALSE(config.log_key_file().empty());
  EXPECT_FALSE(config.tls().crl_path().empty());
  EXPECT_FALSE(config.listen().address().empty());
  // INVARIANT I8: the head file lies outside the data folder.
  EXPECT_FALSE(config.head_file().starts_with(config.data_folder()));
}

TEST(DeployExamples, ConfigureACustodianCompletely) {
  const auto config = Read<v1::CustodianConfig>("custodian.yaml");
  EXPECT_FALSE(config.share_file().empty());
  EXPECT_EQ(config.members_file(), "members.yaml");
  // INVARIANT I8: the head file lies outside the data folder.
  EXPECT_FALSE(config.head_file().starts_with(config.data_folder() + "/"));
  EXPECT_FALSE(config.log_key_file().empty());
}

TEST(DeployExamples, NameOnlyFictitiousMembersWithAnArticle) {
  const auto file = Read<v1::MembersFile>("members.yaml");
  ASSERT_GT(file.members_size(), 0);
  for (const auto& member : file.members()) {
    EXPECT_TRUE(member.oin().starts_with("00000099")) << member.oin();
    EXPECT_FALSE(member.authority().empty()) << member.oin();
  }
}

TEST(DeployExamples, ConfigureALoopbackWithoutAuthority) {
  const auto file = Read<v1::ContextsFile>("loopback-contexts.yaml");
  EXPECT_EQ(file.current(), "loopback");
  ASSERT_EQ(file.contexts_size(), 1);
  EXPECT_TRUE(file.contexts(0).custodians().empty());
  EXPECT_TRUE(file.contexts(0).key_store().starts_with("/var/lib/schakel-loopback/"));
}

TEST(DeployExamples, NameTheContextThatIsInUse) {
  const auto file = Read<v1::ContextsFile>("contexts.yaml");
  bool found = false;
  for (const auto& context : file.contexts()) {
    found |= context.name() == file.current();
    EXPECT_FALSE(context.broker().empty()) << context.name();
    EXPECT_FALSE(context.key_store().empty()) << context.name();
  }
  EXPECT_TRUE(found) << file.current();
}

}  // namespace
}  // namespace schakel::config
