#include "broker/crypto/threshold.h"

#include <gtest/gtest.h>

#include "broker/crypto/oprf.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

// All ways to choose `size` of 1 .. count.
std::vector<std::vector<uint8_t>> Choices(uint8_t count, uint8_t size, uint8_t from = 1) {
  if (size == 0) return {{}};
  std::vector<std::vector<uint8_t>> all;
  for (uint8_t x = from; x <= count; ++x) {
    for (auto& rest : Choices(count, static_cast<uint8_t>(size - 1), static_cast<uint8_t>(x + 1))) {
      rest.insert(rest.begin(), x);
      all.push_back(rest);
    }
  }
  return all;
}

Point Combine(const Dealing& dealing, const std::vector<uint8_t>& xs, const Point& blinded) {
  std::vector<Point> elements;
  for (uint8_t x : xs) elements.push_back(blinded.Multiply(dealing.shares[x - 1u].secret));
  return CombineElements(LagrangeAtZero(xs).value(), elements).value();
}

TEST(Threshold, EveryChoiceOfSharesGivesThePublishedOutput) {
  const auto suite = LoadVectors("oprf/ristretto255-SHA512.json")[1];
  ASSERT_EQ(suite["mode"], 1);
  const SecretScalar key = SecretScalar::Decode(Hex(suite["skSm"])).value();
  const struct {
    uint8_t t, n;
    size_t choices;
  } cases[] = {{1, 1, 1}, {2, 3, 3}, {3, 5, 10}, {1, 4, 4}, {16, 16, 1}};
  for (const auto& c : cases) {
    const Dealing dealing = DealShares(key, c.t, c.n).value();
    EXPECT_EQ(dealing.commitments.size(), c.t);
    EXPECT_EQ(dealing.commitments[0].str(), Hex(suite["pkSm"]));
    const auto choices = Choices(c.n, c.t);
    EXPECT_EQ(choices.size(), c.choices);
    for (const auto& xs : choices) {
      for (const auto& v : suite["vectors"]) {
        if (v["Batch"] != 1) continue;
        const SecretScalar blind = SecretScalar::Decode(Hex(v["Blind"])).value();
        const Point combined =
            Combine(dealing, xs, Point::Decode(Hex(v["BlindedElement"])).value());
        EXPECT_EQ(combined.str(), Hex(v["EvaluationElement"]));
        EXPECT_EQ(Finalize(Hex(v["Input"]), blind, combined)->ExposeSecret(), Hex(v["Output"]));
      }
    }
  }
}

TEST(Threshold, TheOrderOfTheSharesDoesNotMatter) {
  const SecretScalar key = SecretScalar::Random();
  const Dealing dealing = DealShares(key, 3, 5).value();
  const Point expected = Point::Generator().Multiply(key);
  EXPECT_EQ(Combine(dealing, {5, 1, 3}, Point::Generator()), expected);
  EXPECT_EQ(Combine(dealing, {3, 5, 1}, Point::Generator()), expected);
}

TEST(Threshold, FewerSharesThanTheThresholdGiveSomethingElse) {
  const SecretScalar key = SecretScalar::Random();
  const Dealing dealing = DealShares(key, 3, 5).value();
  for (const auto& xs : Choices(5, 2)) {
    EXPECT_NE(Combine(dealing, xs, Point::Generator()), dealing.commitments[0]);
  }
}

TEST(Threshold, SharesAreWhatTheCommitmentsPromise) {
  const Dealing dealing = DealShares(SecretScalar::Random(), 3, 5).value();
  for (const KeyShare& share : dealing.shares) {
    EXPECT_TRUE(VerifyShare(dealing.commitments, share).value());
    EXPECT_EQ(PublicShare(dealing.commitments, share.x).value(),
              Point::MultiplyGenerator(share.secret));
    EXPECT_FALSE(VerifyShare(dealing.commitments, {share.x, SecretScalar::Random()}).value());
    const auto next = static_cast<uint8_t>(share.x % 5 + 1);
    EXPECT_FALSE(VerifyShare(dealing.commitments, {next, share.secret.Clone()}).value());
    for (size_t bit = 0; bit < 252; bit += 13) {
      auto flipped = SecretScalar::Decode(FlipBit(Bytes(share.secret.ExposeSecret()), bit));
      if (!flipped) continue;
      EXPECT_FALSE(VerifyShare(dealing.commitments, {share.x, std::move(*flipped)}).value());
    }
  }
  auto commitments = dealing.commitments;
  commitments[2] = Point::Generator();
  EXPECT_FALSE(VerifyShare(commitments, dealing.shares[0]).value());
}

TEST(Threshold, RefusesWrongNumbers) {
  const SecretScalar key = SecretScalar::Random();
  EXPECT_FALSE(DealShares(key, 0, 3).ok());
  EXPECT_FALSE(DealShares(key, 4, 3).ok());
  EXPECT_FALSE(DealShares(key, 2, 17).ok());
  EXPECT_FALSE(DealShares(key, 0, 0).ok());
  EXPECT_FALSE(LagrangeAtZero({}).ok());
  EXPECT_FALSE(LagrangeAtZero(std::vector<uint8_t>{1, 0}).ok());
  EXPECT_FALSE(LagrangeAtZero(std::vector<uint8_t>{1, 2, 1}).ok());
  EXPECT_FALSE(LagrangeAtZero(std::vector<uint8_t>(17, 1)).ok());
  EXPECT_FALSE(PublicShare({}, 1).ok());
  EXPECT_FALSE(PublicShare(std::vector<Point>{Point::Generator()}, 0).ok());
}

TEST(Threshold, TwoDealingsOfOneKeyShareNothingButTheKey) {
  const SecretScalar key = SecretScalar::Random();
  const Dealing a = DealShares(key, 2, 3).value();
  const Dealing b = DealShares(key, 2, 3).value();
  EXPECT_EQ(a.commitments[0], b.commitments[0]);
  EXPECT_NE(a.commitments[1], b.commitments[1]);
  for (size_t i = 0; i < 3; ++i) EXPECT_FALSE(a.shares[i].secret.Equals(b.shares[i].secret));
}

}  // namespace
}  // namespace schakel::crypto
