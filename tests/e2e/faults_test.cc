// Faults: a disk that fails, a disk that is full, a clock that jumps, a client that is killed. The
// broker is the real one, with a clock and a disk that the tests steer.
#include <filesystem>

#include "clients/sdk/export_verification.h"
#include "clients/sdk/files.h"
#include "tests/e2e/health_watch.h"
#include "tests/e2e/story.h"
#include "tests/e2e/wire.h"
#include "tests/support/paths.h"
#include "tests/support/relay.h"

namespace schakel::e2e {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Faults : public SteeredTest {
 protected:
  static std::shared_ptr<sdk::Connection> ConnectionOf(const std::string& name) {
    auto connection = As(name).connection();
    EXPECT_TRUE(connection.ok()) << Why(connection);
    return *connection;
  }
  // A session that gives up where the kept one tries again for a while.
  static std::unique_ptr<sdk::Session> Impatient(const std::string& name) {
    return std::make_unique<sdk::Session>(region().ContextOf(name), std::chrono::milliseconds(500));
  }
  template <typename T>
  static std::string ReasonOf(const Result<T>& result) {
    return result.ok() ? "OK" : result.error().reason;
  }
  static SignalId SignalOf(const v1::Envelope& envelope) {
    v1::Header header;
    EXPECT_TRUE(header.ParseFromString(envelope.header()));
    return *SignalId::From(header.signal_id());
  }
  // The whole log, exported and verified against what was seen of it before.
  static void VerifyLog() {
    ASSERT_OK_AND(auto* audit, As("region-auditor").audit());
    v1::ExportRequest request;
    request.set_request_id(sdk::NewRequestId().str());
    request.set_with_details(true);
    request.set_ground("internal-audit");
    request.set_reference("faults");
    const auto file = region().folder() / "faults.export";
    fs::remove(file);
    ASSERT_OK(audit->Export(request, file));
    ASSERT_OK_AND(auto* memory, As("region-auditor").checkpoints());
    ASSERT_OK_AND(const auto report, sdk::VerifyExport(file, *memory));
    EXPECT_TRUE(report.verified) << report.sentence_en;
    EXPECT_EQ(report.summary.records, report.summary.entries);
  }
};

// INVARIANT I1.
TEST_F(Faults, AFailedSyncStopsEveryAnswerUntilARestartWhichHasAllThatWasAcknowledged) {
  std::vector<Bytes> acknowledged;
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
    ASSERT_TRUE(sent.all_queued());
    acknowledged.push_back(sent.entry.signal_id());
  }
  ASSERT_OK_AND(const auto unlucky, Seal(As("corporation"), Arrears()));
  VerifyLog();
  const auto impatient = Impatient("corporation");
  ASSERT_OK_AND(auto sender, impatient->connection());
  HealthWatch health(ConnectionOf("team"));
  EXPECT_EQ(health.Next(), "SERVING");
  RawPull narrow(ConnectionOf("debt-relief"), 1);
  const auto first = narrow.Read();
  ASSERT_TRUE(first && first->has_delivery());
  RawPull idle(ConnectionOf("team"));
  ASSERT_TRUE(idle.Read()->has_idle());

  steering().FailNextSync();
  const auto failed = PublishOne(*impatient, unlucky);
  EXPECT_FALSE(steering().sync_failure_waits());
  EXPECT_EQ(ReasonOf(failed), "NOT_SERVING");
  EXPECT_EQ(health.Next(), "NOT_SERVING");
  // Open streams end, and bring nothing before they do.
  for (RawPull* stream : {&narrow, &idle}) {
    EXPECT_FALSE(stream->Read().has_value());
    EXPECT_EQ(ReasonOf(stream->Finish()), "NOT_SERVING");
  }
  // No call of anybody is answered OK, whether it writes or only reads.
  for (const char* name : {"corporation", "region-auditor", "registrar"}) {
    for (const auto& method : MethodsOfTheBroker()) {
      EXPECT_FALSE(CallEmpty(*ConnectionOf(name), PathOf(method)).ok()) << method << " as " << name;
    }
  }
  ASSERT_OK_AND(auto* signals, impatient->signals());
  EXPECT_EQ(ReasonOf(signals->Get(*SignalId::From(acknowledged[0]))), "NOT_SERVING");
  const auto recipient = Impatient("debt-relief");
  EXPECT_EQ(ReasonOf(FetchAll(*recipient)), "NOT_SERVING");
  ASSERT_OK_AND(auto* inbox, recipient->inbox());
  EXPECT_EQ(ReasonOf(inbox->Acknowledge(IdOf(first->delivery()))), "NOT_SERVING");
  EXPECT_EQ(ReasonOf(CallEmpty(*sender, "/schakel.v1.AuditService/GetCheckpoint")), "NOT_SERVING");
  // It does not come back by itself.
  ASSERT_TRUE(steering().AwaitLooks(3));
  EXPECT_EQ(HealthOf(*ConnectionOf("team")), "NOT_SERVING");
  EXPECT_EQ(ReasonOf(PublishOne(*impatient, unlucky)), "NOT_SERVING");

