// schakel context check: one broken thing a test, against a made-up broker and custodian over mTLS;
// each must be found at its own step, with something to do and the right exit code.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "clients/sdk/files.h"
#include "clients/sdk/inbox_client.h"
#include "clients/sdk/outbox.h"
#include "clients/sdk/policy_client.h"
#include "schakel/v1/custodian.grpc.pb.h"
#include "tests/unit/cli/fake_broker.h"
#include "tests/unit/cli/run.h"
#include "tests/unit/crypto/pseudonym_fixture.h"
#include "tests/unit/sdk/fake_log.h"

namespace schakel::cli {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class FakeCustodian final : public v1::CustodianService::Service {
 public:
  grpc::Status GetKeyDocument(grpc::ServerContext*, const v1::GetKeyDocumentRequest*,
                              v1::GetKeyDocumentResponse* response) override {
    *response = document;
    return grpc::Status::OK;
  }
  grpc::Status GetBudget(grpc::ServerContext*, const v1::GetBudgetRequest*,
                         v1::GetBudgetResponse* response) override {
    response->set_day_remaining(left);
    response->set_day_limit(500);
    response->set_month_remaining(4000);
    response->set_month_limit(5000);
    response->mutable_day_resets()->set_seconds(1'900'000'000);
    return grpc::Status::OK;
  }
  v1::GetKeyDocumentResponse document;
  uint32_t left = 400;
};

// A socket that listens and says nothing: there is no TLS behind it.
class DeafServer {
 public:
  DeafServer() : socket_(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_any;
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_, 8), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin6_port);
  }
  ~DeafServer() { close(socket_); }
  std::string address() const { return "localhost:" + std::to_string(port_); }

 private:
  int socket_;
  int port_ = 0;
};

// A dealt key whose document names the reference bundle's region.
crypto::Custody OfRegion() {
  auto custody = crypto::Custody::Of(crypto::SecretScalar::Random(), 2, 3);
  custody.document =
      crypto::KeyDocument::Create(sdk::Reference()->compiled->region(), 1,
                                  custody.document.commitments(), custody.document.custodians())
          .value();
  return custody;
}

class ContextCheck : public testing::Test {
 protected:
  ContextCheck() {
    region_.Admit(sdk::kDebtRelief, "social-services", {"dordrecht"}, true);
    broker_ = std::make_unique<FakeBroker>(region_);
    broker_->checkpoint = log_.Note(5);
    StartCustodian();
    const auto packed = sdk::PackPolicyFolder(checkout::SourcePath("policy/zuid-holland-zuid"),
                                              {{1, custody_.document.digest()}});
    EXPECT_TRUE(packed.ok()) << packed.error().message;
    broker_->bundle = sdk::LoadBundle(packed->bundle, packed->digest).value();
    auto& set = user_.variables;
    const std::string oin = sdk::kDebtRelief.str();
    set["SCHAKEL_BROKER"] = broker_->address();
    set["SCHAKEL_CA"] = File("ca.pem");
    set["SCHAKEL_CERTIFICATE"] = File(oin + ".chain.pem");
    set["SCHAKEL_KEY"] = File(oin + ".key");
    set["SCHAKEL_CRL"] = region_.pki.CrlFile().string();
    set["SCHAKEL_KEY_STORE"] = region_.KeysOf(sdk::kDebtRelief).folder().string();
    set["SCHAKEL_ACTOR"] = "user-1";
    set["SCHAKEL_ACTOR_ROLE"] = "professional";
    set["SCHAKEL_LOG_KEY"] = sdk::LogVerifier().Encode();
  }

  void StartCustodian() {
    for (uint8_t x = 1; x <= 3; ++x) {
      const auto oin = crypto::CustodianOin(x);
      const auto certificate = region_.pki.Issue(oin.str());
      auto* signature = custodian_.document.add_signatures();
      signature->set_custodian(oin.str());
      signature->set_signature(*region_.pki.Key(oin.str()).Sign(custody_.document.bytes()));
      signature->add_certificate_chain(certificate.der());
    }
    custodian_.document.set_key_document(custody_.document.bytes());
    custodian_server_ =
        ServeTls(region_.pki, crypto::CustodianOin(1).str(), {&custodian_}, custodian_port_);
  }

  std::string File(const std::string& name) { return (region_.pki.path() / name).string(); }
  std::string Custodian(const std::string& oin) {
    return oin + "=localhost:" + std::to_string(custodian_port_);
  }

