#include "clients/sdk/context.h"

#include "clients/sdk/session.h"
#include "tests/unit/sdk/fixture.h"

namespace schakel::sdk {
namespace {

using config::v1::Context;

class Contexts : public ::testing::Test {
 protected:
  Environment Env() {
    return [this](const char* name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    };
  }
  Result<Context> Resolve(const Context& flags = {}) { return ResolveContext(file_, flags, Env()); }
  void Write(const std::string& text) { crypto::WriteText(file_, text); }

  crypto::TempFolder folder_;
  std::filesystem::path file_ = folder_.path() / "contexts.yaml";
  std::map<std::string, std::string> variables_;
};

constexpr char kTwo[] = R"(current: police
contexts:
  police:
    broker: broker.example:7443
    key_file: pki/police.key
    key_store: /var/keys
    actor: agent-1
  team:
    broker: other.example:7443
)";

TEST_F(Contexts, AreTakenByFlagThenEnvironmentThenFile) {
  Write(kTwo);
  EXPECT_EQ(Resolve()->broker(), "broker.example:7443");
  variables_["SCHAKEL_BROKER"] = "env.example:1";
  EXPECT_EQ(Resolve()->broker(), "env.example:1");
  Context flags;
  flags.set_broker("flag.example:1");
  EXPECT_EQ(Resolve(flags)->broker(), "flag.example:1");
  EXPECT_EQ(Resolve(flags)->actor(), "agent-1");
}

TEST_F(Contexts, AreNamedByFlagThenEnvironmentThenFile) {
  Write(kTwo);
  EXPECT_EQ(Resolve()->name(), "police");
  variables_["SCHAKEL_CONTEXT"] = "team";
  EXPECT_EQ(Resolve()->broker(), "other.example:7443");
  Context flags;
  flags.set_name("police");
  EXPECT_EQ(Resolve(flags)->broker(), "broker.example:7443");
  flags.set_name("nobody");
  EXPECT_EQ(Resolve(flags).error().reason, "CONTEXT_UNKNOWN");
}

TEST_F(Contexts, CountPathsFromTheirOwnFile) {
  Write(kTwo);
  EXPECT_EQ(Resolve()->key_file(), (folder_.path() / "pki/police.key").string());
  EXPECT_EQ(Resolve()->key_store(), "/var/keys");
  variables_["SCHAKEL_KEY"] = "here.key";
  EXPECT_EQ(Resolve()->key_file(), (std::filesystem::current_path() / "here.key").string());
}

TEST_F(Contexts, KeepTheirStateInTheUsersStateFolder) {
  Write(kTwo);
  variables_["XDG_STATE_HOME"] = "/state";
  EXPECT_EQ(Resolve()->state_folder(), "/state/schakel/police");
  variables_.clear();
  variables_["HOME"] = "/home/x";
  EXPECT_EQ(Resolve()->state_folder(), "/home/x/.local/state/schakel/police");
  EXPECT_EQ(ContextsFilePath(Env()), "/home/x/.config/schakel/contexts.yaml");
  variables_["XDG_CONFIG_HOME"] = "/config";
  EXPECT_EQ(ContextsFilePath(Env()), "/config/schakel/contexts.yaml");
  variables_["SCHAKEL_CONTEXTS"] = "/elsewhere.yaml";
  EXPECT_EQ(ContextsFilePath(Env()), "/elsewhere.yaml");
}

TEST_F(Contexts, MayLiveInTheEnvironmentAlone) {
  variables_["SCHAKEL_BROKER"] = "env.example:1";
  variables_["SCHAKEL_STATE"] = "/state";
  const auto context = Resolve();
  ASSERT_TRUE(context.ok()) << context.error().message;
  EXPECT_EQ(context->broker(), "env.example:1");
  EXPECT_EQ(context->state_folder(), "/state");
  EXPECT_EQ(context->language(), "en");
}

TEST_F(Contexts, SayWhereTheFileIsWrong) {
  Write("current: police\ncontexts:\n  police:\n    brokr: x\n");
  const auto wrong = Resolve();
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().reason, "CONFIG_INVALID");
  EXPECT_EQ(wrong.error().field, file_.string() + ":4");
}

