// Deliveries and acknowledgements that travel together, with a real broker.
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "broker/base/limits.h"
#include "clients/sdk/publisher.h"
#include "tests/e2e/story.h"
#include "tests/e2e/wire.h"

namespace schakel::e2e {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PullBatches : public RegionTest {
 protected:
  void SetUp() override { ASSERT_OK(EmptyInbox(As("debt-relief"))); }

  static std::shared_ptr<sdk::Connection> Connection() {
    auto connection = As("debt-relief").connection();
    EXPECT_TRUE(connection.ok()) << Why(connection);
    return *connection;
  }
  // Waiting signals; their ids in the order in which they came in.
  static std::vector<Bytes> SendArrears(int count) {
    std::vector<Bytes> ids;
    for (int i = 0; i < count; ++i) {
      const auto accepted = PublishOne(As("corporation"), *Seal(As("corporation"), Arrears()));
      EXPECT_TRUE(accepted.ok()) << Why(accepted);
      if (accepted.ok()) ids.push_back(accepted->signal_id());
    }
    return ids;
  }
  static Bytes SignalOf(const v1::Delivery& delivery) {
    v1::Header header;
    EXPECT_TRUE(header.ParseFromString(delivery.signal().header()));
    return header.signal_id();
  }
  static v1::PullRequest Acknowledging(const std::vector<Bytes>& ids) {
    v1::PullRequest request;
    for (const auto& id : ids) request.mutable_acknowledgements()->add_delivery_ids(id);
    return request;
  }
  // The next message that is not the word that nothing waits.
  static v1::PullResponse NextOf(RawPull& stream) {
    auto message = stream.Read();
    while (message && message->has_idle()) message = stream.Read();
    EXPECT_TRUE(message.has_value());
    return message.value_or(v1::PullResponse());
  }
  // Takes `count` deliveries, however they come; at most `most` at a time.
  static std::vector<v1::Delivery> Take(RawPull& stream, size_t count, int most) {
    std::vector<v1::Delivery> taken;
    while (taken.size() < count) {
      const auto message = NextOf(stream);
      if (!message.has_deliveries()) {
        ADD_FAILURE() << message.ShortDebugString();
        break;
      }
      EXPECT_LE(message.deliveries().deliveries_size(), most);
      EXPECT_GE(message.deliveries().deliveries_size(), 1);
      for (const auto& delivery : message.deliveries().deliveries()) taken.push_back(delivery);
    }
    return taken;
  }
  // Acknowledges them; the next thing that comes is the answer.
  static void Settle(RawPull& stream, const std::vector<v1::Delivery>& deliveries) {
    ASSERT_TRUE(stream.Write(Acknowledging(IdsOf(deliveries))));
    const auto answer = NextOf(stream);
    ASSERT_THAT(answer.settlements().results(), SizeIs(deliveries.size()));
    for (const auto& result : answer.settlements().results()) EXPECT_EQ(result.reason(), "");
  }
  static std::vector<Bytes> IdsOf(const std::vector<v1::Delivery>& deliveries) {
    std::vector<Bytes> ids;
    for (const auto& delivery : deliveries) ids.push_back(delivery.delivery_id());
    return ids;
  }
};

TEST_F(PullBatches, WhatWaitsComesInOneMessageInItsOrderAndIsAcknowledgedInOne) {
  const auto sent = SendArrears(10);
  RawPull stream(Connection(), 64, 64);
  const auto message = NextOf(stream);
  ASSERT_THAT(message.deliveries().deliveries(), SizeIs(10));
  std::vector<Bytes> ids;
  for (int i = 0; i < 10; ++i) {
    const auto& delivery = message.deliveries().deliveries(i);
    EXPECT_EQ(SignalOf(delivery), sent[static_cast<size_t>(i)]);
    ASSERT_OK(Open(As("debt-relief"), delivery));
    ids.push_back(delivery.delivery_id());
  }
  const auto idle = stream.Read();
  EXPECT_TRUE(idle && idle->has_idle());
  std::swap(ids[2], ids[7]);  // in any order
  ASSERT_TRUE(stream.Write(Acknowledging(ids)));
  const auto answer = NextOf(stream);
  ASSERT_THAT(answer.settlements().results(), SizeIs(10));
  std::set<uint64_t> records;
  for (int i = 0; i < 10; ++i) {
    const auto& result = answer.settlements().results(i);
    EXPECT_EQ(result.delivery_id(), ids[static_cast<size_t>(i)]);
    EXPECT_EQ(result.reason(), "");
    EXPECT_GT(result.receipt().position(), 0u);
    EXPECT_FALSE(result.receipt().record().empty());
    records.insert(result.receipt().index());
  }
  EXPECT_THAT(records, SizeIs(10)) << "no record, no effect";
  for (const auto& id : sent) {
    ASSERT_OK_AND(const auto feed, FeedOf(As("corporation"), *SignalId::From(id)));
    EXPECT_EQ(feed.back().outcome().state(), v1::RECIPIENT_STATE_ACKNOWLEDGED);
  }
}

TEST_F(PullBatches, WindowAndBatchSizeBoundWhatComes) {
  SendArrears(20);
  RawPull stream(Connection(), 8, 3);
  const auto first = Take(stream, 8, 3);
  ASSERT_THAT(first, SizeIs(8));
  // The window is full: what comes next is the answer, and then as many as were settled.
  Settle(stream, {first.begin(), first.begin() + 5});
  std::vector<v1::Delivery> held(first.begin() + 5, first.end());
  const auto take = [&](size_t count) {
    const auto taken = Take(stream, count, 3);
    EXPECT_THAT(taken, SizeIs(count));
    held.insert(held.end(), taken.begin(), taken.end());
  };
  take(5);
  v1::PullRequest credit;
  credit.mutable_credit()->set_deliveries(4);
  ASSERT_TRUE(stream.Write(credit));
  take(4);
  Settle(stream, std::exchange(held, {}));
  take(3);
  Settle(stream, held);
}

TEST_F(PullBatches, AClientThatDoesNotAskForThemGetsOneByOne) {
  SendArrears(3);
  RawPull stream(Connection(), 16);
  std::vector<v1::PullRequest> acknowledge(3);
  for (auto& request : acknowledge) {
    const auto message = NextOf(stream);
    ASSERT_TRUE(message.has_delivery()) << message.ShortDebugString();
    request.mutable_acknowledge()->set_delivery_id(message.delivery().delivery_id());
  }
  for (const auto& request : acknowledge) ASSERT_TRUE(stream.Write(request));
  for (int i = 0; i < 3; ++i) {
    const auto message = NextOf(stream);
    ASSERT_TRUE(message.has_settlement()) << message.ShortDebugString();
    EXPECT_EQ(message.settlement().reason(), "");
  }
}

TEST_F(PullBatches, WhatCannotBeAcknowledgedIsToldBesideWhatWas) {
  SendArrears(2);
  RawPull stream(Connection(), 16, 16);
  const auto taken = Take(stream, 2, 16);
  const Bytes unknown(16, 'u');
  ASSERT_TRUE(
      stream.Write(Acknowledging({taken[0].delivery_id(), unknown, taken[1].delivery_id()})));
  auto answer = NextOf(stream);
  ASSERT_THAT(answer.settlements().results(), SizeIs(3));
  EXPECT_EQ(answer.settlements().results(0).reason(), "");
  EXPECT_EQ(answer.settlements().results(1).delivery_id(), unknown);
  EXPECT_EQ(answer.settlements().results(1).reason(), "DELIVERY_UNKNOWN");
  EXPECT_FALSE(answer.settlements().results(1).has_receipt());
  EXPECT_EQ(answer.settlements().results(2).reason(), "");
  // Again: the first answer, and no second record.
  ASSERT_TRUE(stream.Write(Acknowledging({taken[0].delivery_id()})));
  const auto again = NextOf(stream);
  ASSERT_THAT(again.settlements().results(), SizeIs(1));
  EXPECT_EQ(again.settlements().results(0).receipt().index(),
            answer.settlements().results(0).receipt().index());
  // Another's delivery is as unknown as one that never was.
  ASSERT_OK_AND(auto other, As("team").connection());
  RawPull thief(other, 16, 16);
  ASSERT_TRUE(thief.Write(Acknowledging({taken[1].delivery_id()})));
  answer = NextOf(thief);
  EXPECT_EQ(answer.settlements().results(0).reason(), "DELIVERY_UNKNOWN");
}

// Publishing, delivering and acknowledging at once, while the broker is killed again and again.
TEST_F(PullBatches, AKilledBrokerLosesNothingAndSettlesNothingTwice) {
  constexpr int kSignals = 400;
  auto own = As("corporation").keys().value()->Current(sdk::Now()).value();
  std::set<Bytes> sent;
  std::vector<sdk::ComposedSignal> signals;
  auto composer = As("corporation").NewComposer().value();
  for (int i = 0; i < kSignals; ++i) {
    signals.push_back(composer->Compose(Arrears(), own, sdk::Now()).value());
    sent.insert(signals.back().id.str());
  }
  ASSERT_OK_AND(auto publisher, sdk::Publisher::Open(As("corporation").connection().value(), own));
  sdk::PullOptions with;
  with.window = 64;
  const auto stream = sdk::PullStream::Open(Connection(), with);
  std::atomic<int> refused = 0;
  std::thread sender([&] {
    for (const auto& signal : signals) {
      auto taken = publisher->Send(signal, [&](const Result<v1::PublishResult>& result) {
        if (!result.ok() || !result->has_accepted()) ++refused;
      });
      if (!taken.ok()) return;
      std::this_thread::sleep_for(milliseconds(2));
    }
  });
  std::map<Bytes, std::set<uint64_t>> receipts;  // of a signal: the records of its settlement
  std::thread reader([&] {
    const auto end = std::chrono::steady_clock::now() + seconds(90);
    while (receipts.size() < kSignals && std::chrono::steady_clock::now() < end) {
      std::vector<DeliveryId> ids;
      std::vector<Bytes> of;
      auto next = stream->Next(milliseconds(200));
      while (next.ok() && *next) {
        ids.push_back(IdOf(**next));
        of.push_back(SignalOf(**next));
        next = stream->Next(milliseconds(0));
      }
      if (!next.ok()) return;
      const auto results = stream->AcknowledgeAll(ids);
      for (size_t i = 0; i < results.size(); ++i) {
        // What was not answered comes again, unless it counted.
        if (results[i].ok()) receipts[of[i]].insert(results[i]->index());
      }
    }
  });
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(milliseconds(250));
    region().KillBroker();
    region().StartBroker();
  }
  sender.join();
  reader.join();
  ASSERT_OK(publisher->Flush(seconds(60)));
  EXPECT_EQ(refused, 0);
  EXPECT_GE(stream->reconnects(), 1u);
  stream->Close();
  ASSERT_OK_AND(const auto waiting, FetchAll(As("debt-relief")));
  EXPECT_THAT(waiting, IsEmpty());
  // By the log each of them was settled, and once.
  v1::RecordFilter filter;
  filter.add_kinds(v1::RECORD_KIND_ACKNOWLEDGEMENT);
  filter.set_organisation(OinOf("debt-relief").str());
  ASSERT_OK_AND(const auto records, QueryAs(As("region-auditor"), filter));
  std::map<Bytes, std::set<uint64_t>> settled;
  for (const auto& record : records) {
    if (sent.contains(record.signal_id())) settled[record.signal_id()].insert(record.index());
  }
  EXPECT_EQ(settled.size(), sent.size());
  for (const auto& [signal, of] : settled) EXPECT_THAT(of, SizeIs(1));
  for (const auto& [signal, of] : receipts) EXPECT_EQ(of, settled[signal]);
}

}  // namespace
}  // namespace schakel::e2e
