#include "clients/sdk/pull_stream.h"

#include <condition_variable>
#include <mutex>

#include "tests/unit/sdk/fake_server.h"

namespace schakel::sdk {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Delivers `per_stream` items on each stream, answers settlements as told.
class Inbox final : public v1::InboxService::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::PullResponse, v1::PullRequest>;

  grpc::Status Pull(grpc::ServerContext*, Stream* stream) override {
    const int number = ++streams;
    v1::PullRequest request;
    if (!stream->Read(&request) || !request.has_open()) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "no open"};
    }
    window = request.open().window();
    if (number <= static_cast<int>(fails_first.size())) {
      return fails_first[static_cast<size_t>(number - 1)];
    }
    for (int i = 0; i < per_stream; ++i) {
      v1::PullResponse response;
      auto* delivery = response.mutable_delivery();
      delivery->set_delivery_id(std::string(15, static_cast<char>('0' + number)) +
                                static_cast<char>('a' + i));
      delivery->mutable_notice()->set_kind(v1::NOTICE_KIND_CONSENT_WITHDRAWN);
      stream->Write(response);
    }
    v1::PullResponse idle;
    idle.mutable_idle();
    stream->Write(idle);
    while (stream->Read(&request)) {
      if (breaks_on_settlement && number == 1)
        return Refused(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING");
      v1::PullResponse response;
      auto* settlement = response.mutable_settlement();
      settlement->set_delivery_id(IdOf(request));
      settlement->set_reason(reason);
      settlement->mutable_receipt()->set_index(42);
      stream->Write(response);
    }
    return grpc::Status::OK;
  }
  grpc::Status Acknowledge(grpc::ServerContext*, const v1::AcknowledgeRequest* request,
                           v1::AcknowledgeResponse* response) override {
    const std::lock_guard guard(mutex);
    unary.push_back(request->delivery_id());
    response->mutable_receipt()->set_index(7);
    return grpc::Status::OK;
  }

  static std::string IdOf(const v1::PullRequest& request) {
    if (request.has_acknowledge()) return request.acknowledge().delivery_id();
    if (request.has_refuse()) return request.refuse().delivery_id();
    if (request.has_release()) return request.release().delivery_id();
    return request.extend().delivery_id();
  }

  int per_stream = 2;
  std::vector<grpc::Status> fails_first;
  bool breaks_on_settlement = false;
  std::string reason;
  std::atomic<int> streams = 0;
  std::atomic<uint32_t> window = 0;
  std::mutex mutex;
  std::vector<std::string> unary;
};

class Pulling : public ::testing::Test {
 protected:
  std::unique_ptr<PullStream> Open(PullOptions options = {}) {
    return PullStream::Open(server_.Connect(), options);
  }
  static DeliveryId IdOf(const v1::Delivery& delivery) {
    return *DeliveryId::From(delivery.delivery_id());
  }
  v1::Delivery MustNext(PullStream& stream) {
    auto next = stream.Next(seconds(5));
    EXPECT_TRUE(next.ok() && next->has_value());
    return next.ok() && *next ? **next : v1::Delivery();
  }
  Inbox inbox_;
  FakeServer server_{{&inbox_}};
};

TEST_F(Pulling, GivesDeliveriesAndSettlesOnTheStream) {
  auto stream = Open({4, seconds(120)});
  const auto first = MustNext(*stream);
  const auto second = MustNext(*stream);
  EXPECT_EQ(inbox_.window, 4u);
  EXPECT_NE(first.delivery_id(), second.delivery_id());
  const auto receipt = stream->Acknowledge(IdOf(first));
  ASSERT_TRUE(receipt.ok()) << receipt.error().message;
  EXPECT_EQ(receipt->index(), 42u);
  EXPECT_TRUE(stream->Extend(IdOf(second), seconds(60)).ok());
  EXPECT_TRUE(stream->Release(IdOf(second)).ok());
  EXPECT_TRUE(stream->Refuse(IdOf(second), {"not ours", "", std::nullopt}).ok());
  EXPECT_TRUE(inbox_.unary.empty());
  const auto nothing = stream->Next(milliseconds(20));
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->has_value());
  EXPECT_TRUE(stream->idle());
}

TEST_F(Pulling, TellsWhyASettlementWasNotDone) {
  inbox_.reason = "LEASE_LOST";
  auto stream = Open();
  const auto refused = stream->Acknowledge(IdOf(MustNext(*stream)));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, "LEASE_LOST");
}

TEST_F(Pulling, OpensAgainWhenTheStreamBreaks) {
  inbox_.fails_first = {Refused(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING"),
                        Refused(grpc::StatusCode::RESOURCE_EXHAUSTED, "READER_STALLED")};
  auto stream = Open();
  EXPECT_EQ(MustNext(*stream).delivery_id()[0], '3');
  EXPECT_EQ(stream->reconnects(), 2u);
}

TEST_F(Pulling, SettlesByACallOfItsOwnWhenTheStreamBreaksMeanwhile) {
  inbox_.breaks_on_settlement = true;
  auto stream = Open();
  const auto first = MustNext(*stream);
  const auto receipt = stream->Acknowledge(IdOf(first));
  ASSERT_TRUE(receipt.ok()) << receipt.error().message;
  EXPECT_EQ(receipt->index(), 7u);
  const std::lock_guard guard(inbox_.mutex);
  EXPECT_EQ(inbox_.unary, std::vector<std::string>{first.delivery_id()});
}

TEST_F(Pulling, ForgetsWhatADeadStreamDeliveredAndNobodyTook) {
  inbox_.breaks_on_settlement = true;
  auto stream = Open();
  const auto first = MustNext(*stream);
  EXPECT_EQ(first.delivery_id()[0], '1');
  ASSERT_TRUE(stream->Acknowledge(IdOf(first)).ok());
  EXPECT_EQ(MustNext(*stream).delivery_id()[0], '2') << "the broker released the other one";
}

TEST_F(Pulling, EndsWhenTryingAgainCannotHelp) {
  inbox_.fails_first.assign(5, Refused(grpc::StatusCode::PERMISSION_DENIED, "ROLE_NOT_ALLOWED"));
  auto stream = Open();
  const auto ended = stream->Next(seconds(5));
  ASSERT_FALSE(ended.ok());
  EXPECT_EQ(ended.error().reason, "ROLE_NOT_ALLOWED");
  EXPECT_EQ(inbox_.streams, 1);
}

TEST_F(Pulling, ClosesWhileSomebodyWaits) {
  inbox_.per_stream = 0;
  auto stream = Open();
  std::thread closer([&] {
    while (!stream->idle()) std::this_thread::yield();
    stream->Close();
  });
  const auto next = stream->Next(seconds(30));
  ASSERT_TRUE(next.ok());
  EXPECT_FALSE(next->has_value());
  closer.join();
  stream->Close();
}

}  // namespace
}  // namespace schakel::sdk
