#include "broker/crypto/envelope_format.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/crypto/envelope_internal.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/padding.h"
#include "broker/crypto/sign.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

nlohmann::json Formats() { return LoadVectors("schakel/formats-1.json"); }

std::vector<Digest> Digests(const nlohmann::json& list) {
  std::vector<Digest> out;
  for (const auto& item : list) out.push_back(HexDigest(item));
  return out;
}

// n distinct values that stand for sd's, wd's and rt.
std::vector<Digest> Known(size_t n) {
  std::vector<Digest> out;
  for (size_t i = 0; i < n; ++i) out.push_back(Sha256("known " + std::to_string(i)));
  return out;
}

TEST(EnvelopeFormat, GivesEverySectionValueOfTheVectors) {
  const auto file = Formats();
  for (const auto& e : file["envelopes"]) {
    const Digest hd = HeaderDigest(Hex(e["header"]));
    EXPECT_EQ(hd, HexDigest(e["hd"]));
    for (const auto& s : e["sections"]) {
      const SectionId sid = SectionId::From(Hex(s["sid"])).value();
      const SectionKeys keys = DeriveSectionKeys(HexSecret(s["cek"]), hd, sid);
      EXPECT_EQ(HexEncode(keys.key.ExposeSecret()), s["key"]);
      EXPECT_EQ(keys.commitment, HexDigest(s["com"]));
      const SecretBytes padded =
          PadPlaintext(s["media_type"].get<std::string>(), s["schema_id"].get<std::string>(),
                       s["content"].get<std::string>())
              .value();
      EXPECT_EQ(padded.size(), s["padded_length"].get<size_t>());
      EXPECT_EQ(Sha256(padded.ExposeSecret()), HexDigest(s["padded_sha256"]));
      EXPECT_EQ(HexEncode(SectionAad(hd, sid, Hex(s["meta"]))), s["aad"]);
      EXPECT_EQ(Sha256(Hex(s["ciphertext"])), HexDigest(s["ciphertext_sha256"]));
      const Digest sd = SectionDigest(
          {hd, sid, Hex(s["meta"]), keys.commitment, HexDigest(s["ciphertext_sha256"])});
      EXPECT_EQ(sd, HexDigest(s["sd"]));
      for (const auto& w : s["wraps"]) {
        const OrganisationId recipient = Oin(w["recipient_oin"]);
        EXPECT_EQ(HexEncode(WrapAad({Oin(file["sender_oin"]), recipient,
                                     HexDigest(w["recipient_key_set_digest"])},
                                    sd)),
                  w["aad"]);
        EXPECT_EQ(WrapDigest(sd, recipient, Hex(w["enc"]), Hex(w["wrapped"])), HexDigest(w["wd"]));
      }
    }
  }
}

TEST(EnvelopeFormat, GivesEveryEnvelopeValueOfTheVectors) {
  const auto file = Formats();
  for (const auto& e : file["envelopes"]) {
    const Digest hd = HexDigest(e["hd"]);
    EXPECT_EQ(RoutingDigest(hd, Hex(e["routing"])), HexDigest(e["rt"]));
    std::vector<Digest> known = {HexDigest(e["rt"])};
    for (const auto& s : e["sections"]) {
      known.push_back(HexDigest(s["sd"]));
      for (const auto& w : s["wraps"]) known.push_back(HexDigest(w["wd"]));
    }
    const std::vector<Digest> fill = Digests(e["fill"]);
    size_t next = 0;
    const auto values = envelope_internal::BuildValuesWith(known, [&] { return fill.at(next++); });
    EXPECT_EQ(next, fill.size());
    EXPECT_EQ(values, Digests(e["values"]));
    EXPECT_EQ(CheckAllValues(values, known), ValuesFault::kNone);
    EXPECT_EQ(EnvelopeDigest(hd, values), HexDigest(e["envelope_digest"]));
  }
}

TEST(EnvelopeFormat, GivesTheBatchMessageAndItsSignature) {
  const auto file = Formats();
  const auto& batch = file["batch"];
  const Bytes message = BatchMessage(batch["n"], HexDigest(batch["root"]));
  EXPECT_EQ(HexEncode(message), batch["message"]);
  const SigningKey key = SigningKey::FromSeed(HexSecret(file["signing_private_key_seed"])).value();
  EXPECT_EQ(HexEncode(key.public_key().view()), file["signing_public_key"]);
  EXPECT_EQ(HexEncode(key.Sign(message)), batch["signature"]);
  EXPECT_TRUE(VerifyEd25519(key.public_key(), message, Hex(batch["signature"])));
  EXPECT_FALSE(VerifyEd25519(key.public_key(), BatchMessage(4, HexDigest(batch["root"])),
                             Hex(batch["signature"])));
}

