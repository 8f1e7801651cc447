#include "broker/crypto/random.h"

#include <gtest/gtest.h>

#include <set>

#include "broker/base/ids.h"

namespace schakel::crypto {
namespace {

TEST(Random, FillsEveryByte) {
  // A byte that stays zero 64 times in a row would be left out (chance 2^-512 each).
  Bytes seen(33, '\0');
  for (int i = 0; i < 64; ++i) {
    const Bytes random = RandomBytes(33);
    for (size_t k = 0; k < seen.size(); ++k) seen[k] = static_cast<char>(seen[k] | random[k]);
  }
  EXPECT_EQ(seen.find('\0'), Bytes::npos);
  EXPECT_EQ(RandomSecret(48).size(), 48u);
  EXPECT_NE(RandomSecret(32).ExposeSecret(), RandomSecret(32).ExposeSecret());
  EXPECT_TRUE(RandomBytes(0).empty());
}

TEST(NewUuidV7, CarriesTimeVersionAndVariant) {
  // The time of RFC 9562 A.6: 017F22E2-79B0-7...
  const std::string text = UuidText(NewUuidV7(Millis(0x017F22E279B0)));
  EXPECT_EQ(text.substr(0, 15), "017f22e2-79b0-7");
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos) << text;
}

TEST(NewUuidV7, SortsByTimeAndNeverRepeats) {
  EXPECT_LT(NewUuidV7(Millis(1'700'000'000'000)), NewUuidV7(Millis(1'700'000'000'001)));
  std::set<Bytes> ids;
  for (int i = 0; i < 10'000; ++i) ids.insert(NewUuidV7(Millis(1)));
  EXPECT_EQ(ids.size(), 10'000u);
}

TEST(NewUuidV7, StopsTheProcessOnATimeItCantHold) {
  EXPECT_DEATH(NewUuidV7(Millis(-1)), "48 bits");
  EXPECT_DEATH(NewUuidV7(Millis(int64_t{1} << 48)), "48 bits");
}

}  // namespace
}  // namespace schakel::crypto
