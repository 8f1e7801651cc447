#include "broker/crypto/aead.h"

#include <limits>

#include "broker/crypto/algorithms.h"
#include "broker/crypto/raw.h"

namespace schakel::crypto {
namespace {

void CheckShape(const SecretBytes& key, BytesView nonce, BytesView aad, BytesView text) {
  constexpr size_t kMax = std::numeric_limits<int>::max();
  SCHAKEL_CHECK(key.size() == kAesGcmKeyBytes, "an AES-256 key has 32 bytes");
  SCHAKEL_CHECK(nonce.size() == kAesGcmNonceBytes, "a GCM nonce has 12 bytes");
  SCHAKEL_CHECK(aad.size() <= kMax && text.size() <= kMax, "GCM in one call takes 2 GiB at most");
}

}  // namespace

Result<Bytes> SealAes256Gcm(const SecretBytes& key, BytesView nonce, BytesView aad,
                            BytesView plaintext) {
  CheckShape(key, nonce, aad, plaintext);
  EvpCipherCtxPtr ctx(EVP_CIPHER_CTX_new());
  Bytes out(plaintext.size() + kAesGcmTagBytes, '\0');
  uint8_t* tag = RawForWrite(out) + plaintext.size();
  int n = 0;
  if (!ctx ||
      EVP_EncryptInit_ex2(ctx.get(), GetAlgorithms().aes_256_gcm.get(), Raw(key.ExposeSecret()),
                          Raw(nonce), nullptr) != 1 ||
      EVP_EncryptUpdate(ctx.get(), nullptr, &n, Raw(aad), static_cast<int>(aad.size())) != 1 ||
      EVP_EncryptUpdate(ctx.get(), RawForWrite(out), &n, Raw(plaintext),
                        static_cast<int>(plaintext.size())) != 1 ||
      EVP_EncryptFinal_ex(ctx.get(), tag, &n) != 1 ||
      EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_AEAD_GET_TAG, kAesGcmTagBytes, tag) != 1) {
    return Internal("AES-256-GCM failed to seal");
  }
  return out;
}

Result<std::optional<SecretBytes>> OpenAes256Gcm(const SecretBytes& key, BytesView nonce,
                                                 BytesView aad, BytesView ciphertext) {
  CheckShape(key, nonce, aad, ciphertext);
  if (ciphertext.size() < kAesGcmTagBytes) return std::optional<SecretBytes>();
  const BytesView body = ciphertext.substr(0, ciphertext.size() - kAesGcmTagBytes);
  std::array<uint8_t, kAesGcmTagBytes> tag;
  std::memcpy(tag.data(), ciphertext.data() + body.size(), tag.size());

  EvpCipherCtxPtr ctx(EVP_CIPHER_CTX_new());
  SecretBytes out(body.size());
  uint8_t unused[kAesGcmTagBytes];  // OpenSSL wants a place even where it writes nothing
  uint8_t* place = body.empty() ? unused : out.ExposeSecretForWrite().data();
  int n = 0;
  if (!ctx ||
      EVP_DecryptInit_ex2(ctx.get(), GetAlgorithms().aes_256_gcm.get(), Raw(key.ExposeSecret()),
                          Raw(nonce), nullptr) != 1 ||
      EVP_DecryptUpdate(ctx.get(), nullptr, &n, Raw(aad), static_cast<int>(aad.size())) != 1 ||
      EVP_DecryptUpdate(ctx.get(), place, &n, Raw(body), static_cast<int>(body.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_AEAD_SET_TAG, kAesGcmTagBytes, tag.data()) != 1) {
    return Internal("AES-256-GCM failed to open");
  }
  // Everything before this is the library; only this says whether the tag fits.
  if (EVP_DecryptFinal_ex(ctx.get(), unused, &n) != 1) return std::optional<SecretBytes>();
  return std::optional<SecretBytes>(std::move(out));
}

}  // namespace schakel::crypto
