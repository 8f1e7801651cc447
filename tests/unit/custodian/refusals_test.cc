#include "broker/custodian/refusals.h"

#include <gtest/gtest.h>

#include "broker/base/limits.h"
#include "broker/store/testing/memory_state.h"
#include "tests/support/test_pki.h"
#include "tests/unit/custodian/sample.h"

namespace schakel::custodian {
namespace {

using std::chrono::minutes;
using store::Family;
using store::testing::MemoryState;

class Refusals : public ::testing::Test {
 protected:
  Refusals() {
    log_ = std::move(CustodianLog::Begin(store_, {"zhz.example/custodian/1", "zhz.example", "key"},
                                         {}, kNow))
               .value();
    Open();
  }
  void Open() { counter_ = std::move(RefusalCounter::Open(store_, *log_)).value(); }
  void Refuse(int times, Micros now, uint64_t who = 1000, const char* reason = "NO_AUTHORITY") {
    for (int i = 0; i < times; ++i) {
      EXPECT_TRUE(counter_->Refused(Who(who), reason, "Evaluate", now).ok());
    }
  }
  // Without the one that began the log.
  std::vector<v1::Record> Records() const {
    std::vector<v1::Record> records;
    for (const auto& [key, value] : store_.Contents(Family::kRecords)) {
      state::v1::StoredRecord stored;
      EXPECT_TRUE(stored.ParseFromString(value));
      EXPECT_TRUE(records.emplace_back().ParseFromString(stored.record()));
    }
    records.erase(records.begin());
    return records;
  }

  MemoryState store_;
  std::unique_ptr<CustodianLog> log_;
  std::unique_ptr<RefusalCounter> counter_;
};

TEST_F(Refusals, TenAMinuteAreRecordedAndTheRestIsCountedInOneRecord) {
  Refuse(25, kNow);
  ASSERT_EQ(Records().size(), limits::kDeniedRecordsPerMinute);
  EXPECT_EQ(Records()[0].actor(), "user-1");
  EXPECT_EQ(Records()[0].outcome(), v1::OUTCOME_DENIED);
  EXPECT_EQ(Records()[0].facts().rpc(), "Evaluate");
  ASSERT_TRUE(counter_->Flush(kNow + std::chrono::seconds(59)).ok());
  EXPECT_EQ(Records().size(), 10u) << "the minute is not over";
  ASSERT_TRUE(counter_->Flush(kNow + minutes(1)).ok());
  ASSERT_EQ(Records().size(), 11u);
  const v1::Record counted = Records().back();
  EXPECT_EQ(counted.facts().count(), 15u);
  EXPECT_EQ(counted.organisation(), testing::TestOin(1000));
  EXPECT_EQ(counted.reason(), "NO_AUTHORITY");
  EXPECT_TRUE(counted.actor().empty()) << "it may tell of several";
  EXPECT_TRUE(store_.Contents(Family::kLocal).empty());
  ASSERT_TRUE(counter_->Flush(kNow + minutes(2)).ok());
  EXPECT_EQ(Records().size(), 11u);
}

TEST_F(Refusals, EachOrganisationAndReasonHasItsOwnTen) {
  Refuse(12, kNow, 1000);
  Refuse(12, kNow, 2000);
  Refuse(12, kNow, 2000, "BUDGET_EXHAUSTED");
  EXPECT_EQ(Records().size(), 30u);
  ASSERT_TRUE(counter_->Flush(kNow, true).ok());
  ASSERT_EQ(Records().size(), 33u);
  for (size_t i = 30; i < 33; ++i) EXPECT_EQ(Records()[i].facts().count(), 2u);
}

TEST_F(Refusals, TheNextMinuteBeginsAnewAndWritesTheCountFirst) {
  Refuse(11, kNow);
  Refuse(1, kNow + minutes(1));
  ASSERT_EQ(Records().size(), 12u);
  EXPECT_EQ(Records()[10].facts().count(), 1u);
  EXPECT_TRUE(Records()[10].actor().empty());
  EXPECT_EQ(Records()[11].actor(), "user-1");
}

TEST_F(Refusals, WhatWasCountedOutlivesARestart) {
  Refuse(14, kNow);
  Open();
  Refuse(1, kNow);
  EXPECT_EQ(Records().size(), 10u);
  ASSERT_TRUE(counter_->Flush(kNow + minutes(1)).ok());
  EXPECT_EQ(Records().back().facts().count(), 5u);
}

TEST_F(Refusals, AWriteThatFailsIsTold) {
  store_.FailNextCommit(false);
  EXPECT_FALSE(counter_->Refused(Who(), "NO_AUTHORITY", "Evaluate", kNow).ok());
}

TEST_F(Refusals, RefusesACountThatItDidNotWrite) {
  const std::string prefix = "custodian/1/refused/";
  const Bytes good = ByteWriter().U64(1).U32(1).U64(1).Take();
  for (const auto& [key, value] :
       std::vector<std::pair<Bytes, Bytes>>{{prefix + testing::TestOin(1), good},
                                            {prefix + "x", good},
                                            {prefix + std::string(20, 'x') + "R", good},
                                            {prefix + testing::TestOin(1) + "R", good + "x"}}) {
    MemoryState store;
    store::Batch batch;
    batch.Put(Family::kLocal, key, value);
    ASSERT_TRUE(store.CommitLocal(batch).ok());
    EXPECT_EQ(RefusalCounter::Open(store, *log_).error().reason, "LOG_REFUSALS_CORRUPT");
  }
}

}  // namespace
}  // namespace schakel::custodian
