#include "broker/merkle/entry.h"

#include <gtest/gtest.h>

#include <set>

#include "broker/merkle/tree.h"
#include "tests/unit/merkle/support.h"

namespace schakel::merkle {
namespace {

TEST(Entry, ReproducesTheWorkedExample) {
  const auto vectors = ReadVectors("schakel/formats-1.json");
  const auto& log = vectors["log"];
  const auto entropy = CommandEntropy::From(FromHex(log["entropy"])).value();
  Frontier frontier;
  ASSERT_EQ(log["records"].size(), 3u);
  for (const auto& r : log["records"]) {
    const auto number = r["j"].get<uint16_t>();
    const RecordSalt salt = RecordSaltOf(entropy, number);
    const DetailSalt detail_salt = DetailSaltOf(entropy, number);
    EXPECT_EQ(HexEncode(salt.view()), r["salt"]);
    EXPECT_EQ(HexEncode(detail_salt.view()), r["dsalt"]);
    EXPECT_EQ(HexEncode(DetailCommitment(detail_salt, FromHex(r["detail"])).view()), r["detail_c"]);
    const Digest entry = EntryOf(salt, FromHex(r["record"]));
    EXPECT_EQ(HexEncode(entry.view()), r["entry"]);
    EXPECT_EQ(HexEncode(LeafHash(entry).view()), r["leaf"]);
    frontier.Append(entry);
  }
  EXPECT_EQ(HexEncode(frontier.Root().view()), log["root"]);
  EXPECT_EQ(HexEncode(EventIdOf(entropy, 0).view()), log["event_id_0"]);
  EXPECT_EQ(HexEncode(DeliveryIdOf(entropy, 0).view()), log["delivery_id_0"]);
}

TEST(Entry, GivesEveryNumberAndUseItsOwnValue) {
  const auto entropy = CommandEntropy::From(Bytes(32, 'e')).value();
  std::set<Bytes> seen;
  for (uint32_t number : {0, 1, 255, 256, 65535}) {
    const auto n = static_cast<uint16_t>(number);
    seen.insert(RecordSaltOf(entropy, n).str());
    seen.insert(DetailSaltOf(entropy, n).str());
    seen.insert(EventIdOf(entropy, n).str());
    seen.insert(DeliveryIdOf(entropy, n).str());
  }
  EXPECT_EQ(seen.size(), 20u);
}

TEST(Entry, TakesExactly32BytesOfEntropy) {
  for (size_t length : {0, 16, 31, 33, 64}) {
    EXPECT_FALSE(CommandEntropy::From(Bytes(length, 'e')).has_value());
  }
}

}  // namespace
}  // namespace schakel::merkle
