// Deliveries and acknowledgements that travel together, and a broker that is away for a while.
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "broker/base/limits.h"
#include "clients/sdk/pull_stream.h"
#include "tests/unit/sdk/fake_server.h"

namespace schakel::sdk {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Delivers all it has in one message, reads acknowledgements while it may, and keeps what came in.
class BatchInbox final : public v1::InboxService::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::PullResponse, v1::PullRequest>;

  grpc::Status Pull(grpc::ServerContext*, Stream* stream) override {
    ++streams;
    v1::PullRequest request;
    if (!stream->Read(&request)) return grpc::Status::OK;
    batch_max = request.open().batch_max();
    v1::PullResponse deliveries;
    for (int i = 0; i < items; ++i) {
      auto* delivery = deliveries.mutable_deliveries()->add_deliveries();
      delivery->set_delivery_id(IdOf(i).str());
      delivery->mutable_notice()->set_kind(v1::NOTICE_KIND_CONSENT_WITHDRAWN);
    }
    stream->Write(deliveries);
    while (stream->Read(&request)) {
      std::vector<Bytes> ids(request.acknowledgements().delivery_ids().begin(),
                             request.acknowledgements().delivery_ids().end());
      {
        std::unique_lock lock(mutex);
        messages.push_back(ids);
        changed.notify_all();
        changed.wait(lock, [&] { return !held; });
      }
      if (breaks) return Refused(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING");
      v1::PullResponse response;
      for (const auto& id : ids) {
        auto* result = response.mutable_settlements()->add_results();
        result->set_delivery_id(id);
        if (id == unknown) {
          result->set_reason("DELIVERY_UNKNOWN");
        } else {
          result->mutable_receipt()->set_index(static_cast<uint64_t>(id.back()));
        }
      }
      stream->Write(response);
    }
    return grpc::Status::OK;
  }
  grpc::Status Acknowledge(grpc::ServerContext*, const v1::AcknowledgeRequest*,
                           v1::AcknowledgeResponse* response) override {
    ++unary;
    if (away) return Refused(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING", 60'000);
    response->mutable_receipt()->set_index(7);
    return grpc::Status::OK;
  }

  static DeliveryId IdOf(int place) {
    return *DeliveryId::From(Bytes(14, 'd') + static_cast<char>(place / 100) +
                             static_cast<char>(place % 100));
  }
  void WaitForMessages(size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return messages.size() >= count; });
  }
  void Hold(bool on) {
    const std::lock_guard lock(mutex);
    held = on;
    changed.notify_all();
  }

  int items = 10;
  bool breaks = false;
  bool away = false;
  Bytes unknown;
  std::atomic<int> streams = 0;
  std::atomic<uint32_t> batch_max = 0;
  std::atomic<int> unary = 0;
  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  bool held = false;  // messages are read, one, and not answered
  std::vector<std::vector<Bytes>> messages;
};

class PullingBatches : public ::testing::Test {
 protected:
  std::unique_ptr<PullStream> Open(uint32_t window = 256) {
    PullOptions options;
    options.window = window;
    return PullStream::Open(server_.Connect(), options);
  }
  // Takes `count` items in their order.
  static std::vector<DeliveryId> Take(PullStream& stream, int count) {
    std::vector<DeliveryId> ids;
    for (int i = 0; i < count; ++i) {
      const auto next = stream.Next(seconds(5));
      if (!next.ok() || !*next) break;
      ids.push_back(*DeliveryId::From((*next)->delivery_id()));
      EXPECT_EQ(ids.back(), BatchInbox::IdOf(i));
    }
    EXPECT_EQ(ids.size(), static_cast<size_t>(count));
    return ids;
  }
  BatchInbox inbox_;
  FakeServer server_{{&inbox_}};
};

TEST_F(PullingBatches, AsksForBatchesAndGivesTheirItemsOneByOne) {
  auto stream = Open();
  Take(*stream, 10);
  EXPECT_EQ(inbox_.batch_max, limits::kPullBatchMax);
  auto narrow = Open(3);
  Take(*narrow, 1);
  EXPECT_EQ(inbox_.batch_max, 3u) << "no more than may be unsettled";
}

TEST_F(PullingBatches, AcknowledgesSeveralInOneMessageAndTellsOfEach) {
  inbox_.unknown = BatchInbox::IdOf(4).str();
  auto stream = Open();
  const auto results = stream->AcknowledgeAll(Take(*stream, 10));
  ASSERT_EQ(results.size(), 10u);
  for (size_t i = 0; i < results.size(); ++i) {
    if (i == 4) {
      ASSERT_FALSE(results[i].ok());
      EXPECT_EQ(results[i].error().reason, "DELIVERY_UNKNOWN");
      EXPECT_EQ(results[i].error().code, ErrorCode::kNotFound);
    } else {
      ASSERT_TRUE(results[i].ok()) << results[i].error().message;
      EXPECT_EQ(results[i]->index(), i);
    }
  }
  EXPECT_EQ(inbox_.messages.size(), 1u);
  EXPECT_TRUE(stream->AcknowledgeAll({}).empty());
}

