// A reader that stops reading: what it may cost, how it ends, and who gets what it did not read.
#include <atomic>
#include <set>
#include <thread>

#include "broker/base/limits.h"
#include "tests/e2e/lease_story.h"
#include "tests/e2e/wire.h"
#include "tests/support/machine_fixture.h"

namespace schakel::e2e {
namespace {

using std::chrono::seconds;

// What the transport takes of a stream whose reader reads nothing: HTTP/2's window of 64 KiB, and
// as much on its way.
constexpr size_t kTransportBytes = 128 * 1024;

// A channel whose window stays as small as HTTP/2 has it: gRPC would let it grow with the line, at
// the reader's own cost.
std::shared_ptr<sdk::Connection> ConnectNarrowly(Region& region,
                                                 const std::string& who = "debt-relief") {
  const auto& certificate = region.CertificateOf(who);
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = region.pki().ca_pem();
  tls.pem_cert_chain = certificate.certificate_pem();
  tls.pem_private_key = certificate.key_pem();
  grpc::ChannelArguments narrow;
  narrow.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  narrow.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  sdk::ConnectionOptions options;
  options.actor = "lazy";
  options.actor_role = "professional";
  return sdk::Connection::Over(
      grpc::CreateCustomChannel(region.address(), grpc::SslCredentials(tls), narrow), options);
}

// A draft's signal with sections of 64 KiB: nobody can open them, but the broker can't tell.
v1::Envelope Big(sdk::Session& from, const sdk::SignalDraft& draft) {
  auto envelope = Seal(from, draft);
  EXPECT_TRUE(envelope.ok()) << Why(envelope);
  for (auto& section : *envelope->mutable_sections()) {
    section.mutable_ciphertext()->resize(65536 + 16, 'x');
  }
  testing::SeededBytes random(7);
  testing::SetValues(&*envelope, &random);
  const auto signed_again = SignAgain(from, &*envelope);
  EXPECT_TRUE(signed_again.ok()) << Why(signed_again);
  return *envelope;
}

// Three of them.
v1::Envelope BigArrears(sdk::Session& from) { return Big(from, Arrears()); }

// More than a reader may hold.
constexpr size_t kSignals = 48;

struct Sent {
  std::set<Bytes> ids;
  size_t item_bytes = 0;  // of each
};

// So many of them on their way to debt-relief.
Sent PublishBig(sdk::Session& from, size_t count) {
  Sent sent;
  for (size_t i = 0; i < count; ++i) {
    const auto envelope = BigArrears(from);
    sent.item_bytes = envelope.ByteSizeLong();
    const auto accepted = PublishOne(from, envelope);
    EXPECT_TRUE(accepted.ok()) << Why(accepted);
    if (accepted.ok()) sent.ids.insert(accepted->signal_id());
  }
  return sent;
}

// How many deliveries there were to one organisation, by their records.
size_t HandedOver(Region& region, const std::string& who = "debt-relief") {
  v1::RecordFilter filter;
  filter.add_kinds(v1::RECORD_KIND_DELIVERY);
  filter.set_organisation(region.OinOf(who).str());
  const auto records = QueryAs(region.As("region-auditor"), filter);
  EXPECT_TRUE(records.ok()) << Why(records);
  return records.ok() ? records->size() : 0;
}

TEST_F(Leases, AReaderThatStopsReadingCostsABoundedAmountIsClosedAfter30SecondsAndLosesNothing) {
  const auto [sent, item_bytes] = PublishBig(As("corporation"), kSignals);
  ASSERT_EQ(sent.size(), kSignals);
  // LIMIT: 4 MiB that wait to be written, one item on its way, and what the transport takes.
  const size_t bound =
      (limits::kInboxBytesPerStreamMax + 2 * item_bytes + kTransportBytes) / item_bytes;
  ASSERT_LT(bound + 8, kSignals) << "there is more than a reader may hold";
  const size_t before = HandedOver(region());
  RawPull lazy(ConnectNarrowly(region()), limits::kPullWindowMax);
  // It is handed what fits, and then no more.
  const size_t fits = limits::kInboxBytesPerStreamMax / item_bytes;
  while (HandedOver(region()) < before + fits) {
  }
  steering().Pass(seconds(20));  // and the seconds that this test itself takes
  ASSERT_TRUE(steering().AwaitLooks(2));
  EXPECT_EQ(region().BrokerLog().find("READER_STALLED"), std::string::npos);
  const size_t handed_over = HandedOver(region()) - before;
  EXPECT_LE(handed_over, bound);
  steering().Pass(seconds(11));
  ASSERT_TRUE(steering().AwaitLooks(3));
  EXPECT_NE(region().BrokerLog().find("READER_STALLED"), std::string::npos);
  // All that the transport took may still be read; then the stream is found ended, with its reason.
  size_t read = 0;
  while (lazy.Read()) ++read;
  EXPECT_LE(read, bound);
  const auto ended = lazy.Finish();
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().reason, "READER_STALLED");
  EXPECT_EQ(ended.error().code, ErrorCode::kDeadlineExceeded);

