// CRC-32C (Castagnoli): finds every single bit flip in the store's own small files. No protection
// against intent. SOURCE: RFC 3720 appendix B.4.
#pragma once

#include <cstdint>

#include "broker/base/bytes.h"

namespace schakel::store {

uint32_t Crc32c(BytesView data);

}  // namespace schakel::store
