// Bad input over the wire: every field of every request, missing, oversized, malformed and
// contradicting others. Each is refused with its reason and field, and nothing changes.
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

// What a custodian tells of itself: what is left to the police, and its log.
std::string CustodianSeen(World& world) {
  const auto budget =
      CallRaw(world.ToCustodian("police"), "schakel.v1.CustodianService.GetBudget", {Bytes()});
  const auto log = CallRaw(world.ToCustodian("police"),
                           "schakel.v1.CustodianService.GetLogCheckpoint", {Bytes()});
  EXPECT_EQ(budget.messages.size(), 1u);
  EXPECT_EQ(log.messages.size(), 1u);
  return budget.messages.at(0) + log.messages.at(0);
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
  const std::string before = CustodianSeen(world());
  SendRows(to_custodian, tables);
  SendNoMessages(to_custodian, tables);
  EXPECT_EQ(CustodianSeen(world()), before) << "charged or recorded something";
  SendValid(to_custodian, tables);
  EXPECT_NE(CustodianSeen(world()), before) << "a valid evaluation is charged and recorded";
}

TEST_F(BadInput, AsNoiseOnThePorts) { ExpectNoiseDoesNothing(world()); }

}  // namespace
}  // namespace schakel::e2e
