// The verifiable oblivious pseudorandom function of RFC 9497, suite ristretto255-SHA512.
// Mode VOPRF is the one in use; mode OPRF differs by its context string and has no proof.
// This layer takes raw input, so that the RFC's vectors run; pseudonym.h puts the label before it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/crypto/ristretto.h"
#include "broker/crypto/secret.h"

namespace schakel::crypto {

enum class OprfMode : uint8_t { kOprf = 0, kVoprf = 1 };

inline constexpr size_t kOprfOutputBytes = 64;
inline constexpr size_t kOprfProofBytes = 64;
inline constexpr size_t kOprfSeedBytes = 32;
// LIMIT: the RFC numbers the elements of a batch with 2 bytes, and an input's length too.
inline constexpr size_t kOprfBatchMax = 65535;
inline constexpr size_t kOprfInputBytesMax = 65535;

// ---- Client ----

struct BlindedInput {
  SecretScalar blind;  // never leaves the client
  Point element;       // what a server gets
};

// RFC 9497 3.3.1 Blind: element = blind * HashToGroup(input) with a fresh blind. The input is
// secret: it and its hash are wiped from every buffer of this module. A batch calls it once per
// input. Errors: FIELD_INVALID when the input is too long; INTERNAL when it hashes to the identity.
Result<BlindedInput> Blind(BytesView secret_input, OprfMode mode = OprfMode::kVoprf);

// RFC 9497 3.3.1 Finalize, without the proof (see VerifyProof): 64 bytes, in secret memory.
Result<SecretBytes> Finalize(BytesView secret_input, const SecretScalar& blind,
                             const Point& evaluated);

// ---- Server ----

struct OprfProof {
  Scalar challenge;
  Scalar response;

  // challenge || response, 64 bytes.
  Bytes Encode() const;
  // nullopt unless 64 bytes and both scalars are canonical.
  static std::optional<OprfProof> Decode(BytesView raw);
};

struct OprfKeyPair {
  SecretScalar secret_key;
  Point public_key;
};

// RFC 9497 3.2.1 DeriveKeyPair. REQUIRES: seed.size() == kOprfSeedBytes, info.size() <= 65535
Result<OprfKeyPair> DeriveKeyPair(BytesView secret_seed, BytesView info,
                                  OprfMode mode = OprfMode::kVoprf);

struct Evaluation {
  std::vector<Point> elements;  // in the order of the blinded ones
  OprfProof proof;              // one for the whole batch
};

// RFC 9497 3.3.2 BlindEvaluate for a batch: each element times the key, and one proof that the same
// key made them all and `public_key`. The proof's nonce is derived from fresh randomness, the key
// and everything that is proved, so that neither a repeated nor a weak random number reveals the
// key. REQUIRES: public_key is secret_key times the generator. Errors: FIELD_INVALID for an empty
// or too long batch.
Result<Evaluation> BlindEvaluate(const SecretScalar& secret_key, const Point& public_key,
                                 std::span<const Point> blinded);

// RFC 9497 2.2.2 VerifyProof over the batch. False also when the lists differ in length or are
// empty.
bool VerifyProof(const Point& public_key, std::span<const Point> blinded,
                 std::span<const Point> evaluated, const OprfProof& proof);

}  // namespace schakel::crypto
