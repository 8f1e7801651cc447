// The log itself: looks are recorded, receipts open leaves, starts find the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/crypto/hash.h"
#include "broker/machine/log_tree.h"
#include "broker/merkle/entry.h"
#include "broker/store/overlay_view.h"
#include "tests/support/machine_fixture.h"

namespace schakel::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

machine::QueryGrant GrantOf(MachineFixture& f, const OrganisationId& who) {
  machine::RecordQuery query;
  query.rpc = "SubjectReport";
  query.subject = Linked("person");
  query.ground = "supervision";
  query.reference = "2026-17";
  auto outcome = f.DoAs(who, query);
  EXPECT_FALSE(outcome.refused);
  return std::get<machine::QueryGrant>(outcome.answer);
}

TEST(RecordQuery, GrantsAnAuditorItsOwnAndThoseThatItAudits) {
  MachineFixture f;
  auto size = f.machine().TreeHead().size;
  auto grant = GrantOf(f, sample::kAuditor);
  EXPECT_FALSE(grant.region);
  EXPECT_THAT(grant.organisations, ElementsAre(sample::kAuditor.str(), sample::kPolice.str()));
  EXPECT_EQ(grant.tree_size, size);
  EXPECT_EQ(grant.receipt.index(), size);
}

TEST(RecordQuery, GrantsTheRegionUntilItsTerm) {
  MachineFixture f;
  EXPECT_TRUE(GrantOf(f, sample::kRegionAuditor).region);
  f.Advance(365 * 24h - 1s);
  EXPECT_TRUE(GrantOf(f, sample::kRegionAuditor).region);
  f.Advance(1s);
  EXPECT_FALSE(GrantOf(f, sample::kRegionAuditor).region);
}

TEST(RecordQuery, IsARecordWithScopeAndReference) {
  MachineFixture f;
  GrantOf(f, sample::kAuditor);
  auto records = f.RecordsOf(v1::RECORD_KIND_QUERY);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].facts().scope(), "own");
  EXPECT_EQ(records[0].facts().reference(), "supervision; 2026-17");
  EXPECT_EQ(records[0].facts().rpc(), "SubjectReport");
  EXPECT_EQ(records[0].SerializeAsString().find(Linked("person").pairs(0).value()), Bytes::npos);
}

TEST(Receipt, OpensItsLeafOfTheTree) {
  MachineFixture f;
  auto accepted = f.Accept(f.Arrears());
  const auto& receipt = accepted.receipts(0);
  auto salt = merkle::RecordSalt::From(receipt.salt());
  ASSERT_TRUE(salt);
  auto entry = machine::ReadEntry(f.state(), receipt.index());
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(merkle::EntryOf(*salt, receipt.record()), *entry);
  v1::Record record;
  ASSERT_TRUE(record.ParseFromString(receipt.record()));
  EXPECT_EQ(record.index(), receipt.index());
  EXPECT_EQ(record.position(), receipt.position());
  EXPECT_EQ(record.SerializeAsString(), receipt.record());
}

TEST(Receipt, OfADeliveryOpensTheLeafOfItsReader) {
  MachineFixture f;
  f.Accept(f.Arrears());
  auto leased = f.Pull(sample::kDebtRelief);
  const auto& receipt = leased.items.at(0).delivery.signal().receipts(0);
  auto entry = machine::ReadEntry(f.state(), receipt.index());
  EXPECT_EQ(merkle::EntryOf(*merkle::RecordSalt::From(receipt.salt()), receipt.record()), *entry);
  v1::Record record;
  ASSERT_TRUE(record.ParseFromString(receipt.record()));
  EXPECT_EQ(record.kind(), v1::RECORD_KIND_DELIVERY);
  EXPECT_EQ(record.organisation(), sample::kDebtRelief.str());
}

TEST(AuditLog, CommitsToTheDetailBesideEachRecord) {
  MachineFixture f;
  f.Accept(f.Arrears());
  auto raw = f.state().Contents(store::Family::kRecords).rbegin()->second;
  state::v1::StoredRecord stored;
  ASSERT_TRUE(stored.ParseFromString(raw));
  v1::Record record;
  ASSERT_TRUE(record.ParseFromString(stored.record()));
  auto commitment =
      merkle::DetailCommitment(*merkle::DetailSalt::From(stored.detail_salt()), stored.detail());
  EXPECT_EQ(record.detail_commitment(), commitment.str());
}