  // Runs it; rows by step.
  Ran Check(std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"context", "check", "-o", "json", "--timeout", "2s"};
    if (custodians_.empty()) custodians_ = {Custodian(crypto::CustodianOin(1).str())};
    for (const auto& custodian : custodians_) args.insert(args.end(), {"--custodian", custodian});
    args.insert(args.end(), more.begin(), more.end());
    Ran ran = user_.Run(args);
    rows_.clear();
    if (json::accept(ran.out)) {
      for (const auto& row : json::parse(ran.out)) rows_.emplace(row["step"], row);
    }
    return ran;
  }
  std::string StateOf(const std::string& step) {
    const auto row = rows_.find(step);
    return row == rows_.end() ? "missing" : row->second["state"].get<std::string>();
  }
  // That this step alone fails (others may not be tested), with something to do.
  void ExpectFails(const std::string& step, ExitCode code, const std::string& todo_part,
                   std::vector<std::string> more = {}) {
    const Ran ran = Check(std::move(more));
    EXPECT_EQ(ran.code, code) << ran.out << ran.err;
    EXPECT_EQ(StateOf(step), "failed") << ran.out << ran.err;
    for (const auto& [name, row] : rows_) {
      if (name != step) {
        EXPECT_NE(row["state"], "failed") << row;
      }
    }
    if (StateOf(step) == "failed") {
      const json& row = rows_.find(step)->second;
      EXPECT_NE(row["todo"].get<std::string>().find(todo_part), std::string::npos) << row;
      EXPECT_NE(row["found"], "") << row;
      EXPECT_NE(row["reason"], "") << row;
    }
  }
  void ExpectWarns(const std::string& step, const std::string& todo_part,
                   std::vector<std::string> more = {}) {
    const Ran ran = Check(std::move(more));
    EXPECT_EQ(ran.code, ExitCode::kOk) << ran.out << ran.err;
    ASSERT_EQ(StateOf(step), "warning") << ran.out << ran.err;
    const json& row = rows_.find(step)->second;
    EXPECT_NE(row["todo"].get<std::string>().find(todo_part), std::string::npos) << row;
  }
  // The certificate under another name, made with these options of deploy/dev-pki.
  void Reissue(const std::string& options) {
    const std::string oin = sdk::kDebtRelief.str();
    fs::remove(region_.pki.path() / (oin + ".pem"));
    region_.pki.Issue(oin, options);
  }

  sdk::Region region_;
  sdk::Log log_{5};
  std::unique_ptr<FakeBroker> broker_;
  crypto::Custody custody_ = OfRegion();
  FakeCustodian custodian_;
  std::unique_ptr<grpc::Server> custodian_server_;
  int custodian_port_ = 0;
  std::vector<std::string> custodians_;
  User user_;
  std::multimap<std::string, json> rows_;
};

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
  ASSERT_EQ(user_.Run({"context", "add", "team", "--broker", "localhost:1"}).code, ExitCode::kOk);
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
  EXPECT_NE(rows_.find("key")->second.dump().find("chmod 600"), std::string::npos)
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
  user_.variables["SCHAKEL_BROKER"] = "localhost:" + std::to_string(port);
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

// ---- What the broker knows ----

TEST_F(ContextCheck, AnOrganisationThatIsNotAdmittedOrDisabled) {
  broker_->change_entry = [](v1::GetOrganisationResponse& response) {
    response.mutable_entry()->set_disabled(true);
  };
  ExpectFails("admission", ExitCode::kNegative, "call the registrar");
  broker_->change_entry = [](v1::GetOrganisationResponse& response) {
    response.mutable_entry()->mutable_organisation()->set_certificate_spki_digest(Bytes(32, 'x'));
  };
  ExpectFails("admission", ExitCode::kNegative, "schakel org request");
  broker_->change_entry = nullptr;
  region_.directory.members.erase(sdk::kDebtRelief);
  ExpectFails("admission", ExitCode::kNegative, "schakel org request");
}

TEST_F(ContextCheck, AKeySetThatIsNotRegisteredOrAnothers) {
  broker_->change_entry = [](v1::GetOrganisationResponse& response) {
    response.mutable_entry()->clear_key_set();
  };
  ExpectFails("key-set", ExitCode::kNegative, "schakel org register-keys");
  broker_->change_entry = nullptr;
  user_.variables["SCHAKEL_KEY_STORE"] = (user_.home.path() / "empty").string();
  ExpectFails("key-set", ExitCode::kNegative, "schakel keys generate");
  ASSERT_EQ(user_.Run({"keys", "generate", "--no-sign"}).code, ExitCode::kOk);
  ExpectFails("key-set", ExitCode::kNegative, "schakel keys statement");
  ASSERT_EQ(user_.Run({"keys", "generate", "--discard"}).code, ExitCode::kOk);
  ExpectFails("key-set", ExitCode::kNegative, "registered that set");
}

TEST_F(ContextCheck, AKeySetThatSoonEndsIsWarnedOf) {
  user_.variables["SCHAKEL_KEY_STORE"] = (user_.home.path() / "short").string();
  ASSERT_EQ(user_.Run({"keys", "generate", "--valid", "3d"}).code, ExitCode::kOk);
  auto store = sdk::KeyStore::Open(user_.home.path() / "short").value();
  const auto own = store.Newest().value();
  ASSERT_TRUE(store.MarkRegistered(own.digest).ok());
  broker_->change_entry = [&](v1::GetOrganisationResponse& response) {
    *response.mutable_entry()->mutable_key_set() = own.signed_key_set;
  };
  ExpectWarns("key-set", "schakel keys generate");
}