TEST_F(Contexts, ReadBackWhatWasSaved) {
  config::v1::ContextsFile contexts;
  contexts.set_current("a-context");
  auto* context = contexts.add_contexts();
  context->set_name("a-context");
  context->set_broker("broker.example:7443");
  context->set_server_name("localhost");
  context->set_ca_file("/pki/with \"quotes\" and \\ in it: #yes");
  context->set_certificate_file("c.pem");
  context->set_key_file("c.key");
  context->set_crl_path("crl");
  context->set_key_store("keys");
  context->set_log_key("zhz.example/schakel/1+01234567+AAAA");
  context->set_actor("agent-1");
  context->set_actor_role("professional");
  context->set_language("nl");
  context->set_state_folder("state");
  auto* custodian = context->add_custodians();
  custodian->set_oin(kAccess.str());
  custodian->set_address("custodian.example:7444");
  custodian->set_log_key("zhz.example/custodian/1+00000000+AQ==");
  auto* document = context->add_key_documents();
  document->set_epoch(1);
  document->set_digest(std::string(64, 'a'));
  contexts.add_contexts()->set_name("second");
  contexts.mutable_contexts(1)->set_broker("x:1");
  ASSERT_TRUE(SaveContexts(folder_.path() / "new" / "contexts.yaml", contexts).ok());
  const auto read = LoadContexts(folder_.path() / "new" / "contexts.yaml");
  ASSERT_TRUE(read.ok()) << read.error().field << read.error().message;
  EXPECT_EQ(read->SerializeAsString(), contexts.SerializeAsString());
}

TEST(Session, NamesTheSettingThatIsMissing) {
  crypto::TempFolder folder;
  Context context;
  Session empty(context);
  EXPECT_EQ(empty.connection().error().field, "broker");
  EXPECT_EQ(empty.keys().error().field, "key_store");
  EXPECT_EQ(empty.checkpoints().error().field, "log_key");
  EXPECT_EQ(empty.self().error().field, "certificate_file");
  EXPECT_EQ(empty.pseudonyms().error().field, "custodians");
  EXPECT_EQ(empty.outbox().error().field, "state_folder");
  context.set_broker("127.0.0.1:1");
  EXPECT_EQ(Session(context).signals().error().field, "ca_file");
  context.set_log_key("no key");
  EXPECT_EQ(Session(context).audit().error().field, "ca_file");
  EXPECT_EQ(Session(context).checkpoints().error().reason, "KEY_MALFORMED");
}

TEST(Session, MakesEachThingOnce) {
  crypto::DevPki pki;
  pki.Issue(kPolice.str());
  Context context;
  context.set_broker("127.0.0.1:1");
  context.set_ca_file(pki.path() / "ca.pem");
  context.set_crl_path(pki.path() / "crl");
  context.set_certificate_file(pki.path() / (kPolice.str() + ".chain.pem"));
  context.set_key_file(pki.path() / (kPolice.str() + ".key"));
  context.set_key_store(pki.path() / "keys");
  context.set_state_folder(pki.path() / "state");
  context.set_actor("agent-1");
  context.set_actor_role("professional");
  Session session(context, std::chrono::milliseconds(200));
  EXPECT_EQ(*session.self(), kPolice);
  EXPECT_EQ(session.certificate_chain()->size(), 2u);
  ASSERT_TRUE(session.directory().ok()) << session.directory().error().message;
  EXPECT_EQ(*session.directory(), *session.directory());
  ASSERT_TRUE(session.signals().ok());
  EXPECT_EQ(*session.outbox(), *session.outbox());
  EXPECT_EQ(*session.keys(), *session.keys());
  // Nobody listens there.
  EXPECT_EQ(session.NewComposer().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(session.opener().error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace schakel::sdk
