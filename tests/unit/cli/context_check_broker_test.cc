// schakel context check, what broker and custodians know: one broken thing a test.
#include "clients/sdk/files.h"
#include "clients/sdk/inbox_client.h"
#include "clients/sdk/outbox.h"
#include "tests/unit/cli/context_check_fixture.h"

namespace schakel::cli {
namespace {

namespace fs = std::filesystem;

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
  custodians_ = {Custodian(crypto::CustodianOin(1).str()), second + "=127.0.0.1:1"};
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
