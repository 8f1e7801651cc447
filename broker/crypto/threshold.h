// The pseudonym key in n shares of which any t do: Shamir's sharing over the ristretto255 scalars
// with Feldman's commitments. Share i is f(i) of a polynomial f of degree t - 1 whose f(0) is the
// key; A_j = coefficient j times the generator, so A_0 is the public key.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "broker/base/limits.h"
#include "broker/base/result.h"
#include "broker/crypto/ristretto.h"

namespace schakel::crypto {

struct KeyShare {
  uint8_t x = 0;  // 1 .. n
  SecretScalar secret;
};

struct Dealing {
  std::vector<Point> commitments;  // A_0 .. A_(t-1), public
  std::vector<KeyShare> shares;    // x = 1 .. n, one per custodian
};

// Splits `key` by a dealer who sees all of it: for tests and the quickstart, as whoever runs it
// could keep the key. Errors: FIELD_INVALID unless 1 <= threshold <= count <=
// limits::kCustodiansMax.
Result<Dealing> DealShares(const SecretScalar& key, uint8_t threshold, uint8_t count);

// pk_x = sum of x^j * A_j: what share x times the generator must be.
// Errors: FIELD_INVALID for no commitments or x = 0; INTERNAL when the sum is the identity.
Result<Point> PublicShare(std::span<const Point> commitments, uint8_t x);

// Whether the share is the one that the commitments promise. Constant time in the share.
Result<bool> VerifyShare(std::span<const Point> commitments, const KeyShare& share);

// Lagrange coefficients at 0 for these x, in their order. They are public.
// Errors: FIELD_INVALID when an x is 0 or stands there twice, or for none or too many.
Result<std::vector<Scalar>> LagrangeAtZero(std::span<const uint8_t> xs);

// sum of coefficient_i * element_i: the evaluation under the whole key out of those under t shares.
// REQUIRES: as many coefficients as elements, at least one. Errors: INTERNAL for the identity.
Result<Point> CombineElements(std::span<const Scalar> coefficients,
                              std::span<const Point> elements);

}  // namespace schakel::crypto
