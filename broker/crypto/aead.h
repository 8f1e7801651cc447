// AES-256-GCM with a key, nonce and associated data that the caller chose.
// SOURCE: NIST SP 800-38D; RFC 5116 5.2
#pragma once

#include <optional>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/crypto/secret.h"

namespace schakel::crypto {

inline constexpr size_t kAesGcmKeyBytes = 32;
inline constexpr size_t kAesGcmNonceBytes = 12;
inline constexpr size_t kAesGcmTagBytes = 16;

// Ciphertext, then the tag of 16 bytes. A pair of key and nonce is used once in its life.
// REQUIRES: key of 32 and nonce of 12 bytes. An Error is a failing library.
Result<Bytes> SealAes256Gcm(const SecretBytes& key, BytesView nonce, BytesView aad,
                            BytesView plaintext);

// The plaintext, or nullopt when key, nonce, aad and ciphertext do not belong together: an answer.
// Nothing of an unauthenticated plaintext leaves the function. An Error is a failing library.
// REQUIRES: key of 32 and nonce of 12 bytes.
Result<std::optional<SecretBytes>> OpenAes256Gcm(const SecretBytes& key, BytesView nonce,
                                                 BytesView aad, BytesView ciphertext);

}  // namespace schakel::crypto
