#include "broker/crypto/hpke.h"

#include <gtest/gtest.h>

#include "broker/crypto/hpke_internal.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

using hpke_internal::Context;
using hpke_internal::DeriveKeyPair;

nlohmann::json Published() { return LoadVectors("hpke/rfc9180-x25519-sha256-aes256gcm-base.json"); }

X25519KeyPair PairOf(BytesView private_key) {
  return X25519KeyPair::FromPrivate(SecretBytes::CopyOf(private_key)).value();
}

// Points whose multiples by any clamped scalar are zero. SOURCE: RFC 7748 6.1 and
// https://cr.yp.to/ecdh.html#validate
constexpr const char* kSmallOrder[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

TEST(Hpke, DerivesThePublishedKeyPairs) {
  for (const auto& v : Published()) {
    for (const char* who : {"R", "E"}) {
      const X25519KeyPair pair = DeriveKeyPair(Hex(v[std::string("ikm") + who]));
      EXPECT_EQ(HexEncode(pair.private_key().ExposeSecret()), v[std::string("sk") + who + "m"]);
      EXPECT_EQ(HexEncode(pair.public_key().view()), v[std::string("pk") + who + "m"]);
    }
  }
}

TEST(Hpke, GivesThePublishedScheduleOnBothSides) {
  for (const auto& v : Published()) {
    const X25519KeyPair ephemeral = DeriveKeyPair(Hex(v["ikmE"]));
    const X25519KeyPair recipient = PairOf(Hex(v["skRm"]));
    const auto sent = hpke_internal::Encap(recipient.public_key(), ephemeral);
    const auto received = hpke_internal::Decap(ephemeral.public_key(), recipient);
    ASSERT_TRUE(sent && received);
    EXPECT_EQ(HexEncode(sent->ExposeSecret()), v["shared_secret"]);
    EXPECT_EQ(HexEncode(received->ExposeSecret()), v["shared_secret"]);
    const Context context = hpke_internal::KeySchedule(*sent, Hex(v["info"]));
    EXPECT_EQ(HexEncode(context.key().ExposeSecret()), v["key"]);
    EXPECT_EQ(HexEncode(context.base_nonce().ExposeSecret()), v["base_nonce"]);
    EXPECT_EQ(HexEncode(context.exporter_secret().ExposeSecret()), v["exporter_secret"]);
    for (const auto& e : v["exports"]) {
      EXPECT_EQ(HexEncode(context.Export(Hex(e["exporter_context"]), e["L"]).ExposeSecret()),
                e["exported_value"]);
    }
  }
}

TEST(Hpke, GivesAndOpensEveryPublishedEncryption) {
  size_t encryptions = 0;
  for (const auto& v : Published()) {
    const X25519KeyPair recipient = PairOf(Hex(v["skRm"]));
    const auto secret = hpke_internal::Encap(recipient.public_key(), DeriveKeyPair(Hex(v["ikmE"])));
    Context sender = hpke_internal::KeySchedule(*secret, Hex(v["info"]));
    Context receiver = hpke_internal::KeySchedule(*secret, Hex(v["info"]));
    for (const auto& e : v["encryptions"]) {
      EXPECT_EQ(HexEncode(sender.Seal(Hex(e["aad"]), Hex(e["pt"])).value()), e["ct"]);
      const auto opened = receiver.Open(Hex(e["aad"]), Hex(e["ct"])).value();
      ASSERT_TRUE(opened.has_value());
      EXPECT_EQ(HexEncode(opened->ExposeSecret()), e["pt"]);
      ++encryptions;
    }
  }
  EXPECT_EQ(encryptions, 20u);
}

TEST(Hpke, SealsAndOpensThePublishedFirstMessageInOneShot) {
  for (const auto& v : Published()) {
    const auto& e = v["encryptions"][0];
    const X25519KeyPair recipient = PairOf(Hex(v["skRm"]));
    const HpkeSealed sealed =
        hpke_internal::SealBaseWith(DeriveKeyPair(Hex(v["ikmE"])), recipient.public_key(),
                                    Hex(v["info"]), Hex(e["aad"]), Hex(e["pt"]))
            .value();
    EXPECT_EQ(HexEncode(sealed.enc), v["enc"]);
    EXPECT_EQ(HexEncode(sealed.ciphertext), e["ct"]);
    const auto opened =
        OpenBase(recipient, sealed.enc, Hex(v["info"]), Hex(e["aad"]), sealed.ciphertext).value();
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(HexEncode(opened->ExposeSecret()), e["pt"]);
  }
}

TEST(Hpke, TakesAFreshEphemeralKeyEachTime) {
  const X25519KeyPair recipient = X25519KeyPair::Generate();
  const HpkeSealed first = SealBase(recipient.public_key(), "info", "aad", "text").value();
  const HpkeSealed second = SealBase(recipient.public_key(), "info", "aad", "text").value();
  EXPECT_NE(first.enc, second.enc);
  EXPECT_NE(first.ciphertext, second.ciphertext);
  EXPECT_TRUE(OpenBase(recipient, second.enc, "info", "aad", second.ciphertext).value());
}

TEST(Hpke, OpensNothingWithAFlippedBitOrAnotherKey) {
  const X25519KeyPair recipient = X25519KeyPair::Generate();
  const HpkeSealed sealed = SealBase(recipient.public_key(), "info", "aad", "text").value();
  const auto opens = [&](BytesView enc, BytesView info, BytesView aad, BytesView ciphertext) {
    return OpenBase(recipient, enc, info, aad, ciphertext).value().has_value();
  };
  ASSERT_TRUE(opens(sealed.enc, "info", "aad", sealed.ciphertext));
  for (size_t b = 0; b < 256; ++b) {
    EXPECT_FALSE(opens(FlipBit(sealed.enc, b), "info", "aad", sealed.ciphertext)) << b;
  }
  for (size_t b = 0; b < sealed.ciphertext.size() * 8; ++b) {
    EXPECT_FALSE(opens(sealed.enc, "info", "aad", FlipBit(sealed.ciphertext, b))) << b;
  }
  for (size_t b = 0; b < 32; ++b) {
    EXPECT_FALSE(opens(sealed.enc, FlipBit("info", b), "aad", sealed.ciphertext)) << b;
  }
  for (size_t b = 0; b < 24; ++b) {
    EXPECT_FALSE(opens(sealed.enc, "info", FlipBit("aad", b), sealed.ciphertext)) << b;
  }
  EXPECT_FALSE(opens(sealed.enc.substr(1), "info", "aad", sealed.ciphertext));
  EXPECT_FALSE(
      OpenBase(X25519KeyPair::Generate(), sealed.enc, "info", "aad", sealed.ciphertext).value());
}

TEST(Hpke, RefusesAnAllZeroSharedSecret) {
  const X25519KeyPair own = X25519KeyPair::Generate();
  for (const char* point : kSmallOrder) {
    const auto sealed = SealBase(X25519PublicKey::From(Hex(point)).value(), "", "", "text");
    ASSERT_FALSE(sealed.ok()) << point;
    EXPECT_EQ(sealed.error().reason, "KEY_SET_INVALID");
    EXPECT_FALSE(OpenBase(own, Hex(point), "", "", Bytes(20, '\0')).value()) << point;
  }
}

TEST(X25519KeyPair, RefusesAPrivateKeyOfAnotherLength) {
  for (size_t size : {0u, 31u, 33u}) {
    EXPECT_FALSE(X25519KeyPair::FromPrivate(SecretBytes(size)).ok());
  }
}

}  // namespace
}  // namespace schakel::crypto
