#include "broker/crypto/aead.h"

#include <gtest/gtest.h>

#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

struct GcmCase {
  const char* key;
  const char* nonce;
  const char* aad;
  const char* plaintext;
  const char* ciphertext;
};

// SOURCE: McGrew and Viega, The Galois/Counter Mode of Operation, test cases 13, 14 and 16
constexpr GcmCase kCases[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b"
     "5"
     "25b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828"
     "838"
     "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"},
};

SecretBytes KeyOf(const GcmCase& c) { return SecretBytes::CopyOf(Hex(c.key)); }

TEST(Aes256Gcm, GivesThePublishedCiphertextsAndOpensThem) {
  for (const GcmCase& c : kCases) {
    const Bytes sealed =
        SealAes256Gcm(KeyOf(c), Hex(c.nonce), Hex(c.aad), Hex(c.plaintext)).value();
    EXPECT_EQ(HexEncode(sealed), c.ciphertext);
    const auto opened = OpenAes256Gcm(KeyOf(c), Hex(c.nonce), Hex(c.aad), sealed).value();
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(HexEncode(opened->ExposeSecret()), c.plaintext);
  }
}

TEST(Aes256Gcm, OpensNothingWithAFlippedBit) {
  const GcmCase& c = kCases[2];
  const auto opens = [](BytesView key, BytesView nonce, BytesView aad, BytesView ciphertext) {
    return OpenAes256Gcm(SecretBytes::CopyOf(key), nonce, aad, ciphertext).value().has_value();
  };
  const Bytes key = Hex(c.key), nonce = Hex(c.nonce), aad = Hex(c.aad), ct = Hex(c.ciphertext);
  ASSERT_TRUE(opens(key, nonce, aad, ct));
  for (size_t b = 0; b < key.size() * 8; ++b) EXPECT_FALSE(opens(FlipBit(key, b), nonce, aad, ct));
  for (size_t b = 0; b < nonce.size() * 8; ++b)
    EXPECT_FALSE(opens(key, FlipBit(nonce, b), aad, ct));
  for (size_t b = 0; b < aad.size() * 8; ++b) EXPECT_FALSE(opens(key, nonce, FlipBit(aad, b), ct));
  for (size_t b = 0; b < ct.size() * 8; ++b) EXPECT_FALSE(opens(key, nonce, aad, FlipBit(ct, b)));
}

TEST(Aes256Gcm, OpensNoShortenedOrLengthenedCiphertext) {
  const GcmCase& c = kCases[2];
  const Bytes ct = Hex(c.ciphertext);
  for (size_t size = 0; size < ct.size(); ++size) {
    EXPECT_FALSE(OpenAes256Gcm(KeyOf(c), Hex(c.nonce), Hex(c.aad), ct.substr(0, size)).value());
  }
  EXPECT_FALSE(OpenAes256Gcm(KeyOf(c), Hex(c.nonce), Hex(c.aad), ct + '\0').value());
}

TEST(Aes256Gcm, StopsTheProcessOnAWrongKeyOrNonceLength) {
  EXPECT_DEATH((void)SealAes256Gcm(SecretBytes(16), Bytes(12, '\0'), "", ""), "32 bytes");
  EXPECT_DEATH((void)OpenAes256Gcm(SecretBytes(32), Bytes(16, '\0'), "", ""), "12 bytes");
}

}  // namespace
}  // namespace schakel::crypto
