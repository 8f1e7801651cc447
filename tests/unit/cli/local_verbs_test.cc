// What needs no broker: policy folders, key sets, version.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/paths.h"
#include "tests/unit/cli/run.h"
#include "tests/unit/cli/some_key_document.h"

namespace schakel::cli {
namespace {

using nlohmann::json;

const std::string kPolicy = checkout::SourcePath("policy/zuid-holland-zuid");

TEST(Version, IsToldInEveryFormat) {
  User user;
  const Ran table = user.Run({"version"});
  EXPECT_EQ(table.out.substr(0, 8), "schakel ");
  const json told = json::parse(user.Run({"version", "-o", "json"}).out);
  EXPECT_EQ("schakel " + told["version"].get<std::string>() + "\n", table.out);
}

TEST(PolicyFolders, AreChecked) {
  User user;
  const Ran good = user.Run({"policy", "check", kPolicy});
  EXPECT_EQ(good.code, ExitCode::kOk) << good.out << good.err;
  EXPECT_NE(good.err.find("No errors"), std::string::npos);

  const auto copy = user.home.path() / "policy";
  std::filesystem::copy(kPolicy, copy, std::filesystem::copy_options::recursive);
  std::ofstream(copy / "rules.yaml", std::ios::app) << "  - id: broken\n    nonsense: 1\n";
  const Ran bad = user.Run({"policy", "check", copy.string(), "-o", "jsonl"});
  EXPECT_EQ(bad.code, ExitCode::kNegative);
  EXPECT_NE(bad.out.find("rules.yaml:"), std::string::npos) << bad.out;
  EXPECT_EQ(user.Run({"policy", "check", "/nowhere"}).code, ExitCode::kNotFound);
}

TEST(PolicyFolders, RunTheirOwnTests) {
  User user;
  const Ran ran = user.Run({"policy", "test", kPolicy, "-o", "json"});
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.out;
  const json told = json::parse(ran.out);
  EXPECT_GE(told.size(), 80u);
  for (const auto& each : told) EXPECT_TRUE(each["passed"].get<bool>()) << each;
}

TEST(PolicyFolders, ExplainADecision) {
  User user;
  const auto ask = [&](const std::string& sender, const std::string& ground) {
    return user.Run({"policy", "explain", kPolicy, "--from", sender, "--to-function",
                     "debt-relief@Dordrecht", "--type", "rent-arrears", "--purpose",
                     "prevent-eviction", "--category", "finances", "--ground", ground,
                     "--unlinked"});
  };
  const Ran permitted = ask("00000099000000001000", "wgs-debt");
  EXPECT_EQ(permitted.code, ExitCode::kOk) << permitted.err;
  EXPECT_NE(permitted.out.find("arrears-to-debt-relief"), std::string::npos) << permitted.out;
  const Ran denied = ask("00000099000000001000", "consent");
  EXPECT_EQ(denied.code, ExitCode::kNegative) << denied.out << denied.err;
  EXPECT_EQ(denied.err, "");
  EXPECT_EQ(ask("nobody", "wgs-debt").code, ExitCode::kUsage);
}

TEST(PolicyFolders, TellInAMatrixWhoMaySendWhatToWhom) {
  User user;
  const auto matrix = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"policy", "matrix", kPolicy});
    return user.Run(std::move(more));
  };
  // JSON: codes.
  const Ran arrears =
      matrix({"--type", "rent-arrears", "--recipient", "debt-relief", "-o", "json"});
  ASSERT_EQ(arrears.code, ExitCode::kOk) << arrears.err;
  const json rows = json::parse(arrears.out);
  ASSERT_EQ(rows.size(), 8u) << "four categories, by law and by consent";
  EXPECT_EQ(rows[0], json::parse(R"({
      "sender": {"sectors": ["housing"], "function": "", "organisation": ""},
      "signal_type": "rent-arrears",
      "recipient": {"sectors": ["police", "housing", "social-services", "care", "municipality",
                                "youth", "justice", "safety-house"],
                    "function": "debt-relief", "organisation": ""},
      "category": "housing", "ground": "wgs-debt", "purposes": ["prevent-eviction"],
      "conditions": [], "consent": false, "bsn_authority": false, "nobody": false, "area": "any", "case": "any",
      "objection": "review",
      "obligations": {"acknowledge_within": "7d", "notify_subject_within": "28d"},
      "except": [], "rule": "arrears-to-debt-relief"})"))
      << rows[0];
  // Tables: names in the user's language.
  const std::vector<std::string> escalation = {"--type", "case-escalation", "--sender",
                                               "neighbourhood-team"};
  const Ran english = matrix(escalation);
  for (const char* text :
       {"Case escalation: A local team asks the region to take a case over", "SENDER", "GROUND",
        "Neighbourhood team", "Central access", "Escalation to the care and safety house",
        "attested: Local help does not suffice; attested: Necessity was assessed; it names a case",
        "both may use the BSN", "acknowledge within 3d; tell the person within 28d"}) {
    EXPECT_NE(english.out.find(text), std::string::npos) << text << "\n" << english.out;
  }
  user.variables["LANG"] = "nl_NL.UTF-8";
  const Ran dutch = matrix(escalation);
  for (const char* text : {"AFZENDER", "GRONDSLAG", "Sociaal wijkteam", "Centrale Toegang",
                           "bevestigd: ", "het noemt een casus", "beide mogen het BSN gebruiken",
                           "binnen 3d bevestigen"}) {
    EXPECT_NE(dutch.out.find(text), std::string::npos) << text << "\n" << dutch.out;
  }
  // One row a line, also for a spreadsheet.
  const auto lines = [](const std::string& out) {
    return std::count(out.begin(), out.end(), '\n');
  };
  const auto in = [&](const char* format) {
    auto args = escalation;
    args.insert(args.end(), {"-o", format});
    return matrix(args).out;
  };
  EXPECT_EQ(in("csv").substr(0, 12),
            "\xEF\xBB\xBF"
            "AFZENDER;");
  EXPECT_EQ(lines(in("csv")), lines(in("jsonl")) + 1);
  EXPECT_EQ(json::parse(in("jsonl").substr(0, in("jsonl").find('\n'))), json::parse(in("json"))[0]);
  EXPECT_EQ(matrix({"--sender", "gossips"}).code, ExitCode::kUsage);
  EXPECT_EQ(matrix({"--sender", "volunteer", "--type", "rent-arrears", "-o", "json"}).out, "[]\n");
}

