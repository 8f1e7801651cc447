// The parts of HPKE that the single-shot functions are made of, for hpke.cc and for tests that
// replay published vectors: ephemeral keys that are not random. Not for other modules.
#pragma once

#include <array>
#include <optional>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/crypto/hpke.h"

namespace schakel::crypto::hpke_internal {

// DeriveKeyPair(ikm) of DHKEM(X25519). SOURCE: RFC 9180 7.1.3
X25519KeyPair DeriveKeyPair(BytesView ikm);

// Encryption context: key, base nonce and a sequence number. SOURCE: RFC 9180 5.2
class Context {
 public:
  Context(SecretBytes key, SecretBytes base_nonce, SecretBytes exporter_secret);

  Result<Bytes> Seal(BytesView aad, BytesView plaintext);
  // nullopt for what does not open; the sequence number then stays.
  Result<std::optional<SecretBytes>> Open(BytesView aad, BytesView ciphertext);
  // SOURCE: RFC 9180 5.3
  SecretBytes Export(BytesView exporter_context, size_t length) const;

  // For comparison with vectors.
  const SecretBytes& key() const { return key_; }
  const SecretBytes& base_nonce() const { return base_nonce_; }
  const SecretBytes& exporter_secret() const { return exporter_secret_; }

 private:
  std::array<uint8_t, 12> Nonce() const;

  SecretBytes key_;
  SecretBytes base_nonce_;
  SecretBytes exporter_secret_;
  uint64_t sequence_ = 0;
};

// ExtractAndExpand over the Diffie-Hellman value; nullopt when that is all zeros.
// SOURCE: RFC 9180 4.1 and 7.1.4
std::optional<SecretBytes> Encap(const X25519PublicKey& recipient, const X25519KeyPair& ephemeral);
std::optional<SecretBytes> Decap(const X25519PublicKey& enc, const X25519KeyPair& recipient);

// KeyScheduleS and KeyScheduleR of mode base, which are one. SOURCE: RFC 9180 5.1
Context KeySchedule(const SecretBytes& shared_secret, BytesView info);

// SealBase with a given ephemeral key.
Result<HpkeSealed> SealBaseWith(const X25519KeyPair& ephemeral, const X25519PublicKey& recipient,
                                BytesView info, BytesView aad, BytesView plaintext);

}  // namespace schakel::crypto::hpke_internal
