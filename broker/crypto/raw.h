// Between std::string_view and the unsigned char of the libraries. Internal to broker/crypto.
#pragma once

#include <cstdint>
#include <span>

#include "broker/base/bytes.h"

namespace schakel::crypto {

inline const uint8_t* Raw(BytesView bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}
inline uint8_t* RawForWrite(Bytes& bytes) { return reinterpret_cast<uint8_t*>(bytes.data()); }
inline BytesView View(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace schakel::crypto
