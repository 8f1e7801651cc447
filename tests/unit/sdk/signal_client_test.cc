#include "clients/sdk/signal_client.h"

#include "tests/unit/sdk/fake_server.h"

namespace schakel::sdk {
namespace {

using client::v1::OUTBOX_STATE_ANSWERED;
using client::v1::OUTBOX_STATE_FAILED;
using client::v1::OUTBOX_STATE_PREPARED;

// Takes every signal; keeps what it got.
class Broker final : public v1::SignalService::Service {
 public:
  grpc::Status Publish(grpc::ServerContext*, const v1::PublishRequest* request,
                       v1::PublishResponse* response) override {
    std::vector<std::string> ids;
    for (const auto& envelope : request->envelopes()) {
      got.push_back(envelope.SerializeAsString());
      v1::Header header;
      header.ParseFromString(envelope.header());
      ids.push_back(header.signal_id());
    }
    if (!fails.ok()) return fails;
    for (const auto& id : ids) {
      if (!refuses.ok()) {
        response->add_results()->mutable_error()->ParseFromString(refuses.error_details());
        continue;
      }
      auto* accepted = response->add_results()->mutable_accepted();
      accepted->set_signal_id(id);
      for (const auto state : states) accepted->add_outcomes()->set_state(state);
    }
    if (drops_results) response->clear_results();
    return grpc::Status::OK;
  }
  grpc::Status AttachSubject(grpc::ServerContext*, const v1::AttachSubjectRequest* request,
                             v1::AttachSubjectResponse*) override {
    attached = *request;
    return grpc::Status::OK;
  }

  std::vector<std::string> got;
  grpc::Status fails;    // of the whole call
  grpc::Status refuses;  // of each envelope
  std::vector<v1::RecipientState> states = {v1::RECIPIENT_STATE_QUEUED, v1::RECIPIENT_STATE_QUEUED};
  bool drops_results = false;
  v1::AttachSubjectRequest attached;
};

class Sending : public ::testing::Test {
 protected:
  Sending() {
    region_.Admit(kPolice, "police", {"zuid-holland-zuid"}, true);
    region_.Admit(kCentre, "safety-house", {"zuid-holland-zuid"}, true);
    region_.Admit(kTeam, "municipality", {"dordrecht"}, true);
  }
  Result<SendResult> Send(const SignalDraft& draft, const std::string& key = "") {
    return client_.Send(composer_, draft, region_.KeysOf(kPolice), key);
  }

  Region region_;
  Broker broker_;
  FakeServer server_{{&broker_}};
  Outbox outbox_ = Outbox::Open(region_.path() / "outbox").value();
  SignalClient client_{server_.Connect(TestOptions(std::chrono::milliseconds(500))), outbox_};
  Composer composer_ = region_.NewComposer(kPolice);
};

TEST_F(Sending, GoesThroughTheOutbox) {
  const auto sent = Send(ViolenceReport(), "ref-1");
  ASSERT_TRUE(sent.ok()) << sent.error().message;
  EXPECT_TRUE(sent->accepted());
  EXPECT_TRUE(sent->all_queued());
  EXPECT_FALSE(sent->repeated);
  EXPECT_EQ(sent->entry.state(), OUTBOX_STATE_ANSWERED);
  ASSERT_EQ(broker_.got.size(), 1u);

  const auto again = Send(ViolenceReport(), "ref-1");
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->repeated);
  EXPECT_EQ(again->entry.signal_id(), sent->entry.signal_id());
  EXPECT_EQ(broker_.got.size(), 1u) << "the answer of then; nothing was sent";

