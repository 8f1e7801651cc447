#include "tests/vectors/envelope/fixed.h"

#include "broker/crypto/hash.h"

namespace schakel::vectors {

Bytes Fixed(const std::string& name, size_t size) {
  return crypto::Sha256("schakel envelope vectors, " + name).str().substr(0, size);
}

Bytes FixedUuid(const std::string& name) {
  Bytes id = Fixed(name, 16);
  for (size_t i = 0; i < 6; ++i) id[i] = static_cast<char>(kCreatedMs >> (40 - 8 * i) & 0xff);
  id[6] = static_cast<char>(0x70 | (id[6] & 0x0f));
  id[8] = static_cast<char>(0x80 | (id[8] & 0x3f));
  return id;
}

crypto::SecretBytes FixedSecret(const std::string& name) {
  return crypto::SecretBytes::CopyOf(Fixed(name, 32));
}

crypto::SigningKey FixedSigningKey(const std::string& name) {
  return crypto::SigningKey::FromSeed(FixedSecret(name)).value();
}

crypto::X25519KeyPair FixedSealingKey(const std::string& name) {
  return crypto::hpke_internal::DeriveKeyPair(Fixed(name, 32));
}

OrganisationId Oin(const std::string& oin) { return OrganisationId::From(oin).value(); }

std::string Hex(BytesView raw) { return HexEncode(raw); }
std::string Hex(const crypto::SecretBytes& secret) { return HexEncode(secret.ExposeSecret()); }

}  // namespace schakel::vectors