TEST(PolicyFolders, ArePackedTheSameEachTime) {
  User user;
  const Bytes document = SomeKeyDocument(1).bytes();
  const auto pack = [&](const std::string& name) {
    const Ran ran =
        user.Run({"policy", "pack", kPolicy, "--out", (user.home.path() / name).string(),
                  "--key-document", "1=" + user.File("document", document), "-o", "json"});
    EXPECT_EQ(ran.code, ExitCode::kOk) << ran.err;
    return json::parse(ran.out)["digest"].get<std::string>();
  };
  EXPECT_EQ(pack("one"), pack("two"));
  EXPECT_EQ(crypto::ReadText(user.home.path() / "one"), crypto::ReadText(user.home.path() / "two"));
}

class Keys : public ::testing::Test {
 protected:
  Keys() {
    pki_.Issue(oin_);
    user_.variables["SCHAKEL_CERTIFICATE"] = (pki_.path() / (oin_ + ".chain.pem")).string();
    user_.variables["SCHAKEL_KEY"] = (pki_.path() / (oin_ + ".key")).string();
    user_.variables["SCHAKEL_KEY_STORE"] = (user_.home.path() / "keys").string();
  }
  const std::string oin_ = "00000099000000002000";
  crypto::DevPki pki_;
  User user_;
};

TEST_F(Keys, AreGeneratedAndShown) {
  const Ran made = user_.Run({"keys", "generate", "-o", "json"});
  ASSERT_EQ(made.code, ExitCode::kOk) << made.err;
  const json own = json::parse(made.out)[0];
  EXPECT_EQ(own["oin"], oin_);
  EXPECT_EQ(own["version"], 1);
  EXPECT_EQ(own["signed"], true);
  EXPECT_EQ(own["registered"], false);
  EXPECT_NE(made.err.find("Next: schakel org register-keys"), std::string::npos) << made.err;
  const auto mode = std::filesystem::status(user_.home.path() / "keys" / "0000000001.keys");
  EXPECT_EQ(mode.permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const Ran shown = user_.Run({"keys", "show"});
  EXPECT_NE(shown.out.find("not registered"), std::string::npos) << shown.out;
}

TEST_F(Keys, CanBeSignedElsewhere) {
  const Ran made = user_.Run({"keys", "generate", "--no-sign"});
  ASSERT_EQ(made.code, ExitCode::kOk) << made.err;
  EXPECT_NE(made.err.find("schakel keys statement"), std::string::npos) << made.err;
  EXPECT_EQ(user_.Run({"keys", "generate"}).code, ExitCode::kConfig) << "the first one waits";
  const std::string statement = (user_.home.path() / "key-set.bin").string();
  ASSERT_EQ(user_.Run({"keys", "statement", "--out", statement}).code, ExitCode::kOk);
  user_.File("wrong.sig", "no signature");
  const Ran wrong =
      user_.Run({"keys", "attach", "--signature", (user_.home.path() / "wrong.sig").string()});
  EXPECT_NE(wrong.code, ExitCode::kOk);
  ASSERT_EQ(
      pki_.Shell("openssl dgst -sha256 -sign $D/" + oin_ + ".key -out $D/key-set.sig " + statement),
      0)
      << pki_.output();
  const Ran attached =
      user_.Run({"keys", "attach", "--signature", (pki_.path() / "key-set.sig").string()});
  EXPECT_EQ(attached.code, ExitCode::kOk) << attached.err;
}

TEST_F(Keys, ThatAreOpenToOthersAreRefused) {
  std::filesystem::permissions(pki_.path() / (oin_ + ".key"), std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  const Ran refused = user_.Run({"keys", "generate"});
  EXPECT_NE(refused.code, ExitCode::kOk);
  EXPECT_FALSE(std::filesystem::exists(user_.home.path() / "keys" / "0000000001.keyset"))
      << "nothing may be made before the key is known to be usable";
}

}  // namespace
}  // namespace schakel::cli
