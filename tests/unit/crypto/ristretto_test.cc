#include "broker/crypto/ristretto.h"

#include <gtest/gtest.h>

#include "broker/crypto/hash.h"
#include "broker/crypto/random.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

// The group order, little-endian. SOURCE: RFC 9496 4.4
constexpr const char* kOrder = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

std::span<const uint8_t, kUniformBytes> Uniform(const Bytes& raw) {
  EXPECT_EQ(raw.size(), kUniformBytes);
  return std::span<const uint8_t, kUniformBytes>(reinterpret_cast<const uint8_t*>(raw.data()),
                                                 kUniformBytes);
}

TEST(Ristretto, EqualsThePublishedMultiplesOfTheGenerator) {
  const auto multiples = LoadVectors("ristretto255/rfc9496.json")["generator_multiples"];
  ASSERT_EQ(multiples.size(), 16u);
  std::optional<Point> sum;
  for (size_t i = 1; i < multiples.size(); ++i) {
    sum = sum ? sum->Add(Point::Generator()) : Point::Generator();
    ASSERT_TRUE(sum);
    EXPECT_EQ(sum->str(), Hex(multiples[i])) << i;
    EXPECT_EQ(Point::MultiplyGenerator(Scalar::FromInt(i))->str(), Hex(multiples[i])) << i;
    EXPECT_EQ(Point::Generator().Multiply(Scalar::FromInt(i))->str(), Hex(multiples[i])) << i;
    EXPECT_EQ(Point::Decode(Hex(multiples[i])), sum) << i;
  }
}

TEST(Ristretto, RefusesAllPublishedBadEncodings) {
  const auto bad = LoadVectors("ristretto255/rfc9496.json")["invalid_encodings"];
  ASSERT_EQ(bad.size(), 29u);
  for (const auto& encoding : bad) EXPECT_FALSE(Point::Decode(Hex(encoding))) << encoding;
}

TEST(Ristretto, RefusesTheIdentityAndWrongSizes) {
  const auto multiples = LoadVectors("ristretto255/rfc9496.json")["generator_multiples"];
  EXPECT_FALSE(Point::Decode(Hex(multiples[0])));
  const Bytes good = Point::Generator().str();
  EXPECT_TRUE(Point::Decode(good));
  EXPECT_FALSE(Point::Decode(good.substr(1)));
  EXPECT_FALSE(Point::Decode(good + '\0'));
  EXPECT_FALSE(Point::Decode(""));
}

// libsodium 1.0.18 takes encodings with the top bit set, which the published bad ones do not show.
TEST(Ristretto, HasOneEncodingPerElement) {
  const auto vectors = LoadVectors("ristretto255/rfc9496.json")["generator_multiples"];
  for (size_t i = 1; i < vectors.size(); ++i) {
    const Bytes good = Hex(vectors[i]);
    EXPECT_FALSE(Point::Decode(FlipBit(good, 255))) << i;
    for (size_t bit = 0; bit < 255; ++bit) {
      const auto other = Point::Decode(FlipBit(good, bit));
      // What comes out of an operation is canonical; a decoded point must be as well.
      if (other) {
        EXPECT_EQ(other->Multiply(Scalar::FromInt(1)), other) << i << " " << bit;
      }
    }
  }
}

TEST(Ristretto, NeverMakesTheIdentity) {
  const Scalar minus_one = Scalar::FromInt(0) - Scalar::FromInt(1);
  EXPECT_FALSE(Point::Generator().Add(*Point::MultiplyGenerator(minus_one)));
  EXPECT_FALSE(Point::Generator().Multiply(Scalar::FromInt(0)));
  EXPECT_FALSE(Point::MultiplyGenerator(Scalar::FromInt(0)));
}

TEST(Ristretto, DerivesThePublishedElements) {
  const auto vectors = LoadVectors("ristretto255/rfc9496.json");
  ASSERT_EQ(vectors["hash_labels_sha512"].size(), 7u);
  for (const auto& v : vectors["hash_labels_sha512"]) {
    const auto hash = Sha512(v["label"].get<std::string>());
    EXPECT_EQ(Point::FromUniform(hash)->str(), Hex(v["element"])) << v["label"];
  }
  ASSERT_EQ(vectors["from_uniform_bytes"].size(), 11u);
  for (const auto& v : vectors["from_uniform_bytes"]) {
    const Bytes raw = Hex(v["uniform_bytes"]);
    EXPECT_EQ(Point::FromUniform(Uniform(raw))->str(), Hex(v["element"])) << v["uniform_bytes"];
  }
}

TEST(ExpandMessageXmd, EqualsThePublishedValues) {
  const auto vectors = LoadVectors("ristretto255/expand_message_xmd_SHA512_38.json");
  const auto dst = vectors["DST"].get<std::string>();
  ASSERT_EQ(vectors["tests"].size(), 10u);
  for (const auto& v : vectors["tests"]) {
    const Bytes expected = Hex(v["uniform_bytes"]);
    EXPECT_EQ(std::stoul(v["len_in_bytes"].get<std::string>(), nullptr, 16), expected.size());
    std::vector<uint8_t> out(expected.size());
    ExpandMessageXmd(v["msg"].get<std::string>(), dst, out);
    EXPECT_EQ(Bytes(out.begin(), out.end()), expected) << v["msg"];
  }
}

