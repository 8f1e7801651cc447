#include "broker/crypto/sign.h"

#include <sodium.h>

#include "broker/crypto/init.h"
#include "broker/crypto/random.h"
#include "broker/crypto/raw.h"

namespace schakel::crypto {

static_assert(crypto_sign_SEEDBYTES == kEd25519SeedBytes);
static_assert(crypto_sign_BYTES == kEd25519SignatureBytes);

SigningKey::SigningKey(SecretBytes seed, SecretBytes expanded, const Ed25519PublicKey& public_key)
    : seed_(std::move(seed)), expanded_(std::move(expanded)), public_key_(public_key) {}

SigningKey SigningKey::Generate() { return FromSeed(RandomSecret(kEd25519SeedBytes)).value(); }

Result<SigningKey> SigningKey::FromSeed(SecretBytes seed) {
  if (seed.size() != kEd25519SeedBytes) {
    return InvalidArgument("FIELD_INVALID", "seed", "an Ed25519 private key has 32 bytes");
  }
  InitCrypto();
  SecretBytes expanded(crypto_sign_SECRETKEYBYTES);
  Ed25519PublicKey public_key;
  if (crypto_sign_seed_keypair(public_key.bytes.data(), expanded.ExposeSecretForWrite().data(),
                               Raw(seed.ExposeSecret())) != 0) {
    return Internal("libsodium gave no Ed25519 key");
  }
  return SigningKey(std::move(seed), std::move(expanded), public_key);
}

Bytes SigningKey::Sign(BytesView message) const {
  Bytes signature(kEd25519SignatureBytes, '\0');
  SCHAKEL_CHECK(crypto_sign_detached(RawForWrite(signature), nullptr, Raw(message), message.size(),
                                     Raw(expanded_.ExposeSecret())) == 0,
                "Ed25519 must sign");
  return signature;
}

bool VerifyEd25519(const Ed25519PublicKey& public_key, BytesView message, BytesView signature) {
  if (signature.size() != kEd25519SignatureBytes) return false;
  InitCrypto();
  return crypto_sign_verify_detached(Raw(signature), Raw(message), message.size(),
                                     public_key.bytes.data()) == 0;
}

}  // namespace schakel::crypto
