// A context in which all is well, with a made-up broker and custodian over mTLS, for tests that
// break one thing each.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "clients/sdk/policy_client.h"
#include "schakel/v1/custodian.grpc.pb.h"
#include "tests/unit/cli/fake_broker.h"
#include "tests/unit/cli/run.h"
#include "tests/unit/crypto/pseudonym_fixture.h"
#include "tests/unit/sdk/fake_log.h"

namespace schakel::cli {

using nlohmann::json;

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
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_;
  int port_ = 0;
};

// A dealt key whose document names the reference bundle's region.
inline crypto::Custody OfRegion() {
  auto custody = crypto::Custody::Of(crypto::SecretScalar::Random(), 2, 3);
  custody.document =
      crypto::KeyDocument::Create(sdk::Reference()->compiled->region(), 1,
                                  custody.document.commitments(), custody.document.custodians())
          .value();
  return custody;
}

class ContextCheck : public ::testing::Test {
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
    return oin + "=127.0.0.1:" + std::to_string(custodian_port_);
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
    std::filesystem::remove(region_.pki.path() / (oin + ".pem"));
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

}  // namespace schakel::cli
