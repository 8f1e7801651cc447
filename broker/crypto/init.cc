#include "broker/crypto/init.h"

#include <openssl/crypto.h>
#include <sodium.h>

#include "broker/base/check.h"
#include "broker/crypto/algorithms.h"

namespace schakel::crypto {
namespace {

// OpenSSL would clean up when main returns, also under gRPC's threads, which are never joined and
// may be in the middle of a handshake. The first call decides, so it comes before main.
[[maybe_unused]] const int kNoCleanUpAtExit = OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);

const Algorithms* Fetch() {
  SCHAKEL_CHECK(sodium_init() >= 0, "libsodium must start");
  auto* found = new Algorithms{
      EvpMdPtr(EVP_MD_fetch(nullptr, "SHA2-256", nullptr)),
      EvpMdPtr(EVP_MD_fetch(nullptr, "SHA2-384", nullptr)),
      EvpMdPtr(EVP_MD_fetch(nullptr, "SHA2-512", nullptr)),
      EvpCipherPtr(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)),
  };
  SCHAKEL_CHECK(found->sha256 && found->sha384 && found->sha512 && found->aes_256_gcm,
                "OpenSSL must offer SHA-2 and AES-256-GCM");
  return found;
}

}  // namespace

const Algorithms& GetAlgorithms() {
  // Never freed: threads that outlive main may still hash.
  static const Algorithms* const algorithms = Fetch();
  return *algorithms;
}

void InitCrypto() { GetAlgorithms(); }

}  // namespace schakel::crypto
