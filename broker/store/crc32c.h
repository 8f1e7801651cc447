// CRC-32C (Castagnoli): finds every single bit flip in the store's own small files. No protection
// against intent. SOURCE: RFC 3720 appendix B.4.
//
// RocksDB checks its log, its blobs and its files with the same sum, but Debian builds it for every
// amd64 processor, so that it reckons by tables. A program with this module defines RocksDB's
// function (rocksdb::crc32c::Extend) itself, and the dynamic linker takes that one for the
// library's calls too: the same values, by the processor's own instruction.
#pragma once

#include <cstdint>

#include "broker/base/bytes.h"

namespace schakel::store {

uint32_t Crc32c(BytesView data);

}  // namespace schakel::store