TEST(EnvelopeFormat, KeepsNeighbouringFieldsApart) {
  const Digest hd = Sha256("header");
  EXPECT_NE(HeaderDigest(""), Sha256("schakel/v1/header\n"));
  EXPECT_NE(RoutingDigest(hd, "a"), RoutingDigest(hd, Bytes("a\0", 2)));
  EXPECT_NE(SectionAad(hd, SectionId(), "a"), SectionAad(hd, SectionId(), Bytes("a\0", 2)));
}

TEST(EnvelopeFormat, StopsTheProcessOnLengthsThatAreNotHashed) {
  const OrganisationId oin = OrganisationId::From("00000099000000002000").value();
  EXPECT_DEATH(WrapDigest(Digest(), oin, Bytes(33, '\0'), Bytes(47, '\0')), "32 and 48");
  EXPECT_DEATH(DeriveSectionKeys(SecretBytes(16), Digest(), SectionId()), "32 bytes");
}

TEST(Values, AreFilledToTheNextMultipleOfSixteen) {
  for (size_t n : {1u, 2u, 15u, 16u, 17u, 32u, 33u, 100u}) {
    const auto known = Known(n);
    const auto values = BuildValues(known);
    EXPECT_EQ(values.size(), (n + 15) / 16 * 16) << n;
    EXPECT_EQ(CheckAllValues(values, known), ValuesFault::kNone);
    EXPECT_EQ(CheckSomeValues(values, {}), ValuesFault::kNone);
  }
}

TEST(Values, AreFilledAtRandom) {
  const auto known = Known(3);
  EXPECT_NE(BuildValues(known), BuildValues(known));
}

TEST(Values, HoldTheLargestEnvelope) {
  const auto known = Known(64 + 64 * 32 + 1);
  const auto values = BuildValues(known);
  EXPECT_EQ(values.size(), limits::kValuesMax);
  EXPECT_EQ(CheckAllValues(values, known), ValuesFault::kNone);
}

TEST(Values, OfAWrongCountAreRefused) {
  const auto known = Known(3);
  auto values = BuildValues(known);
  EXPECT_EQ(CheckAllValues({}, {}), ValuesFault::kCount);
  EXPECT_EQ(CheckAllValues(std::span(values).first(15), {}), ValuesFault::kCount);
  values.push_back(values.back());
  EXPECT_EQ(CheckAllValues(values, known), ValuesFault::kCount);
  auto many = Known(limits::kValuesMax + 16);
  std::sort(many.begin(), many.end());
  EXPECT_EQ(CheckSomeValues(many, {}), ValuesFault::kCount);
}

TEST(Values, OutOfOrderOrTwiceThereAreRefused) {
  const auto known = Known(3);
  const auto values = BuildValues(known);
  for (size_t i = 1; i < values.size(); ++i) {
    auto swapped = values;
    std::swap(swapped[i - 1], swapped[i]);
    EXPECT_EQ(CheckAllValues(swapped, known), ValuesFault::kOrder) << i;
    auto doubled = values;
    doubled[i] = doubled[i - 1];
    EXPECT_EQ(CheckAllValues(doubled, known), ValuesFault::kOrder) << i;
  }
}

TEST(Values, WithoutAKnownOneAreRefused) {
  const auto known = Known(3);
  const auto values = BuildValues(known);
  auto other = known;
  other.push_back(Sha256("another"));
  EXPECT_EQ(CheckAllValues(values, other), ValuesFault::kMissing);
  EXPECT_EQ(CheckSomeValues(values, std::span(other).last(1)), ValuesFault::kMissing);
  EXPECT_EQ(CheckSomeValues(values, std::span(other).first(1)), ValuesFault::kNone);
}

TEST(Values, WithMoreFillingThanNeededAreRefusedByWhoKnowsAll) {
  const auto values = BuildValues(Known(17));  // 32 values
  EXPECT_EQ(CheckAllValues(values, Known(17)), ValuesFault::kNone);
  EXPECT_EQ(CheckAllValues(values, Known(16)), ValuesFault::kOverfilled);
  EXPECT_EQ(CheckSomeValues(values, Known(16)), ValuesFault::kNone);
}

TEST(EnvelopeDigest, ChangesWithEachValueAndTheHeader) {
  const auto values = BuildValues(Known(20));
  const Digest digest = EnvelopeDigest(Digest(), values);
  EXPECT_NE(EnvelopeDigest(Sha256("x"), values), digest);
  EXPECT_NE(EnvelopeDigest(Digest(), std::span(values).first(16)), digest);
  for (size_t i = 0; i < values.size(); ++i) {
    auto other = values;
    other[i].bytes[31] ^= 1;
    EXPECT_NE(EnvelopeDigest(Digest(), other), digest) << i;
  }
}

}  // namespace
}  // namespace schakel::crypto