TEST_F(ContextCheck, APolicyThatIsNotGiven) {
  broker_->policy_status = {grpc::StatusCode::FAILED_PRECONDITION, "none"};
  ExpectFails("policy", ExitCode::kNegative, "registrar");
  EXPECT_EQ(StateOf("custodian"), "not-tested");
}

TEST_F(ContextCheck, EachCustodianByItself) {
  const std::string second = crypto::CustodianOin(2).str();
  custodians_ = {Custodian(crypto::CustodianOin(1).str()), second + "=localhost:1"};
  const Ran ran = Check();
  EXPECT_EQ(ran.code, ExitCode::kUnavailable) << ran.out;
  for (auto [at, end] = rows_.equal_range("custodian"); at != end; ++at) {
    EXPECT_EQ(at->second["state"], at->second["subject"] == second ? "failed" : "ok");
  }
  // Another organisation answers at the address.
  custodians_ = {Custodian(second)};
  EXPECT_NE(Check().code, ExitCode::kOk);
  EXPECT_EQ(StateOf("custodian"), "failed");
}

TEST_F(ContextCheck, AKeyDocumentThatIsNotThePinnedOne) {
  ExpectFails("custodian", ExitCode::kConfig, "ask the custodians",
              {"--key-document", "1=" + std::string(64, 'a')});
  auto other = crypto::Custody::Of(crypto::SecretScalar::Random(), 2, 3);
  custodian_.document.set_key_document(other.document.bytes());
  ExpectFails("custodian", ExitCode::kConfig, "ask the custodians");
  EXPECT_EQ(rows_.find("custodian")->second["reason"], "KEY_DOCUMENT_MISMATCH");
}

TEST_F(ContextCheck, ABudgetThatIsSpentOrNearly) {
  custodian_.left = 0;
  ExpectFails("budget", ExitCode::kNegative, "full again");
  custodian_.left = 20;
  ExpectWarns("budget", "full again");
}

TEST_F(ContextCheck, AClockThatIsBehindWhatTheBrokerTold) {
  broker_->activated = sdk::Now() + Millis(std::chrono::minutes(10));
  ExpectFails("clock", ExitCode::kConfig, "NTP");
  broker_->activated = sdk::Now() + Millis(std::chrono::minutes(2));
  ExpectWarns("clock", "NTP");
}

TEST_F(ContextCheck, AClockThatDifferedAtTheLastSend) {
  const fs::path folder = user_.home.path() / "state" / "schakel" / "default" / "outbox";
  const auto sent = [&](std::chrono::seconds ahead) {
    auto outbox = sdk::Outbox::Open(folder);
    ASSERT_TRUE(outbox.ok()) << outbox.error().message;
    client::v1::OutboxEntry entry;
    entry.set_signal_id(sdk::NewRequestId().str());
    entry.set_state(client::v1::OUTBOX_STATE_ANSWERED);
    v1::Record record;
    record.set_time_us(static_cast<uint64_t>((sdk::Now() - Millis(ahead)).count()) * 1000);
    entry.mutable_answer()->mutable_accepted()->add_receipts()->set_record(
        record.SerializeAsString());
    ASSERT_TRUE(
        sdk::WriteFileDurably(folder / UuidText(entry.signal_id()), entry.SerializeAsString())
            .ok());
  };
  Check();  // makes the folders
  sent(std::chrono::seconds(1));
  EXPECT_EQ(Check().code, ExitCode::kOk);
  EXPECT_NE(rows_.find("clock")->second["found"].get<std::string>().find("at the last send"),
            std::string::npos)
      << rows_.find("clock")->second;
  sent(std::chrono::minutes(2));
  ExpectWarns("clock", "NTP");
  sent(std::chrono::minutes(9));
  ExpectFails("clock", ExitCode::kConfig, "NTP");
}

TEST_F(ContextCheck, ALogKeyThatIsMissingWrongOrSeesAnotherLog) {
  EXPECT_EQ(Check().code, ExitCode::kOk);
  broker_->checkpoint = log_.Note(3);
  ExpectFails("log-key", ExitCode::kNegative, "call the registrar");
  broker_->checkpoint = log_.Note(5, 'x');
  ExpectFails("log-key", ExitCode::kNegative, "ask the registrar for the log's key");
  user_.variables.erase("SCHAKEL_LOG_KEY");
  ExpectWarns("log-key", "--log-key");
  user_.variables["SCHAKEL_LOG_KEY"] = "nonsense";
  ExpectFails("log-key", ExitCode::kConfig, "--log-key");
}

}  // namespace
}  // namespace schakel::cli
