// SHA-512 whose state is wiped, since what goes in may be secret. Internal to broker/crypto.
#pragma once

#include <sodium.h>

#include <cstdint>

#include "broker/base/bytes.h"

namespace schakel::crypto {

class WipedSha512 {
 public:
  WipedSha512() { crypto_hash_sha512_init(&state_); }
  ~WipedSha512() { sodium_memzero(&state_, sizeof state_); }
  WipedSha512(const WipedSha512&) = delete;
  WipedSha512& operator=(const WipedSha512&) = delete;

  WipedSha512& Update(const uint8_t* data, size_t size) {
    crypto_hash_sha512_update(&state_, data, size);
    return *this;
  }
  WipedSha512& Update(BytesView data) {
    return Update(reinterpret_cast<const uint8_t*>(data.data()), data.size());
  }
  WipedSha512& U8(uint8_t v) { return Update(&v, 1); }
  // Big-endian; I2OSP(v, 2) of the RFCs. REQUIRES: v < 65536
  WipedSha512& U16(size_t v) {
    return U8(static_cast<uint8_t>(v >> 8)).U8(static_cast<uint8_t>(v & 0xff));
  }
  // u16 length, then the bytes.
  WipedSha512& Lp16(BytesView v) { return U16(v.size()).Update(v); }
  // 64 bytes.
  void Finish(uint8_t* out) { crypto_hash_sha512_final(&state_, out); }

 private:
  crypto_hash_sha512_state state_;
};

}  // namespace schakel::crypto
