// Starting and stopping: what a stop ends, what a second broker may not do, and a copy put back.
#include <csignal>
#include <ctime>
#include <filesystem>

#include "tests/e2e/story.h"
#include "tests/e2e/wire.h"

namespace schakel::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Restart : public RegionTest {};

TEST_F(Restart, ASecondBrokerOnTheSameFolderIsRefused) {
  const auto second = region().StartSecondBroker();
  ASSERT_NE(second, nullptr);
  const auto code = second->Wait(std::chrono::seconds(20));
  ASSERT_TRUE(code.has_value());
  EXPECT_NE(*code, 0);
  EXPECT_FALSE((second->Stdout() + second->Stderr()).empty());
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
  EXPECT_TRUE(sent.all_queued());
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(Restart, TerminationEndsStreamsWithAStatusThatMayBeRetriedAndLosesNothing) {
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
  ASSERT_TRUE(sent.all_queued());
  ASSERT_OK_AND(auto connection, As("team").connection());
  RawPull stream(connection);
  ASSERT_TRUE(stream.Read().has_value());
  region().broker().Signal(SIGTERM);
  while (stream.Read()) {
  }
  const auto ended = stream.Finish();
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().reason, "NOT_SERVING");
  EXPECT_EQ(ended.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(region().StopBroker(), 0);
  EXPECT_THAT(region().BrokerLog(), HasSubstr("\"stopped\""));
  region().StartBroker();
  ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
  ASSERT_EQ(waiting.size(), 1u);
  ASSERT_OK(Open(As("debt-relief"), waiting[0]));
  ASSERT_OK_AND(auto* inbox, As("debt-relief").inbox());
  ASSERT_OK(inbox->Acknowledge(IdOf(waiting[0])));
}

TEST_F(Restart, AKilledBrokerHasEverythingThatItAcknowledged) {
  std::vector<Bytes> acknowledged;
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
    ASSERT_TRUE(sent.all_queued());
    acknowledged.push_back(sent.entry.signal_id());
  }
  region().KillBroker();
  region().StartBroker();
  ASSERT_OK_AND(auto* signals, As("corporation").signals());
  for (const auto& id : acknowledged) {
    ASSERT_OK_AND(const auto status, signals->Get(*SignalId::From(id)));
    EXPECT_EQ(status.signal().outcomes(0).state(), v1::RECIPIENT_STATE_QUEUED);
  }
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(Restart, TheOperatorVouchesForTheTimeOnlyForwards) {
  ASSERT_EQ(region().StopBroker(), 0);
  const auto early = region().RunBroker({"accept-time", "2020-01-01T00:00:00Z"});
  EXPECT_NE(early.code, 0);
  EXPECT_THAT(early.err, HasSubstr("time never goes back"));
  char soon[32];
  const std::time_t at = std::time(nullptr) + 20;
  std::tm utc{};
  gmtime_r(&at, &utc);
  std::strftime(soon, sizeof soon, "%Y-%m-%dT%H:%M:%SZ", &utc);
  const auto accepted = region().RunBroker({"accept-time", soon});
  EXPECT_EQ(accepted.code, 0) << accepted.err;
  EXPECT_EQ(region().RunBroker({"--check-config"}).code, 0);
  region().StartBroker();
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
  EXPECT_TRUE(sent.all_queued());
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(Restart, ACopyThatWasPutBackShowsItsProofsOnlyUntilItIsRecovered) {
  ASSERT_EQ(region().StopBroker(), 0);
  const fs::path copy = region().folder() / "copy";
  fs::copy(region().data_folder(), copy, fs::copy_options::recursive);
  region().StartBroker();
  ASSERT_OK_AND(const auto lost, Send(As("corporation"), Arrears()));
  ASSERT_TRUE(lost.all_queued());
  ASSERT_EQ(region().StopBroker(), 0);
  fs::remove_all(region().data_folder());
  fs::copy(copy, region().data_folder(), fs::copy_options::recursive);
  region().StartBroker();

  ASSERT_OK_AND(auto connection, As("team").connection());
  EXPECT_TRUE(CallEmpty(*connection, "/schakel.v1.AuditService/GetCheckpoint").ok());
  const auto inside = CallEmpty(*connection, "/schakel.v1.AuditService/GetInclusionProof");
  EXPECT_TRUE(inside.ok() || inside.error().reason != "RESTORED") << Why(inside);
  const auto sent = PublishOne(As("corporation"), v1::Envelope());
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().reason, "RESTORED");
  const auto fetched = FetchAll(As("team"));
  ASSERT_FALSE(fetched.ok());
  EXPECT_EQ(fetched.error().reason, "RESTORED");
  const auto queried = QueryAs(As("region-auditor"), {});
  ASSERT_FALSE(queried.ok());
  EXPECT_EQ(queried.error().reason, "RESTORED");

  ASSERT_EQ(region().StopBroker(), 0);
  EXPECT_NE(region().RunBroker({"recover", "--incarnation", "1"}).code, 0);
  const auto recovered = region().RunBroker({"recover", "--incarnation", "2"});
  ASSERT_EQ(recovered.code, 0) << recovered.err;
  std::string key = recovered.out;
  while (!key.empty() && key.back() == '\n') key.pop_back();
  EXPECT_THAT(key, HasSubstr("/schakel/2"));
  region().set_log_key(key);
  region().StartBroker();
  ASSERT_OK_AND(const auto again, Send(As("corporation"), Arrears()));
  EXPECT_TRUE(again.all_queued());
  v1::RecordFilter changes;
  changes.add_kinds(v1::RECORD_KIND_MODE_CHANGE);
  ASSERT_OK_AND(const auto records, QueryAs(As("region-auditor"), changes));
  ASSERT_FALSE(records.empty());
  EXPECT_THAT(records.back().DebugString(), HasSubstr("zhz.example/schakel/1"));
  EXPECT_GT(records.back().facts().head_size(), records.back().facts().store_size());
}

}  // namespace
}  // namespace schakel::e2e
