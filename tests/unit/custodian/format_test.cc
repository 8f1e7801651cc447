// Makes the worked examples of broker/custodian/FORMAT.md anew.
#include <gtest/gtest.h>

#include "broker/audit/keys.h"
#include "broker/custodian/custodian_log.h"
#include "broker/custodian/refusals.h"
#include "broker/merkle/entry.h"
#include "broker/merkle/tree.h"
#include "broker/store/testing/memory_state.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/custodian/sample.h"

namespace schakel::custodian {
namespace {

using store::testing::MemoryState;

const std::string kOin = "00000099000000001000";

Requester Counsellor() {
  return {*OrganisationId::From(kOin), "u123", "counsellor", Bytes(16, '\x7e')};
}

// The page without its line ends, so that long examples may be folded.
const std::string& Page() {
  static const std::string page = [] {
    std::string text = testing::ReadFile(checkout::SourcePath("broker/custodian/FORMAT.md"));
    std::erase(text, '\n');
    std::erase(text, ' ');
    return text;
  }();
  return page;
}

void ExpectShown(const std::string& name, BytesView raw) {
  EXPECT_NE(Page().find(name + HexEncode(raw)), std::string::npos) << name << " " << HexEncode(raw);
}

TEST(CustodianFormat, ShowsTheCountOfRefusals) {
  MemoryState store;
  const auto log = std::move(CustodianLog::Begin(store, {"o", "r", "k"}, {}, kNow)).value();
  const auto counter = std::move(RefusalCounter::Open(store, *log)).value();
  for (int i = 0; i < 13; ++i) {
    ASSERT_TRUE(counter->Refused(Counsellor(), "NO_AUTHORITY", "Evaluate", kNow).ok());
  }
  const auto local = store.Contents(store::Family::kLocal);
  ASSERT_EQ(local.size(), 1u);
  ExpectShown("key", local.begin()->first);
  ExpectShown("value", local.begin()->second);
}

TEST(CustodianFormat, ShowsARecordItsEntryAndItsLeaf) {
  v1::Record record = RecordAbout(v1::RECORD_KIND_EVALUATION, Counsellor());
  record.set_index(299);
  record.set_position(4660);
  record.set_time_us(static_cast<uint64_t>(kNow.count()));
  record.set_event_id(Bytes(16, '\x1e'));
  record.set_outcome(v1::OUTCOME_PERMITTED);
  record.mutable_facts()->set_version(1);
  record.mutable_facts()->set_count(3);
  record.mutable_facts()->set_day_remaining(497);
  record.mutable_facts()->set_month_remaining(4997);
  const Bytes bytes = record.SerializeAsString();
  const Digest entry = merkle::EntryOf(*merkle::RecordSalt::From(Bytes(16, '\x5a')), bytes);
  ExpectShown("record", bytes);
  ExpectShown("entry", entry.view());
  ExpectShown("leaf", merkle::LeafHash(entry).view());
  ExpectShown("Record", audit::keys::Record(299));
}

TEST(CustodianFormat, ShowsWhereTheLogStands) {
  state::v1::Meta meta;
  meta.set_position(4660);
  meta.set_time_us(static_cast<uint64_t>(kNow.count()));
  meta.set_machine_version(kLogVersion);
  meta.set_origin("zhz.example/custodian/1");
  meta.set_region("zhz.example");
  meta.set_tree_size(300);
  meta.set_log_key("zhz.example/custodian/1+00000000+AQAA");
  ExpectShown("Meta", audit::keys::Meta());
  ExpectShown("meta", meta.SerializeAsString());
}

// Nothing else is in the store: what the page does not name would be forgotten at the next change.
TEST(CustodianFormat, NamesEveryKey) {
  MemoryState store;
  const auto log = std::move(CustodianLog::Begin(store, {"o", "r", "k"}, {}, kNow)).value();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(log->Append({}, RecordAbout(v1::RECORD_KIND_EVALUATION, Counsellor()), kNow).ok());
  }
  EXPECT_EQ(store.Contents(store::Family::kHot).size(), 1u);
  EXPECT_EQ(store.Contents(store::Family::kRecords).size(), 301u);
  EXPECT_EQ(store.Contents(store::Family::kTiles).size(), 2u);  // one full tile, the frontier
  for (const auto family : {store::Family::kContent, store::Family::kRegistry}) {
    EXPECT_TRUE(store.Contents(family).empty());
  }
}

}  // namespace
}  // namespace schakel::custodian
