// The log of a custodian on a store that fails when told to.
#include "broker/custodian/custodian_log.h"

#include <gtest/gtest.h>

#include <thread>

#include "broker/audit/keys.h"
#include "broker/audit/log_reader.h"
#include "broker/custodian/log_query.h"
#include "broker/merkle/entry.h"
#include "broker/merkle/tree.h"
#include "broker/store/testing/memory_state.h"
#include "tests/support/test_pki.h"
#include "tests/unit/custodian/sample.h"

namespace schakel::custodian {
namespace {

using store::Family;
using store::testing::MemoryState;

const CustodianLog::Name kName = {"zhz.example/custodian/1", "zhz.example", "key"};

v1::Record Evaluation() { return RecordAbout(v1::RECORD_KIND_EVALUATION, Who()); }

std::unique_ptr<CustodianLog> Begin(MemoryState& store) {
  v1::Record genesis;
  genesis.set_kind(v1::RECORD_KIND_GENESIS);
  auto log = CustodianLog::Begin(store, kName, genesis, kNow);
  EXPECT_TRUE(log.ok());
  return std::move(log).value();
}

std::vector<v1::Record> Records(const MemoryState& store) {
  std::vector<v1::Record> records;
  for (const auto& [key, value] : store.Contents(Family::kRecords)) {
    state::v1::StoredRecord stored;
    EXPECT_TRUE(stored.ParseFromString(value));
    EXPECT_TRUE(records.emplace_back().ParseFromString(stored.record()));
    EXPECT_EQ(merkle::EntryOf(*merkle::RecordSalt::From(stored.salt()), stored.record()).str(),
              stored.entry());
  }
  return records;
}

// The root over all entries of the store, computed anew.
merkle::TreeHead HeadOf(const MemoryState& store) {
  merkle::Frontier frontier;
  for (const auto& [key, value] : store.Contents(Family::kRecords)) {
    state::v1::StoredRecord stored;
    EXPECT_TRUE(stored.ParseFromString(value));
    frontier.Append(*Digest::From(stored.entry()));
  }
  return frontier.Head();
}

TEST(CustodianLog, WritesARecordAndItsChangesTogetherOrNotAtAll) {
  for (const bool kept : {false, true}) {
    MemoryState store;
    const auto log = Begin(store);
    store::Batch changes;
    changes.Put(Family::kHot, "charged", "1");
    ASSERT_TRUE(log->Append(changes, Evaluation(), kNow).ok());
    EXPECT_EQ(store.position(), 2u);
    store.FailNextCommit(kept);
    changes.Put(Family::kHot, "charged", "2");
    EXPECT_FALSE(log->Append(changes, Evaluation(), kNow).ok());
    EXPECT_EQ(log->durable_head().size, 2u) << "what did not reach the disk is in no head";
    EXPECT_FALSE(log->Append({}, Evaluation(), kNow).ok()) << "never again";
    EXPECT_FALSE(log->Rename(kName, Evaluation(), kNow).ok());

    MemoryState restarted(store);
    EXPECT_EQ(**restarted.Get(Family::kHot, "charged"), kept ? "2" : "1");
    EXPECT_EQ(Records(restarted).size(), kept ? 3u : 2u);
    const auto again = CustodianLog::Open(restarted);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ((*again)->durable_head().root, HeadOf(restarted).root);
  }
}

TEST(CustodianLog, CompletesARecordAndGivesItsReceipt) {
  MemoryState store;
  const auto log = Begin(store);
  const auto receipt = log->Append({}, Evaluation(), kNow + std::chrono::seconds(5));
  ASSERT_TRUE(receipt.ok());
  const auto records = Records(store);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(receipt->index(), 1u);
  EXPECT_EQ(receipt->position(), 2u);
  EXPECT_EQ(receipt->record(), records[1].SerializeAsString());
  EXPECT_EQ(records[1].index(), 1u);
  EXPECT_EQ(records[1].position(), 2u);
  EXPECT_EQ(records[1].time_us(), static_cast<uint64_t>((kNow + std::chrono::seconds(5)).count()));
  EXPECT_EQ(records[1].organisation(), testing::TestOin(1000));
  EXPECT_EQ(records[1].event_id().size(), 16u);
  EXPECT_NE(records[1].event_id(), records[0].event_id());
}

TEST(CustodianLog, TimeNeverGoesBackAlsoOverARestart) {
  MemoryState store;
  {
    const auto log = Begin(store);
    ASSERT_TRUE(log->Append({}, Evaluation(), kNow + std::chrono::hours(2)).ok());
    ASSERT_TRUE(log->Append({}, Evaluation(), kNow).ok());
  }
  const auto log = std::move(CustodianLog::Open(store)).value();
  ASSERT_TRUE(log->Append({}, Evaluation(), Micros(-5)).ok());
  const auto records = Records(store);
  for (size_t i = 1; i < records.size(); ++i) {
    EXPECT_GE(records[i].time_us(), records[i - 1].time_us());
  }
}

TEST(CustodianLog, NotesComeBeforeTheNextRecordAndWithAFlush) {
  MemoryState store;
  const auto log = Begin(store);
  v1::Record members;
  members.set_kind(v1::RECORD_KIND_MEMBERS);
  log->Note(members, kNow);
  log->Note(members, kNow);
  EXPECT_EQ(store.position(), 1u) << "a note waits";
  ASSERT_TRUE(log->Append({}, Evaluation(), kNow).ok());
  EXPECT_EQ(store.position(), 2u) << "one write";
  log->Note(members, kNow);
  ASSERT_TRUE(log->Flush().ok());
  ASSERT_TRUE(log->Flush().ok());
  EXPECT_EQ(store.position(), 3u) << "nothing waits: nothing is written";
  const auto records = Records(store);
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[1].kind(), v1::RECORD_KIND_MEMBERS);
  EXPECT_EQ(records[2].kind(), v1::RECORD_KIND_MEMBERS);
  EXPECT_EQ(records[3].kind(), v1::RECORD_KIND_EVALUATION);
  EXPECT_EQ(records[4].kind(), v1::RECORD_KIND_MEMBERS);
}

TEST(CustodianLog, TheTreeHoldsOverTilesThreadsAndRestarts) {
  MemoryState store;
  auto log = Begin(store);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 60; ++i) EXPECT_TRUE(log->Append({}, Evaluation(), kNow).ok());
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(log->durable_head().root, HeadOf(store).root);
    log = std::move(CustodianLog::Open(store)).value();
  }
  EXPECT_EQ(log->durable_head().size, 721u);
  EXPECT_EQ(log->durable_head().root, HeadOf(store).root);
  const auto records = Records(store);
  for (size_t i = 0; i < records.size(); ++i) EXPECT_EQ(records[i].index(), i);
}

