#include "broker/base/ids.h"

#include <gtest/gtest.h>

namespace schakel {
namespace {

TEST(OrganisationIdType, RefusesWhatIsNotTwentyDigits) {
  EXPECT_TRUE(OrganisationId::From("00000099000000001000"));
  for (const char* bad : {"", "0000009900000000100", "000000990000000010000", "0000009900000000100x",
                          " 0000009900000000100"}) {
    EXPECT_FALSE(OrganisationId::From(bad)) << bad;
  }
}

TEST(Uuid, GoesToTextAndBack) {
  auto raw = HexDecode("0192f0c1a2b37c4d8e5f00112233445f");
  EXPECT_EQ(UuidText(*raw), "0192f0c1-a2b3-7c4d-8e5f-00112233445f");
  EXPECT_EQ(UuidParse("0192f0c1-a2b3-7c4d-8e5f-00112233445f"), raw);
  EXPECT_FALSE(UuidParse("0192f0c1a2b37c4d8e5f00112233445f"));
  EXPECT_FALSE(UuidParse("0192f0c1-a2b3-7c4d-8e5f-00112233445g"));
}

TEST(Elfproef, RefusesTheNumberOfZeros) {
  EXPECT_FALSE(PassesElfproef("000000000"));
  EXPECT_TRUE(PassesElfproef("999990019"));
  EXPECT_FALSE(PassesElfproef("999990018"));
  EXPECT_FALSE(PassesElfproef("99999001"));
}

}  // namespace
}  // namespace schakel