  auto other = ViolenceReport();
  other.sections.pop_back();
  EXPECT_EQ(Send(other, "ref-1").error().reason, "KEY_REUSED");
  EXPECT_TRUE(Send(other, "ref-2").ok());
}

TEST_F(Sending, SendsTheSameBytesAgainAfterAFailure) {
  broker_.fails = Refused(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING");
  const auto failed = Send(ViolenceReport(), "ref-1");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().reason, "NOT_SERVING");
  const auto id = UuidParse(failed.error().field);
  ASSERT_TRUE(id) << failed.error().field;
  EXPECT_EQ(outbox_.Get(*SignalId::From(*id))->state(), OUTBOX_STATE_PREPARED);
  broker_.fails = grpc::Status::OK;
  const auto sent = Send(ViolenceReport(), "ref-1");
  ASSERT_TRUE(sent.ok());
  EXPECT_EQ(sent->entry.signal_id(), *id);
  ASSERT_GE(broker_.got.size(), 2u);
  for (const auto& bytes : broker_.got) EXPECT_EQ(bytes, broker_.got[0]);
  const auto resent = client_.Resend(*SignalId::From(*id));
  EXPECT_TRUE(resent->repeated);
}

TEST_F(Sending, GivesItsKeyANewIdOnlyAfterTooOld) {
  broker_.refuses = Refused(grpc::StatusCode::FAILED_PRECONDITION, "KEY_SET_UNKNOWN");
  const auto refused = Send(ViolenceReport(), "ref-1");
  ASSERT_TRUE(refused.ok());
  EXPECT_FALSE(refused->accepted());
  EXPECT_FALSE(refused->all_queued());
  EXPECT_EQ(refused->entry.state(), OUTBOX_STATE_PREPARED);
  EXPECT_EQ(Send(ViolenceReport(), "ref-1")->entry.signal_id(), refused->entry.signal_id());
  broker_.refuses = Refused(grpc::StatusCode::FAILED_PRECONDITION, "CREATED_TOO_OLD");
  EXPECT_EQ(Send(ViolenceReport(), "ref-1")->entry.state(), OUTBOX_STATE_FAILED);
  broker_.refuses = grpc::Status::OK;
  const auto anew = Send(ViolenceReport(), "ref-1");
  ASSERT_TRUE(anew.ok());
  EXPECT_TRUE(anew->accepted());
  EXPECT_NE(anew->entry.signal_id(), refused->entry.signal_id());
}

TEST_F(Sending, TellsADenialFromAQueuedSignal) {
  broker_.states = {v1::RECIPIENT_STATE_QUEUED, v1::RECIPIENT_STATE_DENIED};
  const auto sent = Send(ViolenceReport());
  ASSERT_TRUE(sent.ok());
  EXPECT_TRUE(sent->accepted());
  EXPECT_FALSE(sent->all_queued());
}

TEST_F(Sending, LeavesTheOutboxAloneWhenNothingCanBeSealed) {
  auto draft = ViolenceReport();
  draft.purpose = "curiosity";
  EXPECT_EQ(Send(draft, "ref-1").error().reason, "UNKNOWN_CODE");
  EXPECT_EQ(outbox_.List()->size(), 0u);
  EXPECT_TRUE(broker_.got.empty());
}

TEST_F(Sending, RefusesAnAnswerThatFitsNoQuestion) {
  broker_.drops_results = true;
  EXPECT_EQ(Send(ViolenceReport()).error().code, ErrorCode::kDataLoss);
  EXPECT_EQ(outbox_.List()->front().state(), OUTBOX_STATE_PREPARED);
}

TEST_F(Sending, TakesABatchInOneCall) {
  std::vector<SignalDraft> drafts;
  for (int i = 0; i < 3; ++i) drafts.push_back(ViolenceReport());
  const auto sent = client_.SendBatch(composer_, drafts, region_.KeysOf(kPolice));
  ASSERT_TRUE(sent.ok()) << sent.error().message;
  ASSERT_EQ(sent->size(), 3u);
  EXPECT_EQ(broker_.got.size(), 3u);
  for (const auto& one : *sent) EXPECT_TRUE(one.accepted());
}

TEST_F(Sending, AttachesASubject) {
  const SubjectLabel label = *SubjectLabel::From(Bytes(16, 'l'));
  const SignalId id = *SignalId::From(Bytes(16, 's'));
  ASSERT_TRUE(client_.AttachSubject(id, kLandlord, label, Linked("one")).ok());
  EXPECT_EQ(broker_.attached.sender(), kLandlord.str());
  EXPECT_EQ(broker_.attached.subject_label(), Bytes(16, 'l'));
  EXPECT_EQ(broker_.attached.request_id().size(), 16u);
}

}  // namespace
}  // namespace schakel::sdk
