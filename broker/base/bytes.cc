#include "broker/base/bytes.h"

namespace schakel {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return -1;
}

template <typename T>
void AppendBigEndian(Bytes& out, T v) {
  for (int shift = static_cast<int>(sizeof(T) * 8) - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<uint8_t>(static_cast<uint64_t>(v) >> shift)));
  }
}

template <typename T>
std::optional<T> ReadBigEndian(std::optional<BytesView> raw) {
  if (!raw) return std::nullopt;
  uint64_t v = 0;
  for (char c : *raw) v = v << 8 | static_cast<uint8_t>(c);
  return static_cast<T>(v);
}

}  // namespace

std::optional<Digest> Digest::From(BytesView raw) {
  if (raw.size() != 32) return std::nullopt;
  Digest d;
  std::memcpy(d.bytes.data(), raw.data(), 32);
  return d;
}

ByteWriter& ByteWriter::U8(uint8_t v) {
  AppendBigEndian(out_, v);
  return *this;
}
ByteWriter& ByteWriter::U16(uint16_t v) {
  AppendBigEndian(out_, v);
  return *this;
}
ByteWriter& ByteWriter::U32(uint32_t v) {
  AppendBigEndian(out_, v);
  return *this;
}
ByteWriter& ByteWriter::U64(uint64_t v) {
  AppendBigEndian(out_, v);
  return *this;
}
ByteWriter& ByteWriter::Raw(BytesView v) {
  out_.append(v);
  return *this;
}
ByteWriter& ByteWriter::Lp(BytesView v) {
  SCHAKEL_CHECK(v.size() <= UINT32_MAX, "lp() of 4 GiB or more");
  U32(static_cast<uint32_t>(v.size()));
  return Raw(v);
}

std::optional<BytesView> ByteReader::Raw(size_t n) {
  if (failed_ || in_.size() < n) {
    failed_ = true;
    return std::nullopt;
  }
  BytesView out = in_.substr(0, n);
  in_.remove_prefix(n);
  return out;
}
std::optional<uint8_t> ByteReader::U8() { return ReadBigEndian<uint8_t>(Raw(1)); }
std::optional<uint16_t> ByteReader::U16() { return ReadBigEndian<uint16_t>(Raw(2)); }
std::optional<uint32_t> ByteReader::U32() { return ReadBigEndian<uint32_t>(Raw(4)); }
std::optional<uint64_t> ByteReader::U64() { return ReadBigEndian<uint64_t>(Raw(8)); }
std::optional<BytesView> ByteReader::Lp() {
  auto n = U32();
  if (!n) return std::nullopt;
  return Raw(*n);
}

Bytes HexEncode(BytesView raw) {
  Bytes out;
  out.reserve(raw.size() * 2);
  for (char c : raw) {
    auto b = static_cast<uint8_t>(c);
    out.push_back(kHex[b >> 4]);
    out.push_back(kHex[b & 15]);
  }
  return out;
}

std::optional<Bytes> HexDecode(BytesView hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  Bytes out;
  out.reserve(hex.size() / 2);
  for (size_t i = 0; i < hex.size(); i += 2) {
    int high = HexValue(hex[i]);
    int low = HexValue(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high << 4 | low));
  }
  return out;
}

Bytes Base64Encode(BytesView raw) {
  Bytes out;
  out.reserve((raw.size() + 2) / 3 * 4);
  for (size_t i = 0; i < raw.size(); i += 3) {
    uint32_t v = 0;
    size_t n = std::min<size_t>(3, raw.size() - i);
    for (size_t k = 0; k < 3; ++k) v = v << 8 | (k < n ? static_cast<uint8_t>(raw[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) {
      out.push_back(k <= n ? kBase64[v >> (18 - 6 * k) & 63] : '=');
    }
  }
  return out;
}

std::optional<Bytes> Base64Decode(BytesView text) {
  if (text.size() % 4 != 0) return std::nullopt;
  Bytes out;
  out.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    size_t pad = 0;
    if (i + 4 == text.size()) {
      if (text[i + 3] == '=') pad = text[i + 2] == '=' ? 2 : 1;
    }
    uint32_t v = 0;
    for (size_t k = 0; k < 4; ++k) {
      int digit = k >= 4 - pad ? 0 : Base64Value(text[i + k]);
      if (digit < 0) return std::nullopt;
      v = v << 6 | static_cast<uint32_t>(digit);
    }
    if (pad == 1 && (v & 0xff) != 0) return std::nullopt;
    if (pad == 2 && (v & 0xffff) != 0) return std::nullopt;
    for (size_t k = 0; k < 3 - pad; ++k) out.push_back(static_cast<char>(v >> (16 - 8 * k) & 0xff));
  }
  return out;
}

}  // namespace schakel
