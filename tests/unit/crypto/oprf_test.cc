#include "broker/crypto/oprf.h"

#include <gtest/gtest.h>

#include <sstream>

#include "broker/crypto/oprf_internal.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

std::vector<Bytes> Split(const nlohmann::json& field) {
  std::vector<Bytes> parts;
  std::istringstream in(field.get<std::string>());
  for (std::string part; std::getline(in, part, ',');) parts.push_back(HexDecode(part).value());
  return parts;
}

std::vector<Point> Points(const nlohmann::json& field) {
  std::vector<Point> points;
  for (const Bytes& raw : Split(field)) points.push_back(Point::Decode(raw).value());
  return points;
}

SecretScalar Secret(BytesView raw) { return SecretScalar::Decode(raw).value(); }

// The vectors of one mode of RFC 9497 A.1.
nlohmann::json Mode(int mode) {
  for (const auto& suite : LoadVectors("oprf/ristretto255-SHA512.json")) {
    if (suite["mode"] == mode) return suite;
  }
  return {};
}

void CheckKeysAndOutputs(const nlohmann::json& suite, OprfMode mode) {
  auto pair = DeriveKeyPair(Hex(suite["seed"]), Hex(suite["keyInfo"]), mode);
  ASSERT_TRUE(pair.ok());
  EXPECT_EQ(pair->secret_key.ExposeSecret(), Hex(suite["skSm"]));
  for (const auto& v : suite["vectors"]) {
    const auto inputs = Split(v["Input"]);
    const auto blinds = Split(v["Blind"]);
    const auto blinded = Points(v["BlindedElement"]);
    const auto evaluated = Points(v["EvaluationElement"]);
    const auto outputs = Split(v["Output"]);
    ASSERT_EQ(inputs.size(), v["Batch"].get<size_t>());
    auto evaluation = BlindEvaluate(pair->secret_key, pair->public_key, blinded);
    ASSERT_TRUE(evaluation.ok());
    EXPECT_EQ(evaluation->elements, evaluated);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const SecretScalar blind = Secret(blinds[i]);
      EXPECT_EQ(*internal::BlindWith(inputs[i], blind, mode), blinded[i]);
      EXPECT_EQ(Finalize(inputs[i], blind, evaluated[i])->ExposeSecret(), outputs[i]);
    }
  }
}

TEST(Oprf, EqualsThePublishedValuesOfModeOprf) {
  const auto suite = Mode(0);
  ASSERT_EQ(suite["vectors"].size(), 2u);
  CheckKeysAndOutputs(suite, OprfMode::kOprf);
}

TEST(Oprf, EqualsThePublishedValuesOfModeVoprf) {
  const auto suite = Mode(1);
  ASSERT_EQ(suite["vectors"].size(), 3u);
  CheckKeysAndOutputs(suite, OprfMode::kVoprf);
  const SecretScalar key = Secret(Hex(suite["skSm"]));
  const Point public_key = Point::Decode(Hex(suite["pkSm"])).value();
  EXPECT_EQ(Point::MultiplyGenerator(key), public_key);
  for (const auto& v : suite["vectors"]) {
    const auto blinded = Points(v["BlindedElement"]);
    const auto evaluated = Points(v["EvaluationElement"]);
    const Bytes expected = Hex(v["Proof"]["proof"]);
    auto proof =
        internal::ProveWith(key, public_key, blinded, evaluated, Secret(Hex(v["Proof"]["r"])));
    ASSERT_TRUE(proof.ok());
    EXPECT_EQ(proof->Encode(), expected);
    EXPECT_TRUE(VerifyProof(public_key, blinded, evaluated, *OprfProof::Decode(expected)));
  }
}

// The blind hides the input: fresh ones give other elements and the same output.
TEST(Oprf, GivesTheSameOutputUnderEveryBlind) {
  const auto suite = Mode(1);
  const SecretScalar key = Secret(Hex(suite["skSm"]));
  const auto& v = suite["vectors"][0];
  auto first = Blind(Hex(v["Input"]));
  auto second = Blind(Hex(v["Input"]));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->element, second->element);
  for (const auto* b : {&*first, &*second}) {
    auto output = Finalize(Hex(v["Input"]), b->blind, b->element.Multiply(key));
    EXPECT_EQ(output->ExposeSecret(), Hex(v["Output"]));
  }
}

class Proofs : public testing::Test {
 protected:
  Proofs() {
    for (int i = 0; i < 3; ++i) {
      blinded_.push_back(Blind("input " + std::to_string(i)).value().element);
    }
    evaluation_ = BlindEvaluate(key_, public_key_, blinded_).value();
  }

  const SecretScalar key_ = SecretScalar::Random();
  const Point public_key_ = Point::MultiplyGenerator(key_);
  std::vector<Point> blinded_;
  Evaluation evaluation_{{}, {Scalar::FromInt(0), Scalar::FromInt(0)}};
};

TEST_F(Proofs, VerifyWhenTheyAreTrue) {
  EXPECT_TRUE(VerifyProof(public_key_, blinded_, evaluation_.elements, evaluation_.proof));
}

TEST_F(Proofs, AreRefusedWithAnyBitFlipped) {
  const Bytes encoded = evaluation_.proof.Encode();
  ASSERT_EQ(encoded.size(), kOprfProofBytes);
  for (size_t bit = 0; bit < encoded.size() * 8; ++bit) {
    auto proof = OprfProof::Decode(FlipBit(encoded, bit));
    EXPECT_FALSE(proof && VerifyProof(public_key_, blinded_, evaluation_.elements, *proof)) << bit;
  }
}

