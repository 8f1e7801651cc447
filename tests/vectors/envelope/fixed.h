// Fixed keys and randomness of the envelope vectors, and how their values are written.
#pragma once

#include <string>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "broker/crypto/hpke.h"
#include "broker/crypto/hpke_internal.h"
#include "broker/crypto/secret.h"
#include "broker/crypto/sign.h"

namespace schakel::vectors {

inline constexpr uint64_t kCreatedMs = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
inline constexpr uint64_t kDayMs = 24ull * 3600 * 1000;
inline constexpr const char* kRegion = "zhz.example";
inline constexpr const char* kSenderOin = "00000099000000001000";

// `size` bytes (32 at most) that depend on `name` only: the start of its SHA-256.
Bytes Fixed(const std::string& name, size_t size);
// A UUIDv7 of kCreatedMs with fixed instead of random bits.
Bytes FixedUuid(const std::string& name);

crypto::SecretBytes FixedSecret(const std::string& name);
crypto::SigningKey FixedSigningKey(const std::string& name);
// From DeriveKeyPair of RFC 9180 over FixedSecret(name).
crypto::X25519KeyPair FixedSealingKey(const std::string& name);
OrganisationId Oin(const std::string& oin);

// Hex of public and secret bytes alike: every key of the vectors is a published one.
std::string Hex(BytesView raw);
std::string Hex(const crypto::SecretBytes& secret);
template <typename T>
std::string Hex(const T& with_view) {
  return HexEncode(with_view.view());
}
inline std::string Hex(const Bytes& raw) { return HexEncode(raw); }

}  // namespace schakel::vectors
