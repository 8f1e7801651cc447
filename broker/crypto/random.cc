#include "broker/crypto/random.h"

#include <sodium.h>

#include "broker/crypto/init.h"
#include "broker/crypto/raw.h"

namespace schakel::crypto {

void RandomFill(std::span<uint8_t> out) {
  InitCrypto();
  randombytes_buf(out.data(), out.size());
}

Bytes RandomBytes(size_t size) {
  Bytes out(size, '\0');
  RandomFill({RawForWrite(out), size});
  return out;
}

SecretBytes RandomSecret(size_t size) {
  SecretBytes out(size);
  RandomFill(out.ExposeSecretForWrite());
  return out;
}

Bytes NewUuidV7(Millis now) {
  const int64_t ms = now.count();
  SCHAKEL_CHECK(ms >= 0 && ms < (int64_t{1} << 48), "a UUIDv7 holds 48 bits of milliseconds");
  Bytes id = RandomBytes(16);
  for (int i = 0; i < 6; ++i) id[i] = static_cast<char>(ms >> (40 - 8 * i) & 0xff);
  id[6] = static_cast<char>(0x70 | (id[6] & 0x0f));
  id[8] = static_cast<char>(0x80 | (id[8] & 0x3f));
  return id;
}

}  // namespace schakel::crypto
