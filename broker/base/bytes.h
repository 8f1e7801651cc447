// Bytes and the notation of the format pages: u8 u16 u32 u64 big-endian, lp(x) = u32 length, then x.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "broker/base/result.h"

namespace schakel {

// Byte strings are std::string (what protobuf and RocksDB use), views are std::string_view.
// Secrets never live in them: see broker/crypto/secret.h.
using Bytes = std::string;
using BytesView = std::string_view;

// 32 bytes: a SHA-256 value.
struct Digest {
  std::array<uint8_t, 32> bytes{};

  // nullopt unless `raw` is exactly 32 bytes.
  static std::optional<Digest> From(BytesView raw);
  BytesView view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  Bytes str() const { return Bytes(view()); }
  auto operator<=>(const Digest&) const = default;
};

struct DigestHash {
  size_t operator()(const Digest& d) const {
    size_t h;
    std::memcpy(&h, d.bytes.data(), sizeof h);
    return h;
  }
};

// Appends big-endian numbers and byte strings to a buffer that it owns.
class ByteWriter {
 public:
  ByteWriter() = default;
  explicit ByteWriter(size_t reserve) { out_.reserve(reserve); }

  ByteWriter& U8(uint8_t v);
  ByteWriter& U16(uint16_t v);
  ByteWriter& U32(uint32_t v);
  ByteWriter& U64(uint64_t v);
  ByteWriter& Raw(BytesView v);
  // REQUIRES: v.size() < 2^32
  ByteWriter& Lp(BytesView v);

  const Bytes& bytes() const { return out_; }
  Bytes Take() { return std::move(out_); }

 private:
  Bytes out_;
};

// Reads the same notation. Every getter returns nullopt when the input is too short; after that the
// reader stays failed. A parse is complete only when Done().
class ByteReader {
 public:
  explicit ByteReader(BytesView in) : in_(in) {}

  std::optional<uint8_t> U8();
  std::optional<uint16_t> U16();
  std::optional<uint32_t> U32();
  std::optional<uint64_t> U64();
  // The view points into the input.
  std::optional<BytesView> Raw(size_t n);
  std::optional<BytesView> Lp();

  bool failed() const { return failed_; }
  size_t remaining() const { return in_.size(); }
  // True when all was read and nothing failed.
  bool Done() const { return !failed_ && in_.empty(); }

 private:
  BytesView in_;
  bool failed_ = false;
};

Bytes HexEncode(BytesView raw);                      // lower case
std::optional<Bytes> HexDecode(BytesView hex);       // nullopt on odd length or a wrong digit
Bytes Base64Encode(BytesView raw);                   // RFC 4648 section 4, padded
std::optional<Bytes> Base64Decode(BytesView text);   // strict: padded, no white space, zero pad bits

}  // namespace schakel
