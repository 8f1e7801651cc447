// The one source of randomness: content keys, ephemerals, blinds, ids, nonces of proofs.
// Thread-safe. SOURCE: libsodium randombytes_buf (getrandom). It can't fail: without a source of
// entropy the process stops.
#pragma once

#include <cstdint>
#include <span>

#include "broker/base/bytes.h"
#include "broker/base/clock.h"
#include "broker/crypto/secret.h"

namespace schakel::crypto {

void RandomFill(std::span<uint8_t> out);
Bytes RandomBytes(size_t size);
SecretBytes RandomSecret(size_t size);

// 16 raw bytes: 48 bits of `now`, version 7, variant 10, 74 random bits.
// REQUIRES: 0 <= now < 2^48 ms. SOURCE: RFC 9562 5.7
Bytes NewUuidV7(Millis now);

}  // namespace schakel::crypto
