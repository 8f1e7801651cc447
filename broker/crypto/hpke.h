// HPKE, RFC 9180, in the one suite and mode of the envelope: base mode, DHKEM(X25519, HKDF-SHA256),
// HKDF-SHA256, AES-256-GCM; single shot.
#pragma once

#include <optional>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/crypto/key32.h"
#include "broker/crypto/secret.h"

namespace schakel::crypto {

inline constexpr size_t kX25519PrivateKeyBytes = 32;
inline constexpr size_t kHpkeEncBytes = 32;

// A sealing key pair. Move-only; const use is thread-safe.
class X25519KeyPair {
 public:
  static X25519KeyPair Generate();
  // INVALID_ARGUMENT FIELD_INVALID unless `private_key` has 32 bytes.
  static Result<X25519KeyPair> FromPrivate(SecretBytes private_key);

  const X25519PublicKey& public_key() const { return public_key_; }
  // For the owner's key file and for the KEM.
  const SecretBytes& private_key() const { return private_key_; }

 private:
  X25519KeyPair(SecretBytes private_key, const X25519PublicKey& public_key)
      : private_key_(std::move(private_key)), public_key_(public_key) {}

  SecretBytes private_key_;
  X25519PublicKey public_key_;
};

struct HpkeSealed {
  Bytes enc;         // 32 bytes: the ephemeral public key
  Bytes ciphertext;  // plaintext's size + 16
};

// SealBase of RFC 9180 6.1 with a fresh ephemeral key. INVALID_ARGUMENT when the recipient's key
// gives an all-zero shared secret (RFC 9180 7.1.4); another Error is a failing library.
Result<HpkeSealed> SealBase(const X25519PublicKey& recipient, BytesView info, BytesView aad,
                            BytesView plaintext);

// OpenBase of RFC 9180 6.1. nullopt when enc, info, aad and ciphertext do not open under this key,
// an all-zero shared secret and a wrong length of enc included: an answer. An Error is a failing
// library.
Result<std::optional<SecretBytes>> OpenBase(const X25519KeyPair& recipient, BytesView enc,
                                            BytesView info, BytesView aad, BytesView ciphertext);

}  // namespace schakel::crypto