  ASSERT_OK_AND(auto connection, As("debt-relief").connection());
  const auto stream = sdk::PullStream::Open(connection, {.window = 16, .lease = std::nullopt});
  std::set<Bytes> arrived;
  while (arrived.size() < kSignals) {
    ASSERT_OK_AND(const auto delivery, stream->Next(seconds(10)));
    ASSERT_TRUE(delivery.has_value()) << arrived.size() << " of " << kSignals;
    v1::Header header;
    ASSERT_TRUE(header.ParseFromString(delivery->signal().header()));
    EXPECT_TRUE(arrived.insert(header.signal_id()).second) << "acknowledged, and comes again";
    ASSERT_OK(stream->Acknowledge(IdOf(*delivery)));
  }
  EXPECT_EQ(arrived, sent);
}

TEST_F(Leases, AReaderThatGoesOnAskingIsNotListenedToEither) {
  // Each settlement has an answer, which waits when nobody reads it.
  constexpr size_t kAsked = 1'000'000;
  RawPull lazy(ConnectNarrowly(region()), 1);
  ASSERT_TRUE(lazy.Read()->has_idle());
  std::atomic<size_t> asked = 0;
  std::jthread asker([&] {
    v1::PullRequest request;
    request.mutable_acknowledge()->set_delivery_id(Bytes(16, 'n'));
    while (asked < kAsked && lazy.Write(request)) ++asked;
  });
  // Until the broker takes no more of them.
  size_t before = 0;
  do {
    before = asked;
    ASSERT_TRUE(steering().AwaitLooks(1));
  } while (asked != before);
  EXPECT_LT(asked, kAsked);
  steering().Pass(seconds(31));
  ASSERT_TRUE(steering().AwaitLooks(3));
  asker.join();  // its stream ended
  size_t answered = 0;
  while (lazy.Read()) ++answered;
  EXPECT_LT(answered, kAsked);
  const auto ended = lazy.Finish();
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().reason, "READER_STALLED");
}

TEST_F(Leases, APublisherThatReadsNoAnswersIsNotListenedToAndClosedAfter30Seconds) {
  std::vector<v1::Envelope> envelopes;
  for (size_t i = 0; i < limits::kBatchEnvelopesMax; ++i) {
    ASSERT_OK_AND(auto envelope, Seal(As("corporation"), Arrears()));
    envelopes.push_back(std::move(envelope));
  }
  constexpr uint64_t kBatches = 10'000;
  RawPublish lazy(ConnectNarrowly(region(), "corporation"), /*full_receipts=*/true);
  std::atomic<uint64_t> written = 0;
  std::jthread writer([&] {
    // The same again and again: each gets the first answer.
    while (written < kBatches && lazy.Batch(envelopes)) ++written;
  });
  uint64_t before = 0;
  do {
    before = written;
    ASSERT_TRUE(steering().AwaitLooks(1));
  } while (written == 0 || written != before);
  EXPECT_LT(written, kBatches);
  steering().Pass(seconds(31));
  ASSERT_TRUE(steering().AwaitLooks(3));
  writer.join();  // its stream ended
  while (lazy.Read()) {
  }
  const auto ended = lazy.Finish();
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().reason, "READER_STALLED");
  // What was answered and not read is asked again, and counts once.
  ASSERT_OK_AND(const auto again, PublishOne(As("corporation"), envelopes[0]));
  EXPECT_EQ(again.outcomes_size(), 1);
  ASSERT_OK(EmptyInbox(As("debt-relief")));
}

// ---- In batches ----

