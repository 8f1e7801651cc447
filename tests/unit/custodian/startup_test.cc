// The beginning of a log, and going on after an old copy was put back.
#include "broker/custodian/startup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/audit/keys.h"
#include "broker/audit/log_reader.h"
#include "broker/custodian/custodian_log.h"
#include "broker/custodian/log_key.h"
#include "broker/merkle/checkpoint.h"
#include "tests/unit/custodian/custodian_set.h"
#include "tests/unit/custodian/sample.h"
#include "tests/unit/custodian/test_ledger.h"

namespace schakel::custodian {
namespace {

using store::testing::MemoryState;

class StartupTest : public ::testing::Test {
 protected:
  StartupTest() {
    std::vector<Error> problems;
    materials_ = LoadMaterials(set_.SettingsOf(0), SystemClock(), nullptr, &problems);
    SCHAKEL_CHECK(materials_.has_value(), "the set is right");
  }
  Result<std::string> Init(MemoryState& store, uint64_t number = 1) {
    return InitialiseLog(&store, &heads_, *materials_, number, kNow);
  }
  static v1::Record RecordAt(const MemoryState& store, uint64_t index) {
    state::v1::StoredRecord stored;
    v1::Record record;
    const auto raw = store.Get(store::Family::kRecords, audit::keys::Record(index));
    EXPECT_TRUE(raw.ok() && *raw && stored.ParseFromString(**raw));
    EXPECT_TRUE(record.ParseFromString(stored.record()));
    return record;
  }
  merkle::Checkpoint Checkpoint(const MemoryState& store, const std::string& key) {
    const auto shown = audit::GetCheckpoint(store);
    EXPECT_TRUE(shown.ok());
    const auto opened =
        merkle::OpenCheckpoint(shown->checkpoint(), *merkle::VerifierKey::Parse(key));
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return *opened;
  }

  CustodianSet set_;
  std::optional<Materials> materials_;
  store::FileHeadStore heads_{set_.folder() / "some-head"};
};

TEST_F(StartupTest, InitWritesRecord0ItsHeadAndACheckpoint) {
  MemoryState store;
  const auto key = Init(store);
  ASSERT_TRUE(key.ok()) << key.error().message;
  EXPECT_TRUE(key->starts_with("zhz.example/custodian/1+"));
  const auto checkpoint = Checkpoint(store, *key);
  EXPECT_EQ(checkpoint.origin, "zhz.example/custodian/1");
  EXPECT_EQ(checkpoint.head.size, 1u);
  EXPECT_EQ((*heads_.Read())->root, checkpoint.head.root);
  const v1::Record genesis = RecordAt(store, 0);
  EXPECT_EQ(genesis.kind(), v1::RECORD_KIND_GENESIS);
  EXPECT_EQ(genesis.facts().origin(), "zhz.example/custodian/1");
  EXPECT_EQ(genesis.facts().log_key(), *key);
  EXPECT_EQ(genesis.facts().about_organisation(), CustodianSet::CustodianOin(0));
  EXPECT_EQ(genesis.facts().digest(), set_.digest().str());
  EXPECT_EQ(Init(store).error().reason, "LOG_EXISTS");
  MemoryState empty;
  EXPECT_EQ(Init(empty).error().reason, "LOG_EXISTS") << "the head file is of another log";
}

TEST_F(StartupTest, InitKeepsBudgetsFromBeforeThereWasALog) {
  MemoryState store;
  const auto who = *OrganisationId::From(testing::TestOin(1000));
  ASSERT_TRUE((*TestLedger::Open(store))->Charge(who, {10, 100}, 1000, 7, kNow)->granted);
  ASSERT_TRUE(Init(store).ok());
  EXPECT_EQ((*TestLedger::Open(store))->View(who, kNow).day_used, 7u);
}

TEST_F(StartupTest, RecoverGoesOnUnderAnotherNumberAndNamesBothHeads) {
  MemoryState store;
  const auto old_key = *Init(store);
  MemoryState copy(store);
  {
    const auto log = *CustodianLog::Open(store);
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(log->Append({},
                              RecordAbout(v1::RECORD_KIND_EVALUATION,
                                          {*OrganisationId::From(testing::TestOin(1)), "", "",
                                           Bytes(16, 't')}),
                              kNow)
                      .ok());
    }
    audit::Checkpointer signer(log->Signed(), &heads_, &materials_->log_key, *heads_.Read());
    ASSERT_TRUE(signer.SignNow().ok());
  }
  const store::Head head = **heads_.Read();
  const auto held = (*CustodianLog::Open(copy))->durable_head();
  uint64_t lost = 0;
  const auto recover = [&](uint64_t number) {
    return RecoverLog(&copy, &heads_, *materials_, number, kNow, &lost);
  };
  for (const uint64_t used : {1, 2, 3}) {
    EXPECT_EQ(recover(used).error().reason, "LOG_NUMBER_USED") << used;
  }
  const auto key = recover(11);
  ASSERT_TRUE(key.ok()) << key.error().message;
  EXPECT_EQ(lost, 4u);
  EXPECT_TRUE(key->starts_with("zhz.example/custodian/11+"));
  EXPECT_EQ(Checkpoint(copy, *key).origin, "zhz.example/custodian/11");
  const v1::Record record = RecordAt(copy, 1);
  EXPECT_EQ(record.kind(), v1::RECORD_KIND_MODE_CHANGE);
  EXPECT_EQ(record.facts().origin(), "zhz.example/custodian/1");
  EXPECT_EQ(record.facts().log_key(), *key);
  EXPECT_EQ(record.facts().head_size(), head.size);
  EXPECT_EQ(record.facts().head_root(), head.root.str());
  EXPECT_EQ(record.facts().store_size(), held.size);
  EXPECT_EQ(record.facts().store_root(), held.root.str());
  EXPECT_EQ((*heads_.Read())->origin, "zhz.example/custodian/11");
  EXPECT_EQ(recover(11).error().reason, "LOG_NUMBER_USED");
}

TEST_F(StartupTest, ALogKeyIsReadAsItWasWrittenAndOnlyWhenNobodyElseMay) {
  const auto path = set_.folder() / "new.key";
  ASSERT_TRUE(WriteNewLogKey(path).ok());
  ASSERT_TRUE(LoadLogKey(path).ok());
  EXPECT_FALSE(WriteNewLogKey(path).ok()) << "never overwritten";
  std::filesystem::permissions(path, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_THAT(LoadLogKey(path).error().message, ::testing::HasSubstr("chmod 600"));
  testing::WriteFile(path, "no key\n", 0600);
  EXPECT_EQ(LoadLogKey(path).error().field, path.string());
}

}  // namespace
}  // namespace schakel::custodian
