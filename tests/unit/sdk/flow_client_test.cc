// Figures of the chain take long to make.
#include "clients/sdk/flow_client.h"

#include "tests/unit/sdk/fake_server.h"

namespace schakel::sdk {
namespace {

using std::chrono::seconds;

// Is unavailable at first, for a moment, and notes how long each call would wait.
class MomentarilyAwayFlow final : public v1::FlowService::Service {
 public:
  grpc::Status GetFlow(grpc::ServerContext* context, const v1::GetFlowRequest*,
                       v1::GetFlowResponse* response) override {
    waits.push_back(context->deadline() - std::chrono::system_clock::now());
    if (waits.size() == 1) return Refused(grpc::StatusCode::UNAVAILABLE, "NOT_SERVING", 1);
    response->add_tables();
    return grpc::Status::OK;
  }
  std::vector<std::chrono::system_clock::duration> waits;
};

TEST(FlowClient, WaitsLongForTheFiguresAndNoLongerThanOthersForABrokerThatIsAway) {
  MomentarilyAwayFlow flow;
  FakeServer server({&flow});
  FlowClient client(server.Connect(TestOptions(seconds(100))));
  const auto got = client.Get();
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got->tables_size(), 1);
  ASSERT_EQ(flow.waits.size(), 2u);
  EXPECT_GT(flow.waits[0], seconds(500));
  EXPECT_LE(flow.waits[0], seconds(601));
  EXPECT_LE(flow.waits[1], seconds(101));
}

}  // namespace
}  // namespace schakel::sdk
