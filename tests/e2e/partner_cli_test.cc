// A partner's day at the command line, in a region of real processes: joining with a key that lives
// in an HSM or in a file, testing the context, a household's signal, the inbox as a shell script
// that is killed half way, the feed.
#include <nlohmann/json.hpp>
#include <set>

#include "tests/e2e/command_line.h"
#include "tests/e2e/story.h"

namespace schakel::e2e {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class PartnerCli : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    region_ = new Region();
    cli_ = new CommandLine(*region_);
  }
  static void TearDownTestSuite() {
    delete cli_;
    delete region_;
  }

  static testing::RunResult Shell(const std::string& line) {
    return testing::RunProgram({.program = "bash", .args = {"-c", line}, .folder = cli_->folder()});
  }
  // What a fetch gives, opened.
  static std::vector<json> FetchAs(const std::string& who) {
    const auto ran = cli_->Run(who, {"inbox", "fetch", "-o", "json"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    return json::parse(ran.out);
  }

  static Region* region_;
  static CommandLine* cli_;
};
Region* PartnerCli::region_ = nullptr;
CommandLine* PartnerCli::cli_ = nullptr;

TEST_F(PartnerCli, AHouseholdByBsn) {
  cli_->File("bsns.txt", TestBsn(1) + "\n" + TestBsn(2) + "\n");
  cli_->File("report.json", R"({"occurred_on":"2026-01-02","kinds":["physical"]})");
  cli_->File("social.json", R"({"household_size":4})");
  cli_->File("one.json", R"({"family_name":"Een","birth_date":"1980-01-01"})");
  cli_->File("two.json", R"({"family_name":"Twee","birth_date":"1982-02-02"})");
  const std::vector<std::string> send = {"signal",        "send",
                                         "--type",        "domestic-violence-report",
                                         "--urgency",     "acute",
                                         "--subject-bsn", "@bsns.txt",
                                         "--to-function", "domestic-violence-centre@Dordrecht",
                                         "--purpose",     "stop-domestic-violence",
                                         "--ground",      "wmo-veilig-thuis",
                                         "--section",     "safety:1,2=@report.json",
                                         "--section",     "social:1=@social.json"};
  auto vague = send;
  vague.insert(vague.end(), {"--identity", "@one.json"});
  const auto refused = cli_->Run("police", vague);
  EXPECT_EQ(refused.code, 64) << "one file, two persons, whose name is it? " << refused.err;
  auto good = send;
  good.insert(good.end(), {"--identity:1", "@one.json", "--identity:2", "@two.json", "-o", "json"});
  const auto sent = cli_->Run("police", good);
  ASSERT_EQ(sent.code, 0) << sent.out << sent.err;

  const auto items = FetchAs("centre");
  ASSERT_EQ(items.size(), 1u);
  std::map<std::string, std::set<std::string>> about;
  for (const auto& section : items[0]["sections"]) {
    const bool identity = section["category"] == "identity";
    about[identity ? section["content"]["family_name"] : section["category"]] =
        section["subjects"].get<std::set<std::string>>();
  }
  EXPECT_EQ(about["safety"].size(), 2u);
  EXPECT_EQ(about["social"].size(), 1u);
  EXPECT_EQ(about["Een"], about["social"]) << "the first line of the file is subject 1";
  EXPECT_EQ(about["Twee"].size(), 1u);
  EXPECT_NE(about["Een"], about["Twee"]);
  EXPECT_EQ(cli_->Run("centre", {"inbox", "ack", items[0]["deliveryId"]}).code, 0);

  // The feed tells both steps, in order, and goes on where it was left.
  const auto feed = cli_->Run("police", {"signal", "outcomes", "--follow", "--limit", "2",
                                         "--every", "100ms", "-o", "jsonl"});
  ASSERT_EQ(feed.code, 0) << feed.err;
  std::istringstream lines(feed.out);
  std::vector<json> events;
  for (std::string line; std::getline(lines, line);) events.push_back(json::parse(line));
  ASSERT_EQ(events.size(), 2u);
  const auto rest = cli_->Run("police", {"signal", "outcomes", "-o", "jsonl", "--after",
                                         events[0]["cursor"].get<std::string>()});
  EXPECT_EQ(json::parse(rest.out.substr(0, rest.out.find('\n'))), events[1]);

  const auto checked = cli_->Run("police", {"context", "check", "-o", "json"});
  EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
  for (const auto& row : json::parse(checked.out)) {
    const bool may_warn = row["step"] == "certificate" || row["step"] == "key-set";
    if (!may_warn) {  // this region's live for hours
      EXPECT_EQ(row["state"], "ok") << row;
    }
    if (row["step"] == "clock") {
      EXPECT_NE(row["found"].get<std::string>().find("at the last send"), std::string::npos) << row;
    }
  }
}

TEST_F(PartnerCli, AWatchThatIsKilledLosesNothing) {
  cli_->File("arrears.json", R"({"months_in_arrears":3,"amount_cents":210000})");
  const auto sent = cli_->Run(
      "corporation", {"signal", "send", "--type", "rent-arrears", "--subject-unlinked",
                      "--to-function", "debt-relief@Dordrecht", "--purpose", "prevent-eviction",
                      "--ground", "wgs-debt", "--section", "finances=@arrears.json", "-o", "json"});
  ASSERT_EQ(sent.code, 0) << sent.out << sent.err;
  auto watch = cli_->Start("debt-relief", {"inbox", "watch", "--out", "signals", "--exec",
                                           "test -f signal.json && echo half >&2 && sleep 60"});
  ASSERT_NE(watch, nullptr);
  ASSERT_TRUE(watch->WaitFor("half")) << watch->Stderr();
  watch->Kill();
  // Not acknowledged, so it comes again; its files are those of then, whole.
  const auto again =
      cli_->Run("debt-relief", {"inbox", "watch", "--out", "signals", "--until-idle", "--exec",
                                "test -f signal.json && cat 1-finances.json >> ../../taken.json"});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(testing::ReadFile(cli_->folder() / "taken.json"),
            R"({"months_in_arrears":3,"amount_cents":210000})");
  const auto nothing = cli_->Run(
      "debt-relief", {"inbox", "watch", "--until-idle", "--exec", "echo again >> ../taken-twice"});
  EXPECT_EQ(nothing.code, 0) << nothing.err;
  EXPECT_EQ(nothing.err.find("Acknowledged"), std::string::npos) << nothing.err;
}

TEST_F(PartnerCli, JoinsByARequest) {
  const std::string oin = testing::TestOin(2500);
  const auto certificate = region_->pki().IssueFor(oin);
  auto context = region_->ContextOf("volunteers");
  context.set_name("newcomer");
  context.set_certificate_file(certificate.certificate.string());
  context.set_key_file(certificate.key.string());
  context.set_key_store((cli_->folder() / "newcomer-keys").string());
  context.set_state_folder((cli_->folder() / "newcomer-state").string());
  context.clear_custodians();
  cli_->Add(context);

  const auto before = cli_->Run("newcomer", {"context", "check", "-o", "json"});
  EXPECT_EQ(before.code, 1) << "not admitted yet: " << before.out;
  ASSERT_EQ(cli_->Run("newcomer", {"keys", "generate", "--valid", "12h"}).code, 0);
  const auto asked = cli_->Run("newcomer", {"org", "request", "--out", "newcomer.request", "--name",
                                            "Buurthulp", "--contact", "balie, 078-0000000",
                                            "--sector", "volunteer", "--area", "dordrecht"});
  ASSERT_EQ(asked.code, 0) << asked.err;
  const auto silent = cli_->Run("registrar", {"org", "admit", "--request", "newcomer.request"});
  EXPECT_EQ(silent.code, 64) << "nobody said yes: " << silent.err;
  const auto admitted =
      cli_->Run("registrar", {"org", "admit", "--request", "newcomer.request", "--yes"});
  ASSERT_EQ(admitted.code, 0) << admitted.err;
  EXPECT_NE(admitted.err.find("Buurthulp"), std::string::npos) << admitted.err;
  const auto unregistered = cli_->Run("newcomer", {"context", "check"});
  EXPECT_EQ(unregistered.code, 1);
  EXPECT_NE(unregistered.out.find("schakel org register-keys"), std::string::npos)
      << unregistered.out;
  const auto registered = cli_->Run("newcomer", {"org", "register-keys"});
  ASSERT_EQ(registered.code, 0) << registered.err;
  const auto after = cli_->Run("newcomer", {"context", "check"});
  EXPECT_EQ(after.code, 0) << after.out << after.err;

  // Two sets made one after the other: the broker gets both, in their order, by one command.
  for (int i = 0; i < 2; ++i) {
    const auto made = cli_->Run("newcomer", {"keys", "generate", "--valid", "12h"});
    ASSERT_EQ(made.code, 0) << made.err;
  }
  const auto both = cli_->Run("newcomer", {"org", "register-keys"});
  EXPECT_EQ(both.code, 0) << both.err;
  const auto again = cli_->Run("newcomer", {"context", "check"});
  EXPECT_EQ(again.code, 0) << again.out << again.err;
  const auto shown = cli_->Run("newcomer", {"org", "show", "-o", "json"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  const auto store = cli_->Run("newcomer", {"keys", "show", "-o", "json"});
  EXPECT_EQ(nlohmann::json::parse(store.out).size(), 3u) << store.out;
}

// ---- A certificate's key in an HSM: softhsm2 behind openssl's pkcs11 engine ----

struct HsmKey {
  const char* name;
  uint64_t oin;
  const char* make;     // openssl genpkey's options
  const char* options;  // openssl dgst's, for the one algorithm that is accepted for it
};

class KeyInAnHsm : public PartnerCli, public ::testing::WithParamInterface<HsmKey> {
 protected:
  // A line with the token at hand.
  testing::RunResult Token(const std::string& line) {
    return Shell(
        "export SOFTHSM2_CONF=$PWD/softhsm.conf "
        "PKCS11_MODULE_PATH=$(ls /usr/lib/softhsm/libsofthsm2.so "
        "/usr/lib/*/softhsm/libsofthsm2.so 2>/dev/null | head -n 1)\nset -e\n" +
        line);
  }
};

TEST_P(KeyInAnHsm, SignsTheKeySetThatTheBrokerAccepts) {
  const HsmKey& key = GetParam();
  const std::string oin = testing::TestOin(key.oin);
  const std::string name = key.name;
  const std::string url = "'pkcs11:token=" + name + ";object=seal;type=private;pin-value=1234'";
  fs::create_directories(cli_->folder() / "tokens");
  cli_->File("softhsm.conf", "directories.tokendir = " + (cli_->folder() / "tokens").string() +
                                 "\nobjectstore.backend = file\nlog.level = ERROR\n");
  // Made in a file and imported, since this client's TLS reads a file; the key set is signed by
  // the token alone.
  auto made = Shell("openssl genpkey -out " + name + ".key " + key.make);
  ASSERT_EQ(made.code, 0) << made.err;
  const auto certificate = region_->pki().Issue(
      testing::TestPki::Leaf{.oin = oin, .key = cli_->folder() / (name + ".key")});
  made = Token("softhsm2-util --init-token --free --label " + name +
               " --pin 1234 --so-pin 1234\nsofthsm2-util --import " + name + ".key --token " +
               name + " --label seal --id 01 --pin 1234");
  ASSERT_EQ(made.code, 0) << made.out << made.err;

  auto context = region_->ContextOf("volunteers");
  context.set_name(name);
  context.set_certificate_file(certificate.certificate.string());
  context.clear_key_file();  // as far as key sets go there is none
  context.set_key_store((cli_->folder() / (name + "-keys")).string());
  context.set_state_folder((cli_->folder() / (name + "-state")).string());
  cli_->Add(context);
  EXPECT_EQ(cli_->Run(name, {"keys", "generate"}).code, 78) << "there is no key to sign with";
  ASSERT_EQ(cli_->Run(name, {"keys", "generate", "--no-sign", "--valid", "12h"}).code, 0);
  ASSERT_EQ(cli_->Run(name, {"keys", "statement", "--out", name + ".bin"}).code, 0);

  // Another algorithm by the same key is none of ours.
  const bool rsa = name == "rsa";
  const std::string sign = "openssl dgst -engine pkcs11 -keyform engine -sign " + url;
  auto signed_by =
      Token(sign + (rsa ? " -sha256" : " -sha384") + " -out other.sig " + name + ".bin");
  ASSERT_EQ(signed_by.code, 0) << signed_by.err;
  EXPECT_EQ(cli_->Run(name, {"keys", "attach", "--signature", "other.sig"}).code, 1);

  signed_by = Token(sign + " " + key.options + " -out " + name + ".sig " + name + ".bin");
  ASSERT_EQ(signed_by.code, 0) << signed_by.err;
  const auto attached = cli_->Run(name, {"keys", "attach", "--signature", name + ".sig"});
  ASSERT_EQ(attached.code, 0) << attached.err;

  // The request for admission is signed there too.
  ASSERT_EQ(cli_->Run(name, {"org", "request", "--out", name + ".request", "--name", "Met HSM",
                             "--contact", "balie", "--sector", "volunteer", "--statement",
                             name + ".request.bin"})
                .code,
            0);
  signed_by =
      Token(sign + " " + key.options + " -out " + name + ".request.sig " + name + ".request.bin");
  ASSERT_EQ(signed_by.code, 0) << signed_by.err;
  ASSERT_EQ(cli_->Run(name, {"org", "request", "--out", name + ".request", "--signature",
                             name + ".request.sig"})
                .code,
            0);
  const auto admitted =
      cli_->Run("registrar", {"org", "admit", "--request", name + ".request", "--yes"});
  ASSERT_EQ(admitted.code, 0) << admitted.err;

  context.set_key_file(certificate.key.string());  // TLS
  cli_->Add(context);
  const auto registered = cli_->Run(name, {"org", "register-keys"});
  EXPECT_EQ(registered.code, 0) << "the broker verifies it: " << registered.err;
  const auto shown = cli_->Run(name, {"keys", "show"});
  EXPECT_NE(shown.out.find("in use"), std::string::npos) << shown.out;
}

INSTANTIATE_TEST_SUITE_P(
    BothAlgorithms, KeyInAnHsm,
    ::testing::Values(HsmKey{"rsa", 2601, "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
                             "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 "
                             "-sigopt rsa_mgf1_md:sha256"},
                      HsmKey{"p256", 2602, "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
                             "-sha256"}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace schakel::e2e
