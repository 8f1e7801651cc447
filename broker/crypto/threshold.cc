#include "broker/crypto/threshold.h"

#include <algorithm>
#include <optional>

#include "broker/base/check.h"

namespace schakel::crypto {
namespace {

// f(x) by Horner's rule, highest coefficient first. nullopt when an intermediate value is zero: its
// probability is about 2^-252, and a share may not be zero.
std::optional<SecretScalar> EvaluatePolynomial(std::span<const SecretScalar> coefficients,
                                               uint8_t x) {
  const Scalar at = Scalar::FromInt(x);
  std::optional<SecretScalar> value = coefficients.back().Clone();
  for (size_t j = coefficients.size() - 1; j-- > 0 && value;) {
    value = value->MultiplyAdd(at, coefficients[j]);
  }
  return value;
}

}  // namespace

Result<Dealing> DealShares(const SecretScalar& key, uint8_t threshold, uint8_t count) {
  if (threshold < 1 || threshold > count || count > limits::kCustodiansMax) {
    return InvalidArgument("FIELD_INVALID", "threshold",
                           "expected 1 <= threshold <= custodians <= 16");
  }
  std::vector<SecretScalar> coefficients;
  coefficients.push_back(key.Clone());
  while (coefficients.size() < threshold) coefficients.push_back(SecretScalar::Random());
  Dealing dealing;
  for (const SecretScalar& a : coefficients) {
    dealing.commitments.push_back(Point::MultiplyGenerator(a));
  }
  for (uint8_t x = 1; x <= count; ++x) {
    auto share = EvaluatePolynomial(coefficients, x);
    if (!share) return Internal("a share is zero; deal again");
    dealing.shares.push_back({x, std::move(*share)});
  }
  return dealing;
}

Result<Point> PublicShare(std::span<const Point> commitments, uint8_t x) {
  if (commitments.empty() || x == 0) {
    return InvalidArgument("FIELD_INVALID", "x", "expected commitments and an x above 0");
  }
  const Scalar at = Scalar::FromInt(x);
  std::optional<Point> sum = commitments.back();
  for (size_t j = commitments.size() - 1; j-- > 0 && sum;) {
    sum = sum->Multiply(at);
    if (sum) sum = sum->Add(commitments[j]);
  }
  if (!sum) return Internal("the commitments give the identity");
  return *sum;
}

Result<bool> VerifyShare(std::span<const Point> commitments, const KeyShare& share) {
  SCHAKEL_ASSIGN(Point expected, PublicShare(commitments, share.x));
  return Point::MultiplyGenerator(share.secret) == expected;
}

Result<std::vector<Scalar>> LagrangeAtZero(std::span<const uint8_t> xs) {
  if (xs.empty() || xs.size() > limits::kCustodiansMax) {
    return InvalidArgument("FIELD_INVALID", "x", "expected 1 to 16 shares");
  }
  std::vector<Scalar> coefficients;
  for (size_t i = 0; i < xs.size(); ++i) {
    if (xs[i] == 0) return InvalidArgument("FIELD_INVALID", "x", "expected an x above 0");
    // product over j of x_j / (x_j - x_i)
    Scalar numerator = Scalar::FromInt(1);
    Scalar denominator = Scalar::FromInt(1);
    for (size_t j = 0; j < xs.size(); ++j) {
      if (j == i) continue;
      numerator = numerator * Scalar::FromInt(xs[j]);
      denominator = denominator * (Scalar::FromInt(xs[j]) - Scalar::FromInt(xs[i]));
    }
    std::optional<Scalar> inverse = denominator.Inverse();
    if (!inverse) return InvalidArgument("FIELD_INVALID", "x", "the same x stands there twice");
    coefficients.push_back(numerator * *inverse);
  }
  return coefficients;
}

Result<Point> CombineElements(std::span<const Scalar> coefficients,
                              std::span<const Point> elements) {
  SCHAKEL_CHECK(!elements.empty() && coefficients.size() == elements.size(),
                "one coefficient per element");
  std::optional<Point> sum;
  for (size_t i = 0; i < elements.size(); ++i) {
    std::optional<Point> term = elements[i].Multiply(coefficients[i]);
    if (term) sum = sum ? sum->Add(*term) : term;
    if (!term || !sum) return Internal("the combined element is the identity");
  }
  return *sum;
}

}  // namespace schakel::crypto
