// Bad input over the wire: every field of every request, missing, oversized, malformed and
// contradicting others. Each is refused with its reason and field, and nothing changes.
#include "broker/crypto/ristretto.h"
#include "schakel/v1/custodian.grpc.pb.h"
#include "tests/e2e/bad_input/check.h"
#include "tests/e2e/bad_input/noise.h"

namespace schakel::e2e {
namespace {

class BadInput : public RegionTest {
 protected:
  static void SetUpTestSuite() {
    RegionTest::SetUpTestSuite();
    world_ = new World(region());
  }
  static void TearDownTestSuite() {
    delete world_;
    world_ = nullptr;
    RegionTest::TearDownTestSuite();
  }
  static World& world() { return *world_; }
  static void Play(std::vector<RpcTable> tables, const std::string& service) {
    CheckComplete({service}, tables);
    PlayBrokerTables(world(), tables);
  }

 private:
  static inline World* world_ = nullptr;
};

TEST_F(BadInput, OfEnvelopesAndOtherSignalRequests) {
  auto tables = PublishTables(world());
  for (auto& table : SignalTables(world())) tables.push_back(std::move(table));
  Play(std::move(tables), "schakel.v1.SignalService");
}

TEST_F(BadInput, OfTheInbox) { Play(InboxTables(world()), "schakel.v1.InboxService"); }

TEST_F(BadInput, OfConsent) { Play(ConsentTables(world()), "schakel.v1.ConsentService"); }

TEST_F(BadInput, OfTheDirectory) { Play(DirectoryTables(world()), "schakel.v1.DirectoryService"); }

TEST_F(BadInput, OfPolicy) { Play(PolicyTables(world()), "schakel.v1.PolicyService"); }

TEST_F(BadInput, OfAudit) { Play(AuditTables(world()), "schakel.v1.AuditService"); }

TEST_F(BadInput, OfFigures) { Play(FlowTables(world()), "schakel.v1.FlowService"); }

TEST_F(BadInput, OfHealthAndReflection) {
  auto tables = PeerTables("care");
  CheckComplete({"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"}, tables);
  PlayBrokerTables(world(), tables);
}

// One evaluation for the police; the index of its record in the custodian's log.
uint64_t RecordOfAnEvaluation(World& world) {
  v1::EvaluateRequest request;
  request.set_epoch(1);
  request.add_blinded_elements(crypto::Point::Generator().str());
  const auto answer = CallRaw(world.ToCustodian("police"), "schakel.v1.CustodianService.Evaluate",
                              {request.SerializeAsString()});
  v1::EvaluateResponse response;
  EXPECT_EQ(answer.messages.size(), 1u);
  EXPECT_TRUE(response.ParseFromString(answer.messages.at(0)));
  return response.receipt().index();
}

uint32_t LeftToday(World& world) {
  const auto answer =
      CallRaw(world.ToCustodian("police"), "schakel.v1.CustodianService.GetBudget", {Bytes()});
  v1::GetBudgetResponse budget;
  EXPECT_EQ(answer.messages.size(), 1u);
  EXPECT_TRUE(budget.ParseFromString(answer.messages.at(0)));
  return budget.day_remaining();
}

TEST_F(BadInput, OfACustodian) {
  auto tables = CustodianTables(world());
  for (auto& table : PeerTables("police")) {
    // A custodian shows its services to nobody.
    if (!table.method().starts_with("grpc.reflection.")) tables.push_back(std::move(table));
  }
  CheckComplete({"schakel.v1.CustodianService", "grpc.health.v1.Health"}, tables);
  const auto to_custodian = [](const std::string& name) -> const sdk::Connection& {
    return world().ToCustodian(name);
  };
  const uint64_t before = RecordOfAnEvaluation(world());
  const uint32_t left = LeftToday(world());
  SendRows(to_custodian, tables);
  SendNoMessages(to_custodian, tables);
  EXPECT_EQ(LeftToday(world()), left);
  EXPECT_EQ(RecordOfAnEvaluation(world()), before + 1) << "a refused request has a record";
  EXPECT_EQ(LeftToday(world()), left - 1);
  SendValid(to_custodian, tables);
}

TEST_F(BadInput, AsNoiseOnThePorts) { ExpectNoiseDoesNothing(world()); }

}  // namespace
}  // namespace schakel::e2e
