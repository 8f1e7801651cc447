#include "broker/crypto/sign.h"

#include <gtest/gtest.h>

#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

SigningKey KeyOf(const char* seed) {
  return SigningKey::FromSeed(SecretBytes::CopyOf(Hex(seed))).value();
}

struct SignCase {
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};

// SOURCE: RFC 8032 7.1, tests 1 to 3
constexpr SignCase kRfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(Ed25519, GivesTheSignaturesOfRfc8032) {
  for (const SignCase& c : kRfc8032) {
    const SigningKey key = KeyOf(c.seed);
    EXPECT_EQ(HexEncode(key.public_key().view()), c.public_key);
    EXPECT_EQ(HexEncode(key.Sign(Hex(c.message))), c.signature);
    EXPECT_TRUE(VerifyEd25519(key.public_key(), Hex(c.message), Hex(c.signature)));
    EXPECT_EQ(HexEncode(key.seed().ExposeSecret()), c.seed);
  }
}

TEST(Ed25519, RefusesEveryFlippedBit) {
  const SignCase& c = kRfc8032[2];
  const Ed25519PublicKey key = Ed25519PublicKey::From(Hex(c.public_key)).value();
  const Bytes message = Hex(c.message);
  const Bytes signature = Hex(c.signature);
  for (size_t bit = 0; bit < signature.size() * 8; ++bit) {
    EXPECT_FALSE(VerifyEd25519(key, message, FlipBit(signature, bit))) << bit;
  }
  for (size_t bit = 0; bit < message.size() * 8; ++bit) {
    EXPECT_FALSE(VerifyEd25519(key, FlipBit(message, bit), signature)) << bit;
  }
  for (size_t bit = 0; bit < 256; ++bit) {
    const auto other = Ed25519PublicKey::From(FlipBit(key.str(), bit)).value();
    EXPECT_FALSE(VerifyEd25519(other, message, signature)) << bit;
  }
}

TEST(Ed25519, RefusesAWrongLength) {
  const SigningKey key = SigningKey::Generate();
  const Bytes signature = key.Sign("message");
  EXPECT_TRUE(VerifyEd25519(key.public_key(), "message", signature));
  EXPECT_FALSE(VerifyEd25519(key.public_key(), "message", signature.substr(0, 63)));
  EXPECT_FALSE(VerifyEd25519(key.public_key(), "message", signature + '\0'));
  EXPECT_FALSE(VerifyEd25519(key.public_key(), "message", ""));
}

TEST(Ed25519, RefusesASignatureWithTheOrderAddedToS) {
  // S + L verifies under lax verifiers: the same signature in another form.
  const Bytes order = Hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  const SigningKey key = KeyOf(kRfc8032[0].seed);
  Bytes malleable = key.Sign("");
  int carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    const int sum =
        static_cast<uint8_t>(malleable[32 + i]) + static_cast<uint8_t>(order[i]) + carry;
    malleable[32 + i] = static_cast<char>(sum & 0xff);
    carry = sum >> 8;
  }
  ASSERT_EQ(carry, 0);
  EXPECT_FALSE(VerifyEd25519(key.public_key(), "", malleable));
}

TEST(Ed25519, RefusesKeysOfSmallOrder) {
  // Under the identity as key, R = identity and S = 0 satisfy the bare equation for any message.
  const Bytes identity = Hex("0100000000000000000000000000000000000000000000000000000000000000");
  const auto key = Ed25519PublicKey::From(identity).value();
  EXPECT_FALSE(VerifyEd25519(key, "any message", identity + Bytes(32, '\0')));
  const auto order_two =
      Ed25519PublicKey::From(
          Hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"))
          .value();
  EXPECT_FALSE(VerifyEd25519(order_two, "any message", identity + Bytes(32, '\0')));
}

TEST(SigningKey, RefusesASeedOfAnotherLength) {
  for (size_t size : {0u, 31u, 33u, 64u}) {
    const auto key = SigningKey::FromSeed(SecretBytes(size));
    ASSERT_FALSE(key.ok());
    EXPECT_EQ(key.error().field, "seed");
  }
}

TEST(SigningKey, GeneratesAnotherKeyEachTime) {
  EXPECT_NE(SigningKey::Generate().public_key(), SigningKey::Generate().public_key());
}

}  // namespace
}  // namespace schakel::crypto