  EXPECT_EQ(region().StopBroker(), 0);
  region().StartBroker();
  const auto fresh = region().NewSession("debt-relief");
  ASSERT_OK_AND(auto connection, fresh->connection());
  EXPECT_EQ(HealthOf(*connection), "SERVING");
  ASSERT_OK_AND(auto* again, As("corporation").signals());
  for (const auto& id : acknowledged) {
    ASSERT_OK_AND(const auto status, again->Get(*SignalId::From(id)));
    EXPECT_NE(status.signal().outcomes(0).state(), v1::RECIPIENT_STATE_UNSPECIFIED);
  }
  // What was not answered may be sent again, and is there once.
  ASSERT_OK(PublishOne(As("corporation"), unlucky));
  ASSERT_OK_AND(const auto records, RecordsAbout(region(), SignalOf(unlucky)));
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_PUBLISH), 1u);
  std::set<Bytes> arrived;
  const auto stream = sdk::PullStream::Open(connection);
  for (size_t i = 0; i < acknowledged.size() + 1; ++i) {
    ASSERT_OK_AND(const auto delivery, stream->Next(seconds(10)));
    ASSERT_TRUE(delivery.has_value());
    ASSERT_OK_AND(const auto opened, Open(*fresh, *delivery));
    arrived.insert(opened.header.signal_id());
    ASSERT_OK(stream->Acknowledge(IdOf(*delivery)));
  }
  for (const auto& id : acknowledged) EXPECT_TRUE(arrived.contains(id));
  EXPECT_TRUE(arrived.contains(SignalOf(unlucky).str()));
  VerifyLog();
}