TEST_F(Leases, AReaderOfBatchesThatStopsReadingIsClosedAfter30SecondsToo) {
  const auto [sent, item_bytes] = PublishBig(As("corporation"), kSignals);
  ASSERT_EQ(sent.size(), kSignals);
  // LIMIT: 4 MiB that wait to be written, and the message that is on its way.
  const size_t bound =
      (limits::kInboxBytesPerStreamMax + limits::kPullBatchBytesMax + item_bytes) / item_bytes;
  ASSERT_LT(bound + 8, kSignals) << "there is more than a reader may hold";
  const size_t before = HandedOver(region());
  RawPull lazy(ConnectNarrowly(region()), limits::kPullWindowMax, limits::kPullBatchMax);
  const size_t fits = limits::kInboxBytesPerStreamMax / item_bytes;
  while (HandedOver(region()) < before + fits) {
  }
  ASSERT_TRUE(steering().AwaitLooks(2));
  EXPECT_LE(HandedOver(region()) - before, bound);
  steering().Pass(seconds(31));
  ASSERT_TRUE(steering().AwaitLooks(3));
  size_t read = 0;
  while (auto message = lazy.Read()) {
    EXPECT_LE(message->ByteSizeLong(), limits::kPullBatchBytesMax + 64);
    read += static_cast<size_t>(message->deliveries().deliveries_size());
  }
  EXPECT_LE(read, limits::kPullBatchBytesMax / item_bytes) << "the write that was under way";
  const auto ended = lazy.Finish();
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().reason, "READER_STALLED");

  // All of it comes again, and is taken in one go after another.
  ASSERT_OK_AND(auto connection, As("debt-relief").connection());
  const auto stream = sdk::PullStream::Open(connection, {.window = 16, .lease = std::nullopt});
  std::set<Bytes> arrived;
  while (arrived.size() < kSignals) {
    std::vector<DeliveryId> ids;
    ASSERT_OK_AND(auto delivery, stream->Next(seconds(10)));
    ASSERT_TRUE(delivery.has_value()) << arrived.size() << " of " << kSignals;
    while (delivery) {
      EXPECT_TRUE(arrived.insert(SignalOf(*delivery)).second) << "acknowledged, and comes again";
      ids.push_back(IdOf(*delivery));
      ASSERT_OK_AND(delivery, stream->Next(seconds(0)));
    }
    for (const auto& receipt : stream->AcknowledgeAll(ids)) ASSERT_OK(receipt);
  }
  EXPECT_EQ(arrived, sent);
}

// INVARIANT I4
TEST_F(Leases, AWithdrawalTakesItsItemOutOfABatchThatWaitsBehindAnotherAndNoOther) {
  ASSERT_OK(EmptyInbox(As("team")));
  ASSERT_OK_AND(const auto stays, PersonBy(region(), "care", 30));
  ASSERT_OK_AND(const auto withdraws, PersonBy(region(), "care", 31));
  // The broker's clock is hours ahead.
  const auto consents = [&](const v1::SubjectRef& subject) {
    return RecordConsent(As("care"), subject, v1::STATEMENT_KIND_CONSENT, std::chrono::hours(24));
  };
  ASSERT_OK(consents(stays));
  ASSERT_OK_AND(const auto consent, consents(withdraws));
  std::vector<Bytes> expected;
  const auto publish = [&](const v1::Envelope& envelope) {
    const auto accepted = PublishOne(As("care"), envelope);
    EXPECT_TRUE(accepted.ok()) << Why(accepted);
    return accepted.ok() ? accepted->signal_id() : Bytes();
  };
  const auto small = [&](const v1::SubjectRef& subject) {
    return publish(*Seal(As("care"), Avoidance(subject)));
  };
  // More than one message holds, so that the last ones wait.
  const size_t big = limits::kPullBatchBytesMax / 65536 + 1;
  for (size_t i = 0; i < big; ++i) expected.push_back(publish(Big(As("care"), Avoidance(stays))));
  expected.push_back(small(stays));
  const Bytes withdrawn = small(withdraws);
  expected.push_back(small(stays));

  const size_t before = HandedOver(region(), "team");
  RawPull reader(ConnectNarrowly(region(), "team"), 64, 64);
  while (HandedOver(region(), "team") < before + expected.size() + 1) {
  }
  // It is leased and not written: what withdraws it is answered while nobody reads.
  ASSERT_OK(Withdraw(As("care"), consent));
  std::vector<Bytes> arrived;
  v1::PullRequest acknowledge;
  size_t messages = 0;
  while (arrived.size() < expected.size()) {
    const auto message = reader.Read();
    ASSERT_TRUE(message && message->has_deliveries());
    ++messages;
    for (const auto& delivery : message->deliveries().deliveries()) {
      arrived.push_back(SignalOf(delivery));
      acknowledge.mutable_acknowledgements()->add_delivery_ids(delivery.delivery_id());
    }
  }
  EXPECT_EQ(arrived, expected);
  EXPECT_EQ(messages, 2u);
  ASSERT_TRUE(reader.Write(acknowledge));
  auto answer = reader.Read();
  while (answer && !answer->has_settlements()) {
    EXPECT_FALSE(answer->has_deliveries()) << "it goes to nobody";
    answer = reader.Read();
  }
  ASSERT_TRUE(answer.has_value());
  for (const auto& result : answer->settlements().results()) EXPECT_EQ(result.reason(), "");
  ASSERT_OK_AND(const auto records, RecordsAbout(region(), *SignalId::From(withdrawn)));
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_DELIVERY), 1u);
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_DELIVERY_CANCELLED), 1u);
  EXPECT_EQ(CountKind(records, v1::RECORD_KIND_WITHHELD), 1u);
}

}  // namespace
}  // namespace schakel::e2e
