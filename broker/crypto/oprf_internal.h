// The seam by which published vectors enter fixed blinds and nonces. For oprf.cc and the tests
// only: a nonce that is used twice under two challenges reveals the key.
#pragma once

#include <span>

#include "broker/crypto/oprf.h"

namespace schakel::crypto::internal {

// Blind with a blind that the caller chose.
Result<Point> BlindWith(BytesView secret_input, const SecretScalar& blind, OprfMode mode);

// RFC 9497 2.2.1 GenerateProof with a nonce that the caller chose.
Result<OprfProof> ProveWith(const SecretScalar& secret_key, const Point& public_key,
                            std::span<const Point> blinded, std::span<const Point> evaluated,
                            const SecretScalar& nonce);

// What BlindEvaluate draws its nonce from: equal only when all arguments are equal; never zero.
// `fresh` is 32 random bytes.
SecretScalar DeriveNonce(BytesView fresh, const SecretScalar& secret_key, const Point& public_key,
                         std::span<const Point> blinded, std::span<const Point> evaluated);

}  // namespace schakel::crypto::internal
