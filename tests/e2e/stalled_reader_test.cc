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
std::shared_ptr<sdk::Connection> ConnectNarrowly(Region& region) {
  const auto& certificate = region.CertificateOf("debt-relief");
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

// Arrears with three sections of 64 KiB: nobody can open them, but the broker can't tell.
v1::Envelope BigArrears(sdk::Session& from) {
  auto envelope = Seal(from, Arrears());
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

// How many deliveries there were to debt-relief, by their records.
size_t HandedOver(Region& region) {
  v1::RecordFilter filter;
  filter.add_kinds(v1::RECORD_KIND_DELIVERY);
  filter.set_organisation(region.OinOf("debt-relief").str());
  const auto records = QueryAs(region.As("region-auditor"), filter);
  EXPECT_TRUE(records.ok()) << Why(records);
  return records.ok() ? records->size() : 0;
}

TEST_F(Leases, AReaderThatStopsReadingCostsABoundedAmountIsClosedAfter30SecondsAndLosesNothing) {
  constexpr size_t kSignals = 48;
  std::set<Bytes> sent;
  size_t item_bytes = 0;
  for (size_t i = 0; i < kSignals; ++i) {
    const auto envelope = BigArrears(As("corporation"));
    item_bytes = envelope.ByteSizeLong();
    ASSERT_OK_AND(const auto accepted, PublishOne(As("corporation"), envelope));
    sent.insert(accepted.signal_id());
  }
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

}  // namespace
}  // namespace schakel::e2e