TEST(ExpandMessageXmd, StopsOnAnEmptyOrTooLongDst) {
  uint8_t out[64];
  EXPECT_DEATH(ExpandMessageXmd("x", "", out), "RFC 9380");
  EXPECT_DEATH(ExpandMessageXmd("x", std::string(256, 'd'), out), "RFC 9380");
  ExpandMessageXmd("x", std::string(255, 'd'), out);
}

TEST(HashToGroup, EqualsThePublishedElements) {
  const auto cases = LoadVectors("ristretto255/rfc9497-hash-to-group.json")["cases"];
  ASSERT_EQ(cases.size(), 7u);
  for (const auto& v : cases) {
    const Bytes input = Hex(v["input"]);
    const Bytes dst = Hex(v["dst_hex"]);
    const Point expected = Point::Decode(Hex(v["element"])).value();
    EXPECT_EQ(Point::Hash(input, dst), expected) << v["dst_hex"];
    const SecretScalar blind = SecretScalar::Random();
    EXPECT_EQ(Point::BlindedHash(input, dst, blind), expected.Multiply(blind)) << v["dst_hex"];
  }
}

TEST(ScalarType, RefusesWhatIsNotBelowTheOrder) {
  Bytes order = Hex(kOrder);
  EXPECT_FALSE(Scalar::Decode(order));
  EXPECT_FALSE(SecretScalar::Decode(order));
  Bytes below = order;
  below[0] = static_cast<char>(below[0] - 1);
  EXPECT_EQ(Scalar::Decode(below), Scalar::FromInt(0) - Scalar::FromInt(1));
  EXPECT_TRUE(SecretScalar::Decode(below));
  Bytes above = order;
  above[0] = static_cast<char>(above[0] + 1);
  EXPECT_FALSE(Scalar::Decode(above));
  EXPECT_FALSE(Scalar::Decode(Bytes(32, '\xff')));
  // The top bits, which libsodium's multiplication would ignore.
  for (size_t bit : {253u, 254u, 255u}) {
    EXPECT_FALSE(Scalar::Decode(FlipBit(Bytes(32, '\0'), bit))) << bit;
    EXPECT_FALSE(SecretScalar::Decode(FlipBit(Bytes(32, '\0'), bit))) << bit;
  }
  EXPECT_FALSE(Scalar::Decode(below.substr(1)));
  EXPECT_FALSE(Scalar::Decode(below + '\0'));
}

TEST(ScalarType, ObeysTheLawsOfAField) {
  for (int round = 0; round < 50; ++round) {
    const Bytes raw_a = RandomBytes(64);
    const Bytes raw_b = RandomBytes(64);
    const Scalar a = Scalar::Reduce(Uniform(raw_a));
    const Scalar b = Scalar::Reduce(Uniform(raw_b));
    EXPECT_EQ((a + b) - b, a) << HexEncode(raw_a) << " " << HexEncode(raw_b);
    EXPECT_EQ(a * b, b * a);
    EXPECT_EQ(a * (a + b), a * a + a * b);
    EXPECT_EQ(a * *a.Inverse(), Scalar::FromInt(1));
  }
  EXPECT_FALSE(Scalar::FromInt(0).Inverse());
  EXPECT_TRUE(Scalar::FromInt(0).IsZero());
}

TEST(SecretScalarType, IsNeverZero) {
  EXPECT_FALSE(SecretScalar::Decode(Bytes(32, '\0')));
  EXPECT_FALSE(SecretScalar::Reduce(Uniform(Bytes(64, '\0'))));
  EXPECT_FALSE(SecretScalar::Reduce(Uniform(Hex(kOrder) + Bytes(32, '\0'))));
  EXPECT_TRUE(SecretScalar::Reduce(Uniform(Bytes(64, '\1'))));
}

TEST(SecretScalarType, ComputesAsThePublicOneDoes) {
  for (int round = 0; round < 20; ++round) {
    const SecretScalar a = SecretScalar::Random();
    const SecretScalar b = SecretScalar::Random();
    const Scalar pa = Scalar::Decode(a.ExposeSecret()).value();
    const Scalar pb = Scalar::Decode(b.ExposeSecret()).value();
    const Scalar f = Scalar::FromInt(static_cast<uint64_t>(round));
    EXPECT_EQ(a.Inverse().ExposeSecret(), pa.Inverse()->view());
    EXPECT_EQ(a.MultiplyAdd(f, b)->ExposeSecret(), (pa * f + pb).view());
    EXPECT_EQ(a.Response(b, f), pb - f * pa);
    EXPECT_EQ(Point::MultiplyGenerator(a), Point::MultiplyGenerator(pa));
    EXPECT_EQ(Point::Generator().Multiply(a), Point::Generator().Multiply(pa));
    EXPECT_EQ(Point::Generator().MultiplyToSecret(a).ExposeSecret(),
              Point::MultiplyGenerator(a).view());
    EXPECT_TRUE(a.Equals(a.Clone()));
    EXPECT_FALSE(a.Equals(b));
  }
  const SecretScalar one = SecretScalar::Decode(Scalar::FromInt(1).view()).value();
  EXPECT_FALSE(one.MultiplyAdd(Scalar::FromInt(0) - Scalar::FromInt(1), one));
}

}  // namespace
}  // namespace schakel::crypto