TEST_F(Faults, LowStorageRefusesPublishesAndStillTakesWhatWithdrawsOrSettles) {
  constexpr uint64_t kLowBytes = uint64_t{700} << 20;      // below reserve_bytes, 1 GiB
  constexpr uint64_t kNearZeroBytes = uint64_t{50} << 20;  // nothing fits any more
  constexpr uint64_t kAmpleBytes = uint64_t{32} << 30;
  const fs::path reserve = region().data_folder() / "reserve";
  ASSERT_OK_AND(const auto person, PersonBy(region(), "care", 40));
  ASSERT_OK_AND(const auto consent, RecordConsent(As("care"), person));
  ASSERT_OK_AND(const auto queued, Send(As("care"), Avoidance(person)));
  ASSERT_TRUE(queued.all_queued());
  ASSERT_OK_AND(const auto arrears, Send(As("corporation"), Arrears()));
  ASSERT_OK_AND(const auto held, FetchAll(As("debt-relief")));
  ASSERT_EQ(held.size(), 1u);
  ASSERT_OK_AND(const auto later, Seal(As("corporation"), Arrears()));
  EXPECT_TRUE(fs::exists(reserve));

  ASSERT_TRUE(steering().SetFreeBytes(kLowBytes));
  const auto refused = PublishOne(As("corporation"), later);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(refused.error().reason, "STORAGE_LOW");
  EXPECT_GT(refused.error().retry_after_ms, 0) << "RetryInfo";
  EXPECT_EQ(ReasonOf(FetchAll(As("team"))), "STORAGE_LOW");
  ASSERT_OK(Withdraw(As("care"), consent));
  ASSERT_OK(RecordConsent(As("care"), person, v1::STATEMENT_KIND_OBJECTION));
  ASSERT_OK_AND(auto* inbox, As("debt-relief").inbox());
  ASSERT_OK(inbox->Acknowledge(IdOf(held[0])));
  EXPECT_EQ(HealthOf(*ConnectionOf("team")), "SERVING");
  // The withdrawal did its work: the sender is told, and nothing goes out later.
  ASSERT_OK_AND(const auto feed, FeedOf(As("care"), IdOf(queued)));
  ASSERT_FALSE(feed.empty());
  EXPECT_EQ(feed.back().outcome().state(), v1::RECIPIENT_STATE_WITHHELD);

  // Near zero the reserve file is given up, and nothing at all is taken.
  EXPECT_TRUE(fs::exists(reserve));
  ASSERT_TRUE(steering().SetFreeBytes(kNearZeroBytes));
  ASSERT_TRUE(steering().AwaitLooks(1));
  EXPECT_FALSE(fs::exists(reserve));
  ASSERT_OK_AND(const auto objection_too_late, Seal(As("corporation"), Arrears()));
  EXPECT_EQ(ReasonOf(PublishOne(As("corporation"), objection_too_late)), "STORAGE_LOW");
  EXPECT_EQ(ReasonOf(RecordConsent(As("care"), person, v1::STATEMENT_KIND_OBJECTION)),
            "STORAGE_LOW");

  ASSERT_TRUE(steering().SetFreeBytes(kAmpleBytes));
  ASSERT_OK_AND(const auto accepted, PublishOne(As("corporation"), later));
  EXPECT_EQ(accepted.outcomes(0).state(), v1::RECIPIENT_STATE_QUEUED);
  ASSERT_OK_AND(const auto none, FetchAll(As("team")));
  EXPECT_THAT(none, IsEmpty());
  ASSERT_TRUE(steering().AwaitLooks(1));
  EXPECT_TRUE(fs::exists(reserve)) << "held again";
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

TEST_F(Faults, AKilledClientSendsTheSameBytesAgainFromItsOutbox) {
  // The state of a user of the command line of its own.
  const fs::path state = region().folder() / "killed-state";
  fs::create_directories(state);
  fs::permissions(state, fs::perms::owner_all);
  ASSERT_OK_AND(const auto outbox, sdk::Outbox::Open(state / "outbox"));
  ASSERT_OK_AND(const auto watched, sdk::Outbox::Open(state / "outbox"));  // by the relay's thread
  const auto entries = [&] { return *outbox.List(); };
  // An entry is durable before its first send: so when the first byte of Publish comes along the
  // entry is there, and from then on no answer gets through.
  testing::Relay relay(region().port(), [&] { return !watched.List()->empty(); });
  const auto context = region().ContextOf("corporation");
  testing::WriteFile(region().folder() / "arrears.json",
                     R"({"months_in_arrears":3,"amount_cents":210000})");
  const auto schakel = [&](const std::string& broker, std::vector<std::string> args) {
    return testing::ChildOptions{
        .program = checkout::BuildPath("bin/schakel"),
        .args = std::move(args),
        .env = {{"SCHAKEL_CONTEXTS", (region().folder() / "no-contexts.yaml").string()},
                {"SCHAKEL_BROKER", broker},
                {"SCHAKEL_CA", context.ca_file()},
                {"SCHAKEL_CERTIFICATE", context.certificate_file()},
                {"SCHAKEL_KEY", context.key_file()},
                {"SCHAKEL_CRL", context.crl_path()},
                {"SCHAKEL_KEY_STORE", context.key_store()},
                {"SCHAKEL_LOG_KEY", context.log_key()},
                {"SCHAKEL_ACTOR", context.actor()},
                {"SCHAKEL_ACTOR_ROLE", context.actor_role()},
                {"SCHAKEL_STATE", state.string()},
                {"SCHAKEL_LANGUAGE", "en"}}};
  };
  const auto stream = sdk::PullStream::Open(ConnectionOf("debt-relief"));
  const auto client = testing::ChildProcess::Start(schakel(
      "127.0.0.1:" + std::to_string(relay.port()),
      {"signal", "send", "--type", "rent-arrears", "--purpose", "prevent-eviction", "--ground",
       "wgs-debt", "--to-function", "debt-relief@dordrecht", "--subject-unlinked", "--section",
       "finances=@" + (region().folder() / "arrears.json").string()}));
  ASSERT_NE(client, nullptr);
  // The broker has taken it when the recipient gets it.
  ASSERT_OK_AND(const auto delivery, stream->Next(seconds(20)));
  ASSERT_TRUE(delivery.has_value()) << client->Stderr();
  EXPECT_TRUE(relay.holding());
  EXPECT_TRUE(client->Running()) << client->Stderr();
  client->Kill();
  ASSERT_OK(stream->Acknowledge(IdOf(*delivery)));

  ASSERT_EQ(entries().size(), 1u);
  const auto before = entries()[0];
  ASSERT_EQ(before.state(), client::v1::OUTBOX_STATE_PREPARED);
  const auto id = *SignalId::From(before.signal_id());
  ASSERT_OK_AND(const auto opened, Open(As("debt-relief"), *delivery));
  EXPECT_EQ(opened.header.signal_id(), id.view());
  ASSERT_OK_AND(const auto records, RecordsAbout(region(), id));
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_PUBLISH), 1u);
  v1::RecordFilter everything_of_the_sender;
  everything_of_the_sender.set_organisation(OinOf("corporation").str());
  ASSERT_OK_AND(const auto all_before, QueryAs(As("region-auditor"), everything_of_the_sender));

  const auto resent =
      testing::RunProgram(schakel(region().address(), {"signal", "resend", UuidText(id.view())}));
  EXPECT_EQ(resent.code, 0) << resent.err;
  ASSERT_EQ(entries().size(), 1u);
  const auto after = entries()[0];
  EXPECT_EQ(after.state(), client::v1::OUTBOX_STATE_ANSWERED);
  // The same answer as those bytes get from anybody who sends them: that of the first time.
  v1::Envelope envelope;
  ASSERT_TRUE(envelope.ParseFromString(before.envelope()));
  ASSERT_OK_AND(const auto answer, PublishOne(As("corporation"), envelope));
  EXPECT_EQ(after.answer().accepted().SerializeAsString(), answer.SerializeAsString());
  ASSERT_EQ(answer.receipts_size(), 1);
  EXPECT_EQ(answer.receipts(0).index(), records[0].index());
  // No further record, no further delivery.
  ASSERT_OK_AND(const auto still, RecordsAbout(region(), id));
  EXPECT_EQ(still.size(), records.size());
  EXPECT_EQ(CountKind(still, v1::RECORD_KIND_DELIVERY), 1u);
  ASSERT_OK_AND(const auto all_after, QueryAs(As("region-auditor"), everything_of_the_sender));
  EXPECT_EQ(all_after.size(), all_before.size());
  ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
  EXPECT_THAT(waiting, IsEmpty());
}

