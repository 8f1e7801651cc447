// Ed25519 by libsodium: the one signer and the one verifier of Schakel's own signatures.
#pragma once

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/crypto/key32.h"
#include "broker/crypto/secret.h"

namespace schakel::crypto {

inline constexpr size_t kEd25519SeedBytes = 32;
inline constexpr size_t kEd25519SignatureBytes = 64;

// A private signing key. Move-only; an object that exists can sign. Const use is thread-safe.
class SigningKey {
 public:
  static SigningKey Generate();
  // INVALID_ARGUMENT FIELD_INVALID unless `seed` has 32 bytes (the private key of RFC 8032 5.1.5).
  static Result<SigningKey> FromSeed(SecretBytes seed);

  // 64 bytes; deterministic.
  Bytes Sign(BytesView message) const;
  const Ed25519PublicKey& public_key() const { return public_key_; }
  // For the owner's key file.
  const SecretBytes& seed() const { return seed_; }

 private:
  SigningKey(SecretBytes seed, SecretBytes expanded, const Ed25519PublicKey& public_key);

  SecretBytes seed_;
  SecretBytes expanded_;  // libsodium's form: seed || public key
  Ed25519PublicKey public_key_;
};

// Whether `signature` is the key's over `message`. Strict: a non-canonical S or point, or a key or
// R of small order is a false. A wrong length is a false too. libsodium's verifier has no failure
// of its own, so this is a plain answer. Thread-safe.
bool VerifyEd25519(const Ed25519PublicKey& public_key, BytesView message, BytesView signature);

}  // namespace schakel::crypto