TEST(AuditLog, HasTheRootOfItsEntriesAfterAnyStart) {
  MachineFixture f;
  for (int i = 0; i < 300; ++i) f.Accept(f.Arrears());
  merkle::Frontier textbook;
  auto size = f.machine().TreeHead().size;
  ASSERT_GT(size, 256u);  // more than a tile
  for (uint64_t i = 0; i < size; ++i) {
    textbook.Append(*machine::ReadEntry(f.state(), i));
  }
  EXPECT_EQ(textbook.Root(), f.machine().TreeHead().root);
  f.Reload();
  EXPECT_EQ(textbook.Root(), f.machine().TreeHead().root);
}

TEST(AuditLog, DoesNotStartOnAStateThatDoesNotHoldTogether) {
  MachineFixture f;
  store::Batch batch;
  batch.Delete(store::Family::kTiles, machine::keys::Frontier());
  ASSERT_TRUE(f.state().Commit(batch, f.machine().meta().position() + 1).ok());
  auto loaded = machine::Machine::Load(f.state());
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, ErrorCode::kDataLoss);
}

TEST(AuditLog, StopsAtAStoreThatCannotBeRead) {
  class Broken final : public store::StateReader {
   public:
    Result<std::optional<Bytes>> Get(store::Family, BytesView) const override {
      return MakeError(ErrorCode::kUnavailable, "STORE_IO", "no disk");
    }
    Status Scan(store::Family, BytesView, BytesView, const store::Visitor&) const override {
      return MakeError(ErrorCode::kUnavailable, "STORE_IO", "no disk");
    }
    Status ScanReverse(store::Family, BytesView, BytesView, const store::Visitor&) const override {
      return MakeError(ErrorCode::kUnavailable, "STORE_IO", "no disk");
    }
  };
  MachineFixture f;
  const auto command = f.Make(machine::Tick{});
  store::Batch batch;
  auto outcome = f.machine().Apply(Broken(), &batch, command);
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().reason, "STORE_IO");
}

TEST(Recover, RecordsTheOldOriginWithBothSizesAndRoots) {
  MachineFixture f;
  machine::Recover recover{"zhz.example/schakel/2", "key", 17, crypto::Sha256("root")};
  auto size = f.machine().TreeHead().size;
  ASSERT_FALSE(f.Do(recover).refused);
  auto record = f.Records().back();
  EXPECT_EQ(record.kind(), v1::RECORD_KIND_MODE_CHANGE);
  EXPECT_NE(record.facts().text().find("zhz.example/schakel/1"), std::string::npos);
  EXPECT_EQ(record.facts().head_size(), 17u);
  EXPECT_EQ(record.facts().store_size(), size);
  EXPECT_EQ(f.machine().meta().origin(), "zhz.example/schakel/2");
  ASSERT_FALSE(f.Do(machine::AcceptTime{}).refused);
  EXPECT_EQ(f.Records().back().facts().text(), "accept-time");
}

// INVARIANT I6: a batch's boundaries are nowhere in the state.
TEST(Machine, GivesTheSameStateWhateverTheBatches) {
  MachineFixture one;
  MachineFixture two;
  std::vector<machine::Command> commands;
  auto tenant = Linked("person");
  commands.push_back(one.Make(one.Statement({.recorder = sample::kCare, .subject = tenant}),
                              one.CallerOf(sample::kCare)));
  for (int i = 0; i < 20; ++i) {
    commands.push_back(one.Make(machine::PublishEnvelope{one.Parsed(one.Avoidance(tenant))},
                                one.CallerOf(sample::kCare)));
    commands.push_back(
        one.Make(machine::Deliver{1, 1 << 20, 60s, {}}, one.CallerOf(sample::kTeam)));
  }
  auto run = [&](MachineFixture& f, size_t batch_commands) {
    for (size_t begin = 0; begin < commands.size(); begin += batch_commands) {
      store::Batch batch;
      const store::OverlayView view(f.state(), {&batch});
      uint64_t position = 0;
      for (size_t i = begin; i < std::min(begin + batch_commands, commands.size()); ++i) {
        auto outcome = f.machine().Apply(view, &batch, commands[i]);
        ASSERT_TRUE(outcome.ok());
        ASSERT_FALSE(outcome->refused);
        position = outcome->position;
      }
      f.machine().FinishBatch(&batch);
      ASSERT_TRUE(f.state().Commit(batch, position).ok());
      if (batch_commands > 1) f.Reload();
    }
  };
  run(one, 1);
  run(two, 7);
  EXPECT_TRUE(one.state().SameState(two.state()));
  EXPECT_EQ(one.machine().TreeHead(), two.machine().TreeHead());
}

}  // namespace
}  // namespace schakel::testing
