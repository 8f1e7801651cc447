#include "broker/crypto/hpke.h"

#include <sodium.h>

#include "broker/crypto/aead.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/hpke_internal.h"
#include "broker/crypto/init.h"
#include "broker/crypto/random.h"
#include "broker/crypto/raw.h"

namespace schakel::crypto {

static_assert(crypto_scalarmult_curve25519_SCALARBYTES == kX25519PrivateKeyBytes);

X25519KeyPair X25519KeyPair::Generate() {
  return FromPrivate(RandomSecret(kX25519PrivateKeyBytes)).value();
}

Result<X25519KeyPair> X25519KeyPair::FromPrivate(SecretBytes private_key) {
  if (private_key.size() != kX25519PrivateKeyBytes) {
    return InvalidArgument("FIELD_INVALID", "private_key", "an X25519 private key has 32 bytes");
  }
  InitCrypto();
  X25519PublicKey public_key;
  if (crypto_scalarmult_curve25519_base(public_key.bytes.data(), Raw(private_key.ExposeSecret())) !=
      0) {
    return Internal("libsodium gave no X25519 public key");
  }
  return X25519KeyPair(std::move(private_key), public_key);
}

namespace hpke_internal {
namespace {

// "KEM" || I2OSP(0x0020, 2), and "HPKE" || kem 0x0020 || kdf 0x0001 || aead 0x0002.
constexpr BytesView kKemSuite("KEM\x00\x20", 5);
constexpr BytesView kHpkeSuite("HPKE\x00\x20\x00\x01\x00\x02", 10);
constexpr size_t kHashBytes = 32;

// SOURCE: RFC 9180 4
SecretBytes LabeledExtract(BytesView suite, BytesView salt, BytesView label, BytesView ikm) {
  Bytes labeled;
  labeled.reserve(7 + suite.size() + label.size() +
                  ikm.size());  // one buffer, so one place to wipe
  labeled.append("HPKE-v1").append(suite).append(label).append(ikm);
  SecretBytes prk = HkdfExtractSha256(salt, labeled);
  WipeMemory(labeled);
  return prk;
}

SecretBytes LabeledExpand(BytesView suite, const SecretBytes& prk, BytesView label, BytesView info,
                          size_t length) {
  ByteWriter labeled;
  labeled.U16(static_cast<uint16_t>(length)).Raw("HPKE-v1").Raw(suite).Raw(label).Raw(info);
  return HkdfExpandSha256(prk.ExposeSecret(), labeled.bytes(), length);
}

std::optional<SecretBytes> SharedSecret(const X25519KeyPair& own, const X25519PublicKey& other,
                                        BytesView kem_context) {
  SecretBytes dh(crypto_scalarmult_curve25519_BYTES);
  // -1 is libsodium's refusal of an all-zero result; it has no other failure.
  if (crypto_scalarmult_curve25519(dh.ExposeSecretForWrite().data(),
                                   Raw(own.private_key().ExposeSecret()),
                                   other.bytes.data()) != 0) {
    return std::nullopt;
  }
  const SecretBytes eae = LabeledExtract(kKemSuite, {}, "eae_prk", dh.ExposeSecret());
  return LabeledExpand(kKemSuite, eae, "shared_secret", kem_context, kHashBytes);
}

}  // namespace

X25519KeyPair DeriveKeyPair(BytesView ikm) {
  const SecretBytes prk = LabeledExtract(kKemSuite, {}, "dkp_prk", ikm);
  return X25519KeyPair::FromPrivate(LabeledExpand(kKemSuite, prk, "sk", {}, kX25519PrivateKeyBytes))
      .value();
}

std::optional<SecretBytes> Encap(const X25519PublicKey& recipient, const X25519KeyPair& ephemeral) {
  return SharedSecret(ephemeral, recipient, ephemeral.public_key().str() + recipient.str());
}

std::optional<SecretBytes> Decap(const X25519PublicKey& enc, const X25519KeyPair& recipient) {
  return SharedSecret(recipient, enc, enc.str() + recipient.public_key().str());
}

Context KeySchedule(const SecretBytes& shared_secret, BytesView info) {
  constexpr char kModeBase = 0;
  const SecretBytes psk_id_hash = LabeledExtract(kHpkeSuite, {}, "psk_id_hash", {});
  const SecretBytes info_hash = LabeledExtract(kHpkeSuite, {}, "info_hash", info);
  Bytes context(1, kModeBase);  // neither hash is secret in mode base
  context.append(psk_id_hash.ExposeSecret()).append(info_hash.ExposeSecret());
  const SecretBytes secret = LabeledExtract(kHpkeSuite, shared_secret.ExposeSecret(), "secret", {});
  return Context(LabeledExpand(kHpkeSuite, secret, "key", context, kAesGcmKeyBytes),
                 LabeledExpand(kHpkeSuite, secret, "base_nonce", context, kAesGcmNonceBytes),
                 LabeledExpand(kHpkeSuite, secret, "exp", context, kHashBytes));
}

Context::Context(SecretBytes key, SecretBytes base_nonce, SecretBytes exporter_secret)
    : key_(std::move(key)),
      base_nonce_(std::move(base_nonce)),
      exporter_secret_(std::move(exporter_secret)) {}

std::array<uint8_t, 12> Context::Nonce() const {
  std::array<uint8_t, 12> nonce;
  std::memcpy(nonce.data(), base_nonce_.ExposeSecret().data(), nonce.size());
  for (size_t i = 0; i < 8; ++i) nonce[11 - i] ^= static_cast<uint8_t>(sequence_ >> (8 * i));
  return nonce;
}

Result<Bytes> Context::Seal(BytesView aad, BytesView plaintext) {
  SCHAKEL_CHECK(sequence_ < UINT64_MAX, "a nonce of HPKE is used once");
  SCHAKEL_ASSIGN(Bytes ciphertext, SealAes256Gcm(key_, View(Nonce()), aad, plaintext));
  ++sequence_;
  return ciphertext;
}

Result<std::optional<SecretBytes>> Context::Open(BytesView aad, BytesView ciphertext) {
  SCHAKEL_ASSIGN(std::optional<SecretBytes> plaintext,
                 OpenAes256Gcm(key_, View(Nonce()), aad, ciphertext));
  if (plaintext) ++sequence_;
  return plaintext;
}

SecretBytes Context::Export(BytesView exporter_context, size_t length) const {
  return LabeledExpand(kHpkeSuite, exporter_secret_, "sec", exporter_context, length);
}

Result<HpkeSealed> SealBaseWith(const X25519KeyPair& ephemeral, const X25519PublicKey& recipient,
                                BytesView info, BytesView aad, BytesView plaintext) {
  const std::optional<SecretBytes> shared_secret = Encap(recipient, ephemeral);
  if (!shared_secret) {
    return InvalidArgument("KEY_SET_INVALID", "sealing_key",
                           "the recipient's X25519 key is of small order");
  }
  Context context = KeySchedule(*shared_secret, info);
  SCHAKEL_ASSIGN(Bytes ciphertext, context.Seal(aad, plaintext));
  return HpkeSealed{ephemeral.public_key().str(), std::move(ciphertext)};
}

}  // namespace hpke_internal

Result<HpkeSealed> SealBase(const X25519PublicKey& recipient, BytesView info, BytesView aad,
                            BytesView plaintext) {
  // GenerateKeyPair of RFC 9180 4: a random private key is as good as DeriveKeyPair of random
  // bytes.
  return hpke_internal::SealBaseWith(X25519KeyPair::Generate(), recipient, info, aad, plaintext);
}

Result<std::optional<SecretBytes>> OpenBase(const X25519KeyPair& recipient, BytesView enc,
                                            BytesView info, BytesView aad, BytesView ciphertext) {
  const std::optional<X25519PublicKey> ephemeral = X25519PublicKey::From(enc);
  if (!ephemeral) return std::optional<SecretBytes>();
  const std::optional<SecretBytes> shared_secret = hpke_internal::Decap(*ephemeral, recipient);
  if (!shared_secret) return std::optional<SecretBytes>();
  return hpke_internal::KeySchedule(*shared_secret, info).Open(aad, ciphertext);
}

}  // namespace schakel::crypto