TEST_F(Faults, AClockThatJumpsEndsTheServiceAtOnceEvenWhenNobodyCalls) {
  HealthWatch health(ConnectionOf("team"));
  EXPECT_EQ(health.Next(), "SERVING");
  RawPull idle(ConnectionOf("team"));
  ASSERT_TRUE(idle.Read()->has_idle());
  steering().Pass(minutes(10));  // both clocks: time just goes on
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
  ASSERT_TRUE(sent.all_queued());
  steering().Jump(seconds(-90));
  EXPECT_EQ(health.Next(), "NOT_SERVING");
  EXPECT_FALSE(idle.Read().has_value());
  EXPECT_EQ(ReasonOf(idle.Finish()), "CLOCK_DOUBTFUL");
  EXPECT_EQ(ReasonOf(FetchAll(*Impatient("debt-relief"))), "CLOCK_DOUBTFUL");
  const auto impatient = Impatient("corporation");
  ASSERT_OK_AND(auto* signals, impatient->signals());
  EXPECT_EQ(ReasonOf(signals->Get(IdOf(sent))), "CLOCK_DOUBTFUL");
  // Doubt stays, also when the clock is put right again.
  steering().Jump(seconds(90));
  ASSERT_TRUE(steering().AwaitLooks(3));
  EXPECT_EQ(HealthOf(*ConnectionOf("team")), "NOT_SERVING");
  region().RestartBroker();
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

// The last one: it leaves the broker's clock days ahead of everybody else's.
TEST_F(Faults, AClockFarAheadAtStartWaitsForItsOperator) {
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
  ASSERT_TRUE(sent.all_queued());
  ASSERT_EQ(region().StopBroker(), 0);
  steering().Jump(hours(24 * 8));
  region().StartBroker();
  EXPECT_EQ(HealthOf(*ConnectionOf("team")), "NOT_SERVING");
  const auto recipient = Impatient("debt-relief");
  EXPECT_EQ(ReasonOf(FetchAll(*recipient)), "CLOCK_DOUBTFUL");
  EXPECT_EQ(ReasonOf(CallEmpty(*ConnectionOf("team"), "/schakel.v1.AuditService/GetCheckpoint")),
            "CLOCK_DOUBTFUL");
  EXPECT_EQ(region().StopBroker(), 0);

  // The operator looks at another clock, and vouches for this one.
  const auto vouched = std::chrono::system_clock::now() + steering().wall_ahead();
  const std::time_t at = std::chrono::system_clock::to_time_t(vouched);
  std::tm utc{};
  gmtime_r(&at, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  const auto accepted = region().RunBroker({"accept-time", text});
  ASSERT_EQ(accepted.code, 0) << accepted.err;
  region().StartBroker();
  EXPECT_EQ(HealthOf(*ConnectionOf("team")), "SERVING");
  ASSERT_OK(EmptyInbox(As("debt-relief")));
  ASSERT_OK_AND(const auto feed, FeedOf(As("corporation"), IdOf(sent)));
  EXPECT_EQ(feed.back().outcome().state(), v1::RECIPIENT_STATE_ACKNOWLEDGED);
}

}  // namespace
}  // namespace schakel::e2e
