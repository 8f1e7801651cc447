#include "broker/crypto/hash.h"

#include <gtest/gtest.h>

#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

// SOURCE: FIPS 180-4 examples (NIST Cryptographic Standards and Guidelines, SHA-256 and SHA-512)
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(HexEncode(Sha256("").view()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexEncode(Sha256("abc").view()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexEncode(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").view()),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(HexEncode(Sha256(Bytes(1'000'000, 'a')).view()),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha512, GivesThePublishedDigest) {
  const auto digest = Sha512("abc");
  EXPECT_EQ(HexEncode({reinterpret_cast<const char*>(digest.data()), digest.size()}),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Sha256Hasher, EqualsTheHashOfTheWholeForEveryCut) {
  Bytes input;
  for (int i = 0; i < 200; ++i) input.push_back(static_cast<char>(i));
  for (size_t size = 0; size <= input.size(); ++size) {
    const BytesView whole = BytesView(input).substr(0, size);
    for (size_t cut = 0; cut <= size; cut += 7) {
      EXPECT_EQ(Sha256Hasher().Raw(whole.substr(0, cut)).Raw(whole.substr(cut)).Finish(),
                Sha256(whole));
    }
  }
}

TEST(Sha256Hasher, WritesNumbersAsByteWriterDoes) {
  ByteWriter written;
  written.U8(1).U16(0x0203).U32(0x04050607).U64(0x08090a0b0c0d0e0f).Lp("text").Lp("");
  Sha256Hasher hasher;
  hasher.U8(1).U16(0x0203).U32(0x04050607).U64(0x08090a0b0c0d0e0f).Lp("text").Lp("");
  EXPECT_EQ(hasher.Finish(), Sha256(written.bytes()));
}

TEST(Sha256Hasher, StartsAnewAfterFinishAndCopiesItsMidstate) {
  Sha256Hasher hasher;
  hasher.Raw("ab");
  Sha256Hasher copy = hasher;
  EXPECT_EQ(hasher.Raw("c").Finish(), Sha256("abc"));
  EXPECT_EQ(hasher.Raw("x").Finish(), Sha256("x"));
  EXPECT_EQ(copy.Raw("d").Finish(), Sha256("abd"));
}

struct HmacCase {
  Bytes key;
  Bytes message;
  const char* mac;
};

// SOURCE: RFC 4231 4.2 to 4.8, without the truncated one
TEST(HmacSha256, GivesTheMacsOfRfc4231) {
  Bytes counted;
  for (int i = 1; i <= 25; ++i) counted.push_back(static_cast<char>(i));
  const HmacCase cases[] = {
      {Bytes(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {Bytes(20, '\xaa'), Bytes(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {counted, Bytes(50, '\xcd'),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {Bytes(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {Bytes(131, '\xaa'),
       "This is a test using a larger than block-size key and a larger than block-size data. The "
       "key needs to be hashed before being used by the HMAC algorithm.",
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const HmacCase& c : cases) {
    EXPECT_EQ(HexEncode(HmacSha256(c.key, c.message).view()), c.mac);
    const HmacSha256Key key(c.key);
    EXPECT_EQ(key.Compute(c.message), key.Compute(c.message));
    EXPECT_EQ(HexEncode(key.Compute(c.message).view()), c.mac);
  }
}

// SOURCE: RFC 5869 A.1 to A.3
TEST(HkdfSha256, GivesTheKeysOfRfc5869) {
  const auto counted = [](int from, int to) {
    Bytes out;
    for (int i = from; i < to; ++i) out.push_back(static_cast<char>(i));
    return out;
  };
  EXPECT_EQ(HexEncode(HkdfExtractSha256(counted(0, 13), Bytes(22, '\x0b')).ExposeSecret()),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  EXPECT_EQ(
      HexEncode(
          HkdfSha256(Bytes(22, '\x0b'), counted(0, 13), counted(0xf0, 0xfa), 42).ExposeSecret()),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(
      HexEncode(HkdfSha256(counted(0, 0x50), counted(0x60, 0xb0), counted(0xb0, 0x100), 82)
                    .ExposeSecret()),
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
      "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  EXPECT_EQ(HexEncode(HkdfSha256(Bytes(22, '\x0b'), "", "", 42).ExposeSecret()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(HkdfSha256, TakesTheLongestOutputAndNoLonger) {
  EXPECT_EQ(HkdfSha256("key", "", "", 8160).size(), 8160u);
  EXPECT_EQ(HkdfSha256("key", "", "", 0).size(), 0u);
  EXPECT_DEATH(HkdfSha256("key", "", "", 8161), "8160 bytes at most");
}

}  // namespace
}  // namespace schakel::crypto
