#include "broker/store/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace schakel::store {
namespace {

// The sum of what `sum` is the sum of with `data` behind it.
uint32_t Extended(uint32_t sum, const char* data, size_t size) {
  constexpr size_t kPieceMax = size_t{1} << 30;  // the library counts in int
  sum = ~sum;
  while (size > 0) {
    const size_t piece = std::min(size, kPieceMax);
    // It only reads.
    sum = crc32_iscsi(reinterpret_cast<unsigned char*>(const_cast<char*>(data)),
                      static_cast<int>(piece), sum);
    data += piece;
    size -= piece;
  }
  return ~sum;
}

}  // namespace

uint32_t Crc32c(BytesView data) { return Extended(0, data.data(), data.size()); }

}  // namespace schakel::store

namespace rocksdb::crc32c {

// RocksDB's name and meaning (its util/crc32c.h).
[[gnu::visibility("default")]] uint32_t Extend(uint32_t sum, const char* data, size_t size);
uint32_t Extend(uint32_t sum, const char* data, size_t size) {
  return schakel::store::Extended(sum, data, size);
}

}  // namespace rocksdb::crc32c