TEST(CustodianLog, IsNotOpenedWhereThereIsNoneNorBegunWhereThereIsOne) {
  MemoryState store;
  EXPECT_EQ(CustodianLog::Open(store).error().reason, "LOG_MISSING");
  Begin(store);
  EXPECT_EQ(CustodianLog::Begin(store, kName, {}, kNow).error().reason, "LOG_EXISTS");
}

TEST(CustodianLog, RefusesAStoreWhoseTreeIsNotThatOfItsRecords) {
  MemoryState store;
  const auto log = Begin(store);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(log->Append({}, Evaluation(), kNow).ok());
  const auto spoil = [&](Family family, const Bytes& key, const std::function<void(Bytes&)>& how) {
    MemoryState spoilt(store);
    Bytes value = **spoilt.Get(family, key);
    how(value);
    store::Batch batch;
    batch.Put(family, key, value);
    EXPECT_TRUE(spoilt.Commit(batch, spoilt.position() + 1).ok());
    return CustodianLog::Open(spoilt);
  };
  const auto flip = [](Bytes& value) { value.back() ^= 1; };
  EXPECT_FALSE(spoil(Family::kTiles, audit::keys::Frontier(), flip).ok());
  EXPECT_FALSE(spoil(Family::kRecords, audit::keys::Record(3), [](Bytes& value) {
                 state::v1::StoredRecord stored;
                 stored.ParseFromString(value);
                 (*stored.mutable_entry())[0] ^= 1;
                 value = stored.SerializeAsString();
               }).ok());
  EXPECT_FALSE(spoil(Family::kHot, audit::keys::Meta(), [](Bytes& value) {
                 state::v1::Meta meta;
                 meta.ParseFromString(value);
                 meta.set_tree_size(5);
                 value = meta.SerializeAsString();
               }).ok());
  EXPECT_EQ(spoil(Family::kHot, audit::keys::Meta(),
                  [](Bytes& value) {
                    state::v1::Meta meta;
                    meta.ParseFromString(value);
                    meta.set_machine_version(kLogVersion + 1);
                    value = meta.SerializeAsString();
                  })
                .error()
                .reason,
            "LOG_VERSION_UNKNOWN");
}

}  // namespace
}  // namespace schakel::custodian
