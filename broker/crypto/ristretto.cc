#include "broker/crypto/ristretto.h"

#include <sodium.h>

#include <algorithm>

#include "broker/base/check.h"
#include "broker/crypto/init.h"
#include "broker/crypto/random.h"
#include "broker/crypto/sha512_wiped.h"

namespace schakel::crypto {
namespace {

static_assert(kPointBytes == crypto_core_ristretto255_BYTES);
static_assert(kScalarBytes == crypto_core_ristretto255_SCALARBYTES);
static_assert(kUniformBytes == crypto_core_ristretto255_HASHBYTES);
static_assert(kUniformBytes == crypto_core_ristretto255_NONREDUCEDSCALARBYTES);

constexpr size_t kSha512Bytes = crypto_hash_sha512_BYTES;
constexpr size_t kSha512BlockBytes = 128;

const uint8_t* AsBytes(BytesView v) { return reinterpret_cast<const uint8_t*>(v.data()); }

// Constant time, as libsodium itself has no such check: a value is below the order exactly when
// reducing it changes nothing.
bool IsCanonicalScalar(const uint8_t* scalar) {
  uint8_t wide[kUniformBytes] = {};
  uint8_t reduced[kScalarBytes];
  std::memcpy(wide, scalar, kScalarBytes);
  crypto_core_ristretto255_scalar_reduce(reduced, wide);
  bool canonical = sodium_memcmp(reduced, scalar, kScalarBytes) == 0;
  sodium_memzero(wide, sizeof wide);
  sodium_memzero(reduced, sizeof reduced);
  return canonical;
}

}  // namespace

void ExpandMessageXmd(BytesView message, std::string_view dst, std::span<uint8_t> out) {
  SCHAKEL_CHECK(!dst.empty() && dst.size() <= 255, "RFC 9380 5.3.1: a DST of 1 to 255 bytes");
  SCHAKEL_CHECK(!out.empty() && out.size() <= 255 * kSha512Bytes, "RFC 9380 5.3.1: output length");
  InitCrypto();
  const auto dst_size = static_cast<uint8_t>(dst.size());
  const uint8_t zero_block[kSha512BlockBytes] = {};
  uint8_t b0[kSha512Bytes];
  uint8_t bi[kSha512Bytes] = {};
  WipedSha512()
      .Update(zero_block, sizeof zero_block)
      .Update(message)
      .U16(out.size())
      .U8(0)
      .Update(dst)
      .U8(dst_size)
      .Finish(b0);
  uint8_t block = 0;
  for (size_t done = 0; done < out.size(); done += kSha512Bytes) {
    // b_1 hashes b_0 itself: b_0 xor the zeros that bi starts with.
    for (size_t k = 0; k < kSha512Bytes; ++k) bi[k] ^= b0[k];
    ++block;
    WipedSha512().Update(bi, sizeof bi).U8(block).Update(dst).U8(dst_size).Finish(bi);
    std::memcpy(out.data() + done, bi, std::min(kSha512Bytes, out.size() - done));
  }
  sodium_memzero(b0, sizeof b0);
  sodium_memzero(bi, sizeof bi);
}

// ---- Scalar ----

std::optional<Scalar> Scalar::Decode(BytesView raw) {
  InitCrypto();
  if (raw.size() != kScalarBytes || !IsCanonicalScalar(AsBytes(raw))) return std::nullopt;
  Scalar s;
  std::memcpy(s.bytes_.data(), raw.data(), kScalarBytes);
  return s;
}

Scalar Scalar::FromInt(uint64_t value) {
  Scalar s;
  for (size_t i = 0; i < 8; ++i) s.bytes_[i] = static_cast<uint8_t>(value >> (8 * i));
  return s;
}

Scalar Scalar::Reduce(std::span<const uint8_t, kUniformBytes> wide) {
  InitCrypto();
  Scalar s;
  crypto_core_ristretto255_scalar_reduce(s.bytes_.data(), wide.data());
  return s;
}

Scalar Scalar::Hash(BytesView message, std::string_view dst) {
  uint8_t wide[kUniformBytes];
  ExpandMessageXmd(message, dst, wide);
  return Reduce(wide);
}

Scalar Scalar::operator+(const Scalar& other) const {
  Scalar s;
  crypto_core_ristretto255_scalar_add(s.bytes_.data(), data(), other.data());
  return s;
}

Scalar Scalar::operator-(const Scalar& other) const {
  Scalar s;
  crypto_core_ristretto255_scalar_sub(s.bytes_.data(), data(), other.data());
  return s;
}

Scalar Scalar::operator*(const Scalar& other) const {
  Scalar s;
  crypto_core_ristretto255_scalar_mul(s.bytes_.data(), data(), other.data());
  return s;
}

std::optional<Scalar> Scalar::Inverse() const {
  Scalar s;
  if (crypto_core_ristretto255_scalar_invert(s.bytes_.data(), data()) != 0) return std::nullopt;
  return s;
}

bool Scalar::IsZero() const { return sodium_is_zero(data(), kScalarBytes) != 0; }

// ---- SecretScalar ----

std::optional<SecretScalar> SecretScalar::Decode(BytesView raw) {
  InitCrypto();
  if (raw.size() != kScalarBytes || !IsCanonicalScalar(AsBytes(raw)) ||
      sodium_is_zero(AsBytes(raw), kScalarBytes)) {
    return std::nullopt;
  }
  SecretScalar s;
  std::memcpy(s.SecretForWrite(), raw.data(), kScalarBytes);
  return s;
}

SecretScalar SecretScalar::Random() {
  uint8_t wide[kUniformBytes];
  while (true) {
    RandomFill(wide);
    auto s = Reduce(wide);
    sodium_memzero(wide, sizeof wide);
    if (s) return std::move(*s);
  }
}

std::optional<SecretScalar> SecretScalar::Reduce(std::span<const uint8_t, kUniformBytes> wide) {
  InitCrypto();
  SecretScalar s;
  crypto_core_ristretto255_scalar_reduce(s.SecretForWrite(), wide.data());
  if (sodium_is_zero(s.Secret(), kScalarBytes)) return std::nullopt;
  return s;
}

SecretScalar SecretScalar::Clone() const {
  SecretScalar s;
  std::memcpy(s.SecretForWrite(), Secret(), kScalarBytes);
  return s;
}

SecretScalar SecretScalar::Inverse() const {
  SecretScalar s;
  SCHAKEL_CHECK(crypto_core_ristretto255_scalar_invert(s.SecretForWrite(), Secret()) == 0,
                "a SecretScalar is never zero");
  return s;
}

std::optional<SecretScalar> SecretScalar::MultiplyAdd(const Scalar& factor,
                                                      const SecretScalar& summand) const {
  SecretScalar s;
  crypto_core_ristretto255_scalar_mul(s.SecretForWrite(), Secret(), factor.data());
  crypto_core_ristretto255_scalar_add(s.SecretForWrite(), s.Secret(), summand.Secret());
  if (sodium_is_zero(s.Secret(), kScalarBytes)) return std::nullopt;
  return s;
}

Scalar SecretScalar::Response(const SecretScalar& minuend, const Scalar& factor) const {
  SecretScalar s;
  crypto_core_ristretto255_scalar_mul(s.SecretForWrite(), Secret(), factor.data());
  crypto_core_ristretto255_scalar_sub(s.SecretForWrite(), minuend.Secret(), s.Secret());
  auto response = Scalar::Decode(s.ExposeSecret());
  SCHAKEL_CHECK(response.has_value(), "libsodium's scalars are canonical");
  return *response;
}

bool SecretScalar::Equals(const SecretScalar& other) const {
  return sodium_memcmp(Secret(), other.Secret(), kScalarBytes) == 0;
}

// ---- Point ----

std::optional<Point> Point::Decode(BytesView raw) {
  InitCrypto();
  // is_valid_point takes the identity (all zeros), which no honest party ever sends, and
  // libsodium 1.0.18 overlooks the top bit, which RFC 9496 4.3.1 wants zero: each element would
  // have two encodings.
  if (raw.size() != kPointBytes || (AsBytes(raw)[kPointBytes - 1] & 0x80) != 0 ||
      sodium_is_zero(AsBytes(raw), kPointBytes) ||
      crypto_core_ristretto255_is_valid_point(AsBytes(raw)) != 1) {
    return std::nullopt;
  }
  Point p;
  std::memcpy(p.bytes_.data(), raw.data(), kPointBytes);
  return p;
}

std::optional<Point> Point::Hash(BytesView message, std::string_view dst) {
  uint8_t uniform[kUniformBytes];
  ExpandMessageXmd(message, dst, uniform);
  return FromUniform(uniform);
}

std::optional<Point> Point::BlindedHash(BytesView secret_message, std::string_view dst,
                                        const SecretScalar& blind) {
  SecretBytes hashed(kUniformBytes + kPointBytes);
  std::span<uint8_t> uniform = hashed.ExposeSecretForWrite().first(kUniformBytes);
  std::span<uint8_t> element = hashed.ExposeSecretForWrite().last(kPointBytes);
  ExpandMessageXmd(secret_message, dst, uniform);
  crypto_core_ristretto255_from_hash(element.data(), uniform.data());
  Point p;
  if (crypto_scalarmult_ristretto255(p.bytes_.data(), blind.Secret(), element.data()) != 0) {
    return std::nullopt;
  }
  return p;
}

std::optional<Point> Point::FromUniform(std::span<const uint8_t, kUniformBytes> uniform) {
  InitCrypto();
  Point p;
  crypto_core_ristretto255_from_hash(p.bytes_.data(), uniform.data());
  if (sodium_is_zero(p.data(), kPointBytes)) return std::nullopt;
  return p;
}

const Point& Point::Generator() {
  static const Point generator = *MultiplyGenerator(Scalar::FromInt(1));
  return generator;
}

std::optional<Point> Point::Add(const Point& other) const {
  Point p;
  SCHAKEL_CHECK(crypto_core_ristretto255_add(p.bytes_.data(), data(), other.data()) == 0,
                "a Point is a valid encoding");
  if (sodium_is_zero(p.data(), kPointBytes)) return std::nullopt;
  return p;
}

std::optional<Point> Point::Multiply(const Scalar& scalar) const {
  Point p;
  if (crypto_scalarmult_ristretto255(p.bytes_.data(), scalar.data(), data()) != 0) {
    return std::nullopt;
  }
  return p;
}

Point Point::Multiply(const SecretScalar& scalar) const {
  Point p;
  SCHAKEL_CHECK(crypto_scalarmult_ristretto255(p.bytes_.data(), scalar.Secret(), data()) == 0,
                "neither the Point nor the SecretScalar is zero");
  return p;
}

SecretBytes Point::MultiplyToSecret(const SecretScalar& scalar) const {
  SecretBytes encoded(kPointBytes);
  SCHAKEL_CHECK(crypto_scalarmult_ristretto255(encoded.ExposeSecretForWrite().data(),
                                               scalar.Secret(), data()) == 0,
                "neither the Point nor the SecretScalar is zero");
  return encoded;
}

std::optional<Point> Point::MultiplyGenerator(const Scalar& scalar) {
  InitCrypto();
  Point p;
  if (crypto_scalarmult_ristretto255_base(p.bytes_.data(), scalar.data()) != 0) return std::nullopt;
  return p;
}

Point Point::MultiplyGenerator(const SecretScalar& scalar) {
  Point p;
  SCHAKEL_CHECK(crypto_scalarmult_ristretto255_base(p.bytes_.data(), scalar.Secret()) == 0,
                "a SecretScalar is never zero");
  return p;
}

}  // namespace schakel::crypto
