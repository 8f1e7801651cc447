// SHA-256 and what is built on it, SHA-512. All functions are pure and thread-safe.
// A library that can't hash is a broken invariant: the process stops.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "broker/base/bytes.h"
#include "broker/crypto/secret.h"

namespace schakel::crypto {

Digest Sha256(BytesView input);
std::array<uint8_t, 64> Sha512(BytesView input);

// Incremental SHA-256 in the notation of the format pages (u8 u16 u32 u64 big-endian; lp(x) = u32
// length, then x), so that a digest needs no buffer of its input. The state is inline: nothing is
// allocated, a copy is a midstate. Not wiped: for a key use HmacSha256Key.
class Sha256Hasher {
 public:
  Sha256Hasher();

  Sha256Hasher& U8(uint8_t v);
  Sha256Hasher& U16(uint16_t v);
  Sha256Hasher& U32(uint32_t v);
  Sha256Hasher& U64(uint64_t v);
  Sha256Hasher& Raw(BytesView v);
  // REQUIRES: v.size() < 2^32
  Sha256Hasher& Lp(BytesView v);

  // The digest of all that was given; the object then starts anew.
  Digest Finish();

 private:
  friend class HmacSha256Key;
  alignas(8) std::array<std::byte, 112> state_;
};

// HMAC-SHA-256. SOURCE: RFC 2104
Digest HmacSha256(BytesView key, BytesView message);

// The same for many messages under one key: the key's two blocks are hashed once. Wiped at its end.
class HmacSha256Key {
 public:
  explicit HmacSha256Key(BytesView key);
  ~HmacSha256Key();
  HmacSha256Key(const HmacSha256Key&) = delete;
  HmacSha256Key& operator=(const HmacSha256Key&) = delete;

  Digest Compute(BytesView message) const;

 private:
  Sha256Hasher inner_;
  Sha256Hasher outer_;
};

// HKDF-SHA256, extract and expand. REQUIRES: length <= 8160. SOURCE: RFC 5869 2
SecretBytes HkdfSha256(BytesView ikm, BytesView salt, BytesView info, size_t length);
// Its two halves, for protocols that label them (RFC 9180).
SecretBytes HkdfExtractSha256(BytesView salt, BytesView ikm);
SecretBytes HkdfExpandSha256(BytesView prk, BytesView info, size_t length);

}  // namespace schakel::crypto
