#include "broker/machine/party_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/machine/keys.h"
#include "broker/store/overlay_view.h"
#include "broker/store/testing/memory_state.h"

namespace schakel::machine {
namespace {

using store::Family;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Bytes kOne(20, '1');
const Bytes kTwo(20, '2');

class PartyIndexTest : public ::testing::Test {
 protected:
  void Commit(store::Batch batch) { ASSERT_TRUE(state_.CommitLocal(batch).ok()); }
  void Write(const Bytes& organisation, const std::vector<uint64_t>& indexes) {
    PartyIndex fresh;
    for (uint64_t index : indexes) fresh.Add(organisation, index);
    store::Batch batch;
    fresh.Write(&batch);
    Commit(std::move(batch));
  }
  void Remove(const Bytes& organisation, uint64_t index) {
    store::Batch batch;
    const store::OverlayView view(state_, {&batch});
    ASSERT_TRUE(RemoveFromPartyIndex(view, &batch, organisation, index).ok());
    Commit(std::move(batch));
  }
  // The entries of an organisation, each with its indexes.
  std::vector<std::vector<uint64_t>> Entries(const Bytes& organisation) {
    std::vector<std::vector<uint64_t>> entries;
    EXPECT_TRUE(state_
                    .ScanPrefix(Family::kLocal, keys::PartyIndexPrefix(organisation),
                                [&](BytesView key, BytesView value) {
                                  entries.push_back(ReadPartyEntry(key, value).value());
                                  return true;
                                })
                    .ok());
    return entries;
  }
  store::testing::MemoryState state_;
};

TEST_F(PartyIndexTest, KeepsAnEntryForABatchAndAnOrganisation) {
  PartyIndex fresh;
  store::Batch batch;
  fresh.Add(kOne, 3);
  fresh.Add(kTwo, 4);
  fresh.Add(kOne, 5);
  fresh.Add(kOne, 70'000);
  fresh.Write(&batch);
  fresh.Add(kOne, 70'001);
  fresh.Write(&batch);
  fresh.Write(&batch);  // nothing was added since
  Commit(std::move(batch));
  EXPECT_THAT(Entries(kOne), ElementsAre(ElementsAre(3, 5, 70'000), ElementsAre(70'001)));
  EXPECT_THAT(Entries(kTwo), ElementsAre(ElementsAre(4)));
}

TEST_F(PartyIndexTest, ReadsWhatNamesOneRecordAlone) {
  EXPECT_THAT(ReadPartyEntry(keys::PartyIndex(kOne, 9), "").value(), ElementsAre(9));
}

TEST_F(PartyIndexTest, RefusesWhatIsNoEntry) {
  const Bytes key = keys::PartyIndex(kOne, 9);
  for (const Bytes& value :
       {Bytes("\0\0\1", 3), Bytes("\0\0\0\0", 4), Bytes("\0\0\0\2\0\0\0\2", 8)}) {
    EXPECT_EQ(ReadPartyEntry(key, value).error().reason, "STORE_CORRUPT");
  }
  EXPECT_EQ(ReadPartyEntry("p", "").error().reason, "STORE_CORRUPT");
}

TEST_F(PartyIndexTest, TakesOutARecordWhereverItStands) {
  Write(kOne, {2});
  Write(kOne, {3, 5, 7, 9});
  Write(kTwo, {6});
  Remove(kOne, 5);
  EXPECT_THAT(Entries(kOne), ElementsAre(ElementsAre(2), ElementsAre(3, 7, 9)));
  Remove(kOne, 9);
  EXPECT_THAT(Entries(kOne), ElementsAre(ElementsAre(2), ElementsAre(3, 7)));
  Remove(kOne, 3);
  EXPECT_THAT(Entries(kOne), ElementsAre(ElementsAre(2), ElementsAre(7)));
  Remove(kOne, 6);  // another's
  Remove(kOne, 8);  // nobody's
  EXPECT_THAT(Entries(kOne), ElementsAre(ElementsAre(2), ElementsAre(7)));
  Remove(kOne, 7);
  Remove(kOne, 2);
  EXPECT_THAT(Entries(kOne), IsEmpty());
  EXPECT_THAT(Entries(kTwo), ElementsAre(ElementsAre(6)));
}

TEST_F(PartyIndexTest, BeginsAnotherEntryWhenOneIsFull) {
  std::vector<uint64_t> all(2 * kPartyEntryMax + 1);
  for (size_t i = 0; i < all.size(); ++i) all[i] = 10 + 2 * i;
  Write(kOne, all);
  std::vector<uint64_t> found;
  for (const auto& entry : Entries(kOne)) {
    EXPECT_LE(entry.size(), kPartyEntryMax);
    found.insert(found.end(), entry.begin(), entry.end());
  }
  EXPECT_EQ(found, all);
  EXPECT_EQ(Entries(kOne).size(), 3u);
}

TEST_F(PartyIndexTest, TakesOutSeveralInOneBatch) {
  Write(kOne, {3, 5, 7, 9});
  store::Batch batch;
  const store::OverlayView view(state_, {&batch});
  for (uint64_t index : {3, 7, 5}) {
    ASSERT_TRUE(RemoveFromPartyIndex(view, &batch, kOne, index).ok());
  }
  Commit(std::move(batch));
  EXPECT_THAT(Entries(kOne), ElementsAre(ElementsAre(9)));
}

}  // namespace
}  // namespace schakel::machine
