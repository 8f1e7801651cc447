// OpenSSL's algorithms, fetched once: a fetch per call costs more than the hash of a short input.
// Internal to broker/crypto.
#pragma once

#include "broker/crypto/openssl_ptr.h"

namespace schakel::crypto {

struct Algorithms {
  EvpMdPtr sha256;
  EvpMdPtr sha384;
  EvpMdPtr sha512;
  EvpCipherPtr aes_256_gcm;
};

// Fetched at the first call; lives until the process ends. Thread-safe.
const Algorithms& GetAlgorithms();

}  // namespace schakel::crypto
