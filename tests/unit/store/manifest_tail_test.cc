#include "broker/store/manifest_tail.h"

#include <gtest/gtest.h>

#include "tests/unit/store/store_fixture.h"

namespace schakel::store {
namespace {

namespace fs = std::filesystem;

class ManifestTailTest : public ::testing::Test {
 protected:
  ManifestTailTest() {
    const auto store = MustOpen(SmallOptions(data()));
    for (uint64_t p = 1; p <= 5; ++p) EXPECT_TRUE(store->Commit(BatchAt(p), p).ok());
    EXPECT_TRUE(store->Flush().ok());
    EXPECT_TRUE(store->Close().ok());
  }
  fs::path data() const { return folder_ / "data"; }
  fs::path Manifest() const {
    std::string name = ReadAll(data() / "db" / "CURRENT");
    name.pop_back();
    return data() / "db" / name;
  }
  TempFolder folder_;
};

TEST_F(ManifestTailTest, FindsNothingInAWholeList) {
  EXPECT_EQ(FindTornTail(ReadAll(Manifest())), std::nullopt);
  EXPECT_EQ(FindTornTail(""), std::nullopt);
}

TEST_F(ManifestTailTest, CutsGarbageAtTheEndAndNothingElse) {
  const std::string good = ReadAll(Manifest());
  for (const size_t length : {size_t{1}, size_t{7}, size_t{300}}) {
    std::string torn = good;
    for (size_t i = 0; i < length; ++i) torn.push_back(static_cast<char>(i * 31 + 5));
    EXPECT_EQ(FindTornTail(torn), good.size());
  }
  // A record of 50 bytes whose payload never reached the disk.
  const std::string torn = good + "abcd" + std::string("\x32\x00\x01", 3) + std::string(50, '\0');
  WriteAllTo(Manifest(), torn);
  const auto store = MustOpen(SmallOptions(data()));
  EXPECT_TRUE(store->facts().manifest_tail_dropped);
  EXPECT_EQ(ReadAll(data() / "torn-manifest"), torn);
  EXPECT_FALSE(store->facts().Doubtful(nullptr));
  EXPECT_EQ(WholeBatches(store->durable()), 5u);
}

TEST_F(ManifestTailTest, LeavesDamageBeforeWholeRecordsAlone) {
  std::string bad = ReadAll(Manifest());
  bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 1);
  EXPECT_EQ(FindTornTail(bad), std::nullopt);
  WriteAllTo(Manifest(), bad);
  EXPECT_EQ(Store::Open(SmallOptions(data())).error().reason, "STORE_CORRUPT");
  EXPECT_EQ(ReadAll(Manifest()), bad);
}

TEST_F(ManifestTailTest, LostLastRecordIsHarmlessOrNoticed) {
  // The last entry of the list was synced, and is damaged afterwards: nothing may go unnoticed.
  std::string bad = ReadAll(Manifest());
  bad.back() = static_cast<char>(bad.back() ^ 1);
  WriteAllTo(Manifest(), bad);
  const auto opened = Store::Open(SmallOptions(data()));
  if (opened.ok()) {
    EXPECT_EQ(WholeBatches((*opened)->durable()), 5u);
  } else {
    EXPECT_EQ(opened.error().reason, "STORE_CORRUPT");
  }
}

}  // namespace
}  // namespace schakel::store