TEST_F(PullingBatches, NoMessageHoldsMoreThanTheBrokerTakes) {
  inbox_.items = 300;
  auto stream = Open();
  for (const auto& result : stream->AcknowledgeAll(Take(*stream, 300))) EXPECT_TRUE(result.ok());
  ASSERT_EQ(inbox_.messages.size(), 2u);
  EXPECT_EQ(inbox_.messages[0].size(), limits::kAcknowledgementsMax);
  EXPECT_EQ(inbox_.messages[1].size(), 300 - limits::kAcknowledgementsMax);
}

TEST_F(PullingBatches, OneThatIsAcknowledgedTwiceAtOnceStandsInNoMessageTwice) {
  auto stream = Open();
  auto ids = Take(*stream, 2);
  ids.push_back(ids[0]);
  for (const auto& result : stream->AcknowledgeAll(ids)) EXPECT_TRUE(result.ok());
  ASSERT_EQ(inbox_.messages.size(), 2u);
  EXPECT_EQ(inbox_.messages[1], std::vector<Bytes>{ids[0].str()});
}

TEST_F(PullingBatches, EachIsMadeByACallOfItsOwnWhenTheStreamBreaksMeanwhile) {
  inbox_.breaks = true;
  auto stream = Open();
  for (const auto& result : stream->AcknowledgeAll(Take(*stream, 10))) {
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(result->index(), 7u);
  }
  EXPECT_EQ(inbox_.unary, 10);
}

TEST_F(PullingBatches, ABrokerThatIsNotReachedIsNotAskedForEachOfThem) {
  inbox_.breaks = true;
  inbox_.away = true;
  auto stream = Open();
  for (const auto& result : stream->AcknowledgeAll(Take(*stream, 10))) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().reason, "NOT_SERVING");
  }
  EXPECT_EQ(inbox_.unary, 1);
}

TEST_F(PullingBatches, AcknowledgementsThatComeWhileAMessageIsUnderWayGoTogether) {
  inbox_.Hold(true);
  auto stream = Open();
  const auto ids = Take(*stream, 10);
  std::vector<std::thread> threads;
  const auto acknowledge = [&](size_t place) {
    threads.emplace_back([&, place] { EXPECT_TRUE(stream->Acknowledge(ids[place]).ok()); });
  };
  acknowledge(0);
  inbox_.WaitForMessages(1);
  // The broker reads no further: one of these is under way, and the others wait for it.
  for (size_t place = 1; place < ids.size(); ++place) acknowledge(place);
  std::this_thread::sleep_for(milliseconds(300));
  inbox_.Hold(false);
  for (auto& thread : threads) thread.join();
  EXPECT_LT(inbox_.messages.size(), ids.size());
}

TEST_F(PullingBatches, AcknowledgementsOfManyThreadsArriveOnceEach) {
  constexpr int kItems = 200;
  inbox_.items = kItems;
  auto stream = Open();
  const auto ids = Take(*stream, kItems);
  std::atomic<size_t> place = 0;
  std::atomic<int> acknowledged = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (size_t next = place++; next < ids.size(); next = place++) {
        const auto receipt = stream->Acknowledge(ids[next]);
        if (receipt.ok() && receipt->index() == next % 100) ++acknowledged;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(acknowledged, kItems);
  std::multiset<Bytes> came;
  for (const auto& message : inbox_.messages) came.insert(message.begin(), message.end());
  std::multiset<Bytes> sent;
  for (const auto& id : ids) sent.insert(id.str());
  EXPECT_EQ(came, sent);
}

// ---- A broker that is away ----

class PullingOverTcp : public ::testing::Test {
 protected:
  void Start() {
    grpc::ServerBuilder builder;
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port_),
                             grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&inbox_);
    server_ = builder.BuildAndStart();
    ASSERT_TRUE(server_);
  }
  void Stop() {
    server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }
  ~PullingOverTcp() override {
    if (server_) Stop();
  }
  std::shared_ptr<Connection> Connect() const {
    grpc::ChannelArguments quick;
    quick.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    quick.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 100);
    quick.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return Connection::Over(grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port_),
                                                      grpc::InsecureChannelCredentials(), quick),
                            TestOptions());
  }
  BatchInbox inbox_;
  int port_ = 0;  // the same from the first start on
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(PullingOverTcp, AStreamThatFindsNobodyWaitsUntilSomebodyIsThereAgain) {
  ASSERT_NO_FATAL_FAILURE(Start());
  auto stream = PullStream::Open(Connect());
  ASSERT_TRUE(stream->Next(seconds(5))->has_value());
  Stop();
  // Until the stream sees its end, what it delivered may still be taken.
  for (int i = 0; i < 1000 && stream->reconnects() == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // A channel that is not connected fails a call at once, unless the call waits for it: then it is
  // opened once in all this time, and not again and again.
  const auto nothing = stream->Next(seconds(2));
  ASSERT_TRUE(nothing.ok()) << nothing.error().message;
  EXPECT_FALSE(nothing->has_value()) << "what the dead stream delivered is forgotten";
  EXPECT_EQ(stream->reconnects(), 1u);
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto again = stream->Next(seconds(5));
  ASSERT_TRUE(again.ok() && again->has_value());
  EXPECT_EQ(stream->reconnects(), 1u);
}

}  // namespace
}  // namespace schakel::sdk