TEST_F(Proofs, AreRefusedForAnotherKeyElementOrOrder) {
  const Point other = Point::MultiplyGenerator(SecretScalar::Random());
  EXPECT_FALSE(VerifyProof(other, blinded_, evaluation_.elements, evaluation_.proof));
  for (size_t i = 0; i < blinded_.size(); ++i) {
    auto changed = evaluation_.elements;
    changed[i] = other;
    EXPECT_FALSE(VerifyProof(public_key_, blinded_, changed, evaluation_.proof)) << i;
    changed = blinded_;
    changed[i] = other;
    EXPECT_FALSE(VerifyProof(public_key_, changed, evaluation_.elements, evaluation_.proof)) << i;
  }
  auto swapped_in = blinded_;
  auto swapped_out = evaluation_.elements;
  std::swap(swapped_in[0], swapped_in[1]);
  EXPECT_FALSE(VerifyProof(public_key_, swapped_in, swapped_out, evaluation_.proof));
  // The pairs are true, but each has its place in the proof.
  std::swap(swapped_out[0], swapped_out[1]);
  EXPECT_FALSE(VerifyProof(public_key_, swapped_in, swapped_out, evaluation_.proof));
}

TEST_F(Proofs, AreRefusedForListsOfOtherLengths) {
  EXPECT_FALSE(VerifyProof(public_key_, {}, {}, evaluation_.proof));
  auto shorter = std::span(blinded_).first(2);
  EXPECT_FALSE(VerifyProof(public_key_, shorter, evaluation_.elements, evaluation_.proof));
  EXPECT_FALSE(VerifyProof(public_key_, shorter, std::span(evaluation_.elements).first(2),
                           evaluation_.proof));
}

TEST_F(Proofs, OfZeroAreRefused) {
  const Scalar zero = Scalar::FromInt(0);
  for (const OprfProof& proof :
       {OprfProof{zero, zero}, OprfProof{evaluation_.proof.challenge, zero},
        OprfProof{zero, evaluation_.proof.response}}) {
    EXPECT_FALSE(VerifyProof(public_key_, blinded_, evaluation_.elements, proof));
  }
}

TEST_F(Proofs, HaveOneFormOnly) {
  const Bytes encoded = evaluation_.proof.Encode();
  EXPECT_FALSE(OprfProof::Decode(encoded.substr(1)));
  EXPECT_FALSE(OprfProof::Decode(encoded + '\0'));
  EXPECT_FALSE(OprfProof::Decode(Bytes(64, '\xff')));
  EXPECT_FALSE(OprfProof::Decode(encoded.substr(0, 32) + Bytes(32, '\xff')));
  EXPECT_TRUE(OprfProof::Decode(encoded));
}

// Two answers to the same question must not share a nonce: r = s + c * k would be the same.
TEST_F(Proofs, NeverUseANonceTwice) {
  const Evaluation again = BlindEvaluate(key_, public_key_, blinded_).value();
  const Scalar k = Scalar::Decode(key_.ExposeSecret()).value();
  auto nonce = [&](const OprfProof& p) { return p.response + p.challenge * k; };
  EXPECT_NE(nonce(again.proof), nonce(evaluation_.proof));
}

TEST_F(Proofs, DeriveTheirNonceFromEverything) {
  const Bytes fresh(32, 'f');
  auto derive = [&](const Bytes& random, const SecretScalar& key, const Point& pk,
                    std::span<const Point> in, std::span<const Point> out) {
    return Bytes(internal::DeriveNonce(random, key, pk, in, out).ExposeSecret());
  };
  const std::span<const Point> in = blinded_;
  const std::span<const Point> out = evaluation_.elements;
  const Bytes base = derive(fresh, key_, public_key_, in, out);
  EXPECT_EQ(derive(fresh, key_, public_key_, in, out), base);
  EXPECT_NE(derive(Bytes(32, 'g'), key_, public_key_, in, out), base);
  EXPECT_NE(derive(fresh, SecretScalar::Random(), public_key_, in, out), base);
  EXPECT_NE(derive(fresh, key_, Point::Generator(), in, out), base);
  EXPECT_NE(derive(fresh, key_, public_key_, in.first(2), out.first(2)), base);
  EXPECT_NE(derive(fresh, key_, public_key_, out, in), base);
}

TEST_F(Proofs, AreNotMadeForAnEmptyOrTooLongBatch) {
  auto none = BlindEvaluate(key_, public_key_, {});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().reason, "FIELD_INVALID");
  const std::vector<Point> many(kOprfBatchMax + 1, Point::Generator());
  EXPECT_FALSE(BlindEvaluate(key_, public_key_, many).ok());
}

TEST(Oprf, RefusesInputOfMoreThanTheRfcCanHash) {
  EXPECT_FALSE(Blind(Bytes(kOprfInputBytesMax + 1, 'x')).ok());
  auto longest = Blind(Bytes(kOprfInputBytesMax, 'x'));
  ASSERT_TRUE(longest.ok());
  EXPECT_FALSE(Finalize(Bytes(kOprfInputBytesMax + 1, 'x'), longest->blind, longest->element).ok());
}

}  // namespace
}  // namespace schakel::crypto
