#include "broker/crypto/key_set.h"

#include <gtest/gtest.h>

#include <functional>

#include "broker/crypto/hash.h"
#include "broker/crypto/sign.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

constexpr Millis kDay{24 * 3600 * 1000};

KeySet Example() {
  return {OrganisationId::From("00000099000000002000").value(),
          1,
          Millis(1'767'225'600'000),
          Millis(1'767'225'600'000) + 89 * kDay,
          Digest(),
          X25519PublicKey::From(Bytes(32, '\x11')).value(),
          Ed25519PublicKey::From(Bytes(32, '\x22')).value()};
}

std::string FieldRefused(const KeySet& key_set) {
  const auto parsed = ParseKeySet(EncodeKeySet(key_set));
  if (parsed.ok()) return "none";
  EXPECT_EQ(parsed.error().reason, "KEY_SET_INVALID");
  return parsed.error().field;
}

TEST(KeySet, GivesTheValuesOfTheVectors) {
  const auto file = LoadVectors("schakel/formats-1.json");
  const auto& v = file["key_set"];
  const SigningKey key = SigningKey::FromSeed(HexSecret(file["signing_private_key_seed"])).value();
  const KeySet key_set{Oin(v["oin"]),
                       v["version"],
                       Millis(v["not_before"].get<int64_t>()),
                       Millis(v["not_after"].get<int64_t>()),
                       Digest(),
                       X25519PublicKey::From(Hex(file["recipients"][0]["public_key"])).value(),
                       key.public_key()};
  const Bytes bytes = EncodeKeySet(key_set);
  EXPECT_EQ(bytes.size(), kKeySetBytes);
  EXPECT_EQ(HexEncode(bytes), v["bytes"]);
  EXPECT_EQ(KeySetDigest(bytes), HexDigest(v["digest"]));
  EXPECT_EQ(ParseKeySet(bytes).value(), key_set);
  EXPECT_EQ(HexEncode(key.Sign(bytes)), v["new_key_signature"]);
  EXPECT_TRUE(VerifyNewKeySignature(key_set, Hex(v["new_key_signature"])));
}

TEST(KeySet, NewKeySignatureCoversEveryBit) {
  const auto file = LoadVectors("schakel/formats-1.json");
  const Bytes bytes = Hex(file["key_set"]["bytes"]);
  const Bytes signature = Hex(file["key_set"]["new_key_signature"]);
  size_t parsed_count = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto parsed = ParseKeySet(FlipBit(bytes, bit));
    if (!parsed.ok()) continue;
    ++parsed_count;
    EXPECT_FALSE(VerifyNewKeySignature(*parsed, signature)) << bit;
  }
  EXPECT_GE(parsed_count, 512u);  // at least each bit of both keys still parses
}

TEST(KeySet, RefusesOtherLengthsAndLabels) {
  const Bytes bytes = EncodeKeySet(Example());
  ASSERT_TRUE(ParseKeySet(bytes).ok());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseKeySet(bytes.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(ParseKeySet(bytes + '\0').ok());
  for (size_t bit = 0; bit < 19 * 8; ++bit) EXPECT_FALSE(ParseKeySet(FlipBit(bytes, bit)).ok());
}

TEST(KeySet, RefusesWhatBreaksARule) {
  struct Case {
    const char* field;
    std::function<void(KeySet&)> change;
  };
  const Case cases[] = {
      {"none", [](KeySet&) {}},
      {"none", [](KeySet& k) { k.not_after = k.not_before + 90 * kDay; }},
      {"none", [](KeySet& k) { k.version = 2, k.previous = Sha256("first"); }},
      {"version", [](KeySet& k) { k.version = 0; }},
      {"previous", [](KeySet& k) { k.version = 2; }},
      {"previous", [](KeySet& k) { k.previous = Sha256("first"); }},
      {"not_after", [](KeySet& k) { k.not_after = k.not_before; }},
      {"not_after", [](KeySet& k) { k.not_after = k.not_before - Millis(1); }},
      {"not_after", [](KeySet& k) { k.not_after = k.not_before + 90 * kDay + Millis(1); }},
      {"not_after", [](KeySet& k) { k.not_after = Millis(INT64_MAX); }},
      {"not_after", [](KeySet& k) { k.not_before = Millis(-1); }},
      {"sealing_key", [](KeySet& k) { k.sealing_key = {}; }},
      {"signing_key", [](KeySet& k) { k.signing_key = {}; }},
  };
  for (const Case& c : cases) {
    KeySet key_set = Example();
    c.change(key_set);
    EXPECT_EQ(FieldRefused(key_set), c.field);
  }
  Bytes letters = EncodeKeySet(Example());
  letters[25] = 'x';
  EXPECT_EQ(ParseKeySet(letters).error().field, "oin");
}

TEST(KeySet, FollowsItsPredecessorOnly) {
  const KeySet first = Example();
  KeySet second = first;
  second.version = 2;
  second.previous = KeySetDigest(EncodeKeySet(first));
  EXPECT_TRUE(Follows(first, second));
  KeySet skipped = second;
  skipped.version = 3;
  EXPECT_FALSE(Follows(first, skipped));
  KeySet other_owner = second;
  other_owner.oin = OrganisationId::From("00000099000000002001").value();
  EXPECT_FALSE(Follows(first, other_owner));
  KeySet other_chain = second;
  other_chain.previous.bytes[0] ^= 1;
  EXPECT_FALSE(Follows(first, other_chain));
  EXPECT_FALSE(Follows(first, first));
}

}  // namespace
}  // namespace schakel::crypto
