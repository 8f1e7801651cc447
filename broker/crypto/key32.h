// Public keys of 32 bytes, one type each, so that a sealing key is never taken for a signing key.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>

#include "broker/base/bytes.h"

namespace schakel::crypto {

template <typename Tag>
struct Key32 {
  std::array<uint8_t, 32> bytes{};

  // nullopt unless `raw` is exactly 32 bytes. Whether it is a usable point is not known here: the
  // operations that take the key refuse a bad one.
  static std::optional<Key32> From(BytesView raw) {
    if (raw.size() != 32) return std::nullopt;
    Key32 key;
    std::memcpy(key.bytes.data(), raw.data(), 32);
    return key;
  }
  BytesView view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  Bytes str() const { return Bytes(view()); }
  auto operator<=>(const Key32&) const = default;
};

using Ed25519PublicKey = Key32<struct Ed25519Tag>;
using X25519PublicKey = Key32<struct X25519Tag>;

}  // namespace schakel::crypto
