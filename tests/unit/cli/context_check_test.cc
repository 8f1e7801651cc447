// schakel context check: one broken thing a test, each found at its own step, with something to do
// and the right exit code. Here: the own files and the way to the broker.
#include "tests/unit/cli/context_check_fixture.h"

namespace schakel::cli {
namespace {

namespace fs = std::filesystem;

TEST_F(ContextCheck, FindsNothingWhereAllIsWell) {
  const Ran ran = Check();
  EXPECT_EQ(ran.code, ExitCode::kOk) << ran.out << ran.err;
  for (const char* step :
       {"ca", "crl", "certificate", "key", "actor", "key-store", "state-folder", "name", "tcp",
        "tls", "admission", "key-set", "policy", "custodian", "budget", "clock", "log-key"}) {
    EXPECT_EQ(StateOf(step), "ok") << step << "\n" << ran.out;
  }
  EXPECT_NE(ran.err.find("17 steps; 0 failed, 0 warnings."), std::string::npos) << ran.err;
}

TEST_F(ContextCheck, IsATableInTheUsersLanguage) {
  user_.variables["LANG"] = "nl_NL.UTF-8";
  user_.variables["SCHAKEL_CA"] = File("nowhere.pem");
  const Ran ran = user_.Run({"context", "check"});
  EXPECT_EQ(ran.code, ExitCode::kConfig);
  EXPECT_EQ(ran.out.substr(0, 4), "STAP") << ran.out;
  EXPECT_NE(ran.out.find("Vertrouwde uitgevers"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("mislukt"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("niet getest"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("zorg dat"), std::string::npos) << ran.out;
}

TEST_F(ContextCheck, TestsTheContextThatIsNamed) {
  EXPECT_EQ(user_.Run({"context", "check", "nobody"}).code, ExitCode::kConfig);
  ASSERT_EQ(user_.Run({"context", "add", "team", "--broker", "127.0.0.1:1"}).code, ExitCode::kOk);
  user_.variables.erase("SCHAKEL_BROKER");
  EXPECT_EQ(user_.Run({"context", "check", "team", "--timeout", "1s"}).code,
            ExitCode::kUnavailable);
}

// ---- The own files ----

TEST_F(ContextCheck, TrustAnchorsThatAreMissingOrNone) {
  user_.variables["SCHAKEL_CA"] = File("nowhere.pem");
  ExpectFails("ca", ExitCode::kConfig, "see that");
  user_.variables["SCHAKEL_CA"] = user_.File("ca.pem", "no certificate").substr(1);
  ExpectFails("ca", ExitCode::kConfig, "in PEM");
  user_.variables.erase("SCHAKEL_CA");
  ExpectFails("ca", ExitCode::kConfig, "schakel context add");
}

TEST_F(ContextCheck, ARevocationListThatIsMissingBrokenOrOld) {
  user_.variables.erase("SCHAKEL_CRL");
  ExpectWarns("crl", "--crl FILE");
  user_.variables["SCHAKEL_CRL"] = user_.File("crl.pem", "no list").substr(1);
  ExpectFails("crl", ExitCode::kConfig, "current list");
  user_.variables["SCHAKEL_CRL"] = region_.pki.CrlFile().string();
  ASSERT_EQ(region_.pki.Run("crl --expired"), 0);
  Check();
  EXPECT_EQ(StateOf("certificate"), "failed") << "nobody knows whether it was revoked";
}

TEST_F(ContextCheck, ACertificateThatIsMissingOrNone) {
  user_.variables["SCHAKEL_CERTIFICATE"] = File("nowhere.pem");
  ExpectFails("certificate", ExitCode::kConfig, "see that");
  user_.variables["SCHAKEL_CERTIFICATE"] = user_.File("c.pem", "nothing").substr(1);
  ExpectFails("certificate", ExitCode::kConfig, "in PEM");
}

TEST_F(ContextCheck, ACertificateThatEndedOrSoonWill) {
  Reissue("--expired");
  ExpectFails("certificate", ExitCode::kConfig, "get a new certificate");
  EXPECT_EQ(rows_.find("certificate")->second["reason"], "CERTIFICATE_EXPIRED");
}

TEST_F(ContextCheck, ACertificateThatEndsThisMonthIsWarnedOf) {
  broker_->change_entry = [](v1::GetOrganisationResponse& response) {
    response.mutable_entry()->mutable_organisation()->clear_certificate_spki_digest();
  };
  Reissue("--days 20");
  ExpectWarns("certificate", "get a new certificate");
}

TEST_F(ContextCheck, ACertificateThatWasRevoked) {
  ASSERT_EQ(region_.pki.Run("revoke " + sdk::kDebtRelief.str()), 0);
  Check();
  EXPECT_EQ(StateOf("certificate"), "failed");
  EXPECT_EQ(rows_.find("certificate")->second["reason"], "CERTIFICATE_REVOKED");
}

TEST_F(ContextCheck, ACertificateOfAnotherIssuer) {
  crypto::DevPki other;
  other.Issue(sdk::kDebtRelief.str());
  user_.variables["SCHAKEL_CERTIFICATE"] =
      (other.path() / (sdk::kDebtRelief.str() + ".pem")).string();
  user_.variables["SCHAKEL_KEY"] = (other.path() / (sdk::kDebtRelief.str() + ".key")).string();
  Check();
  EXPECT_EQ(StateOf("certificate"), "failed");
  EXPECT_NE(rows_.find("certificate")->second["todo"].get<std::string>().find("issuers between"),
            std::string::npos);
}

TEST_F(ContextCheck, AKeyThatIsOpenMissingOrAnothers) {
  const fs::path key = File(sdk::kDebtRelief.str() + ".key");
  fs::permissions(key, fs::perms(0644));
  ExpectFails("key", ExitCode::kConfig, "");
  EXPECT_EQ(rows_.find("key")->second["todo"], "chmod 600 " + key.string())
      << rows_.find("key")->second;
  fs::permissions(key, fs::perms(0600));
  user_.variables["SCHAKEL_KEY"] = File("nowhere.key");
  ExpectFails("key", ExitCode::kConfig, "see that");
  user_.variables["SCHAKEL_KEY"] = File(crypto::CustodianOin(1).str() + ".key");
  ExpectFails("key", ExitCode::kConfig, "belongs to certificate_file");
}

TEST_F(ContextCheck, AnActorThatIsNotSet) {
  user_.variables.erase("SCHAKEL_ACTOR_ROLE");
  Check();
  EXPECT_EQ(StateOf("actor"), "failed");
}

TEST_F(ContextCheck, FoldersThatOthersMayEnter) {
  fs::permissions(region_.KeysOf(sdk::kDebtRelief).folder(), fs::perms(0755));
  ExpectFails("key-store", ExitCode::kConfig, "chmod 700");
  fs::permissions(region_.KeysOf(sdk::kDebtRelief).folder(), fs::perms(0700));
  fs::create_directories(user_.home.path() / "open");
  fs::permissions(user_.home.path() / "open", fs::perms(0755));
  user_.variables["SCHAKEL_STATE"] = (user_.home.path() / "open").string();
  Check();
  EXPECT_EQ(StateOf("state-folder"), "failed");
}

// ---- The way to the broker ----

TEST_F(ContextCheck, ANameThatNobodyKnows) {
  user_.variables["SCHAKEL_BROKER"] = "no..such..name:7443";
  ExpectFails("name", ExitCode::kUnavailable, "spelling");
  EXPECT_EQ(StateOf("tcp"), "not-tested");
  user_.variables["SCHAKEL_BROKER"] = "without-a-port";
  ExpectFails("name", ExitCode::kConfig, "schakel context add");
}

TEST_F(ContextCheck, APortThatIsClosed) {
  broker_->Stop();
  ExpectFails("tcp", ExitCode::kUnavailable, "network team");
  EXPECT_EQ(StateOf("name"), "ok");
  EXPECT_EQ(StateOf("tls"), "not-tested");
}

TEST_F(ContextCheck, APortWithoutTls) {
  const DeafServer deaf;
  user_.variables["SCHAKEL_BROKER"] = deaf.address();
  ExpectFails("tls", ExitCode::kUnavailable, "no broker");
  EXPECT_EQ(StateOf("tcp"), "ok");
}

TEST_F(ContextCheck, AServerOfAnotherIssuer) {
  crypto::DevPki other;
  other.Issue(FakeBroker::kOin);
  FakeCustodian something;
  int port = 0;
  const auto server = ServeTls(other, FakeBroker::kOin, {&something}, port);
  user_.variables["SCHAKEL_BROKER"] = "127.0.0.1:" + std::to_string(port);
  ExpectFails("tls", ExitCode::kConfig, "ca_file");
  EXPECT_EQ(rows_.find("tls")->second["reason"], "SERVER_NOT_TRUSTED");
}

TEST_F(ContextCheck, AServerOfAnotherName) {
  ExpectFails("tls", ExitCode::kConfig, "--server-name localhost",
              {"--server-name", "broker.zhz.example"});
  EXPECT_EQ(rows_.find("tls")->second["reason"], "SERVER_NAME");
}

TEST_F(ContextCheck, AServerThatWasRevoked) {
  ASSERT_EQ(region_.pki.Run(std::string("revoke ") + FakeBroker::kOin), 0);
  ExpectFails("tls", ExitCode::kConfig, "do not go on");
  EXPECT_EQ(rows_.find("tls")->second["reason"], "CERTIFICATE_REVOKED");
}

}  // namespace
}  // namespace schakel::cli
