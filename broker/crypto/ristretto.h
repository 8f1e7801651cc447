// The group of the pseudonyms: ristretto255 and its scalar field, over libsodium.
// SOURCE: RFC 9496 (group), RFC 9380 section 5.3.1 (expand_message_xmd), RFC 9497 section 4.1.
//
// Objects that exist are valid: a Point is a canonical encoding and never the identity, a Scalar is
// below the group order. libsodium checks neither a scalar's canonical form nor the identity, so
// both are checked here, once, where bytes come in.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "broker/base/bytes.h"
#include "broker/crypto/secret.h"

namespace schakel::crypto {

inline constexpr size_t kPointBytes = 32;
inline constexpr size_t kScalarBytes = 32;
inline constexpr size_t kUniformBytes = 64;

// A public number modulo the group order: coefficients, challenges, responses. Never a secret.
class Scalar {
 public:
  // nullopt unless `raw` is 32 bytes, little-endian, below the group order. Zero is a scalar.
  static std::optional<Scalar> Decode(BytesView raw);
  static Scalar FromInt(uint64_t value);
  // 64 bytes, little-endian, modulo the group order.
  static Scalar Reduce(std::span<const uint8_t, kUniformBytes> wide);
  // RFC 9497 HashToScalar: expand_message_xmd with SHA-512 to 64 bytes, reduced.
  // REQUIRES: 1 <= dst.size() <= 255
  static Scalar Hash(BytesView message, std::string_view dst);

  Scalar operator+(const Scalar& other) const;
  Scalar operator-(const Scalar& other) const;
  Scalar operator*(const Scalar& other) const;
  // nullopt for zero.
  std::optional<Scalar> Inverse() const;
  bool IsZero() const;

  const uint8_t* data() const { return bytes_.data(); }
  BytesView view() const { return {reinterpret_cast<const char*>(bytes_.data()), kScalarBytes}; }
  bool operator==(const Scalar&) const = default;

 private:
  Scalar() = default;
  std::array<uint8_t, kScalarBytes> bytes_{};
};

// A secret number modulo the group order, never zero: shares, keys, blinds, nonces. Lives in memory
// of SecretBytes; every operation on it takes constant time.
class SecretScalar {
 public:
  // nullopt unless `raw` is 32 bytes, below the group order and not zero.
  static std::optional<SecretScalar> Decode(BytesView raw);
  // Uniform over 1 .. order - 1 (RFC 9497 RandomScalar may give 0: that one is drawn again).
  static SecretScalar Random();
  // nullopt when the reduced value is zero.
  static std::optional<SecretScalar> Reduce(std::span<const uint8_t, kUniformBytes> wide);

  SecretScalar Clone() const;
  SecretScalar Inverse() const;
  // this * factor + summand. nullopt when that is zero.
  std::optional<SecretScalar> MultiplyAdd(const Scalar& factor, const SecretScalar& summand) const;
  // minuend - factor * this: the response of a Schnorr proof, public by construction.
  Scalar Response(const SecretScalar& minuend, const Scalar& factor) const;
  // Constant time.
  bool Equals(const SecretScalar& other) const;

  // 32 bytes, little-endian.
  BytesView ExposeSecret() const { return bytes_.ExposeSecret(); }

 private:
  SecretScalar() : bytes_(kScalarBytes) {}
  const uint8_t* Secret() const {
    return reinterpret_cast<const uint8_t*>(bytes_.ExposeSecret().data());
  }
  uint8_t* SecretForWrite() { return bytes_.ExposeSecretForWrite().data(); }

  friend class Point;
  SecretBytes bytes_;
};

// A group element that is not the identity, and is no secret.
class Point {
 public:
  // nullopt unless `raw` is 32 bytes, the canonical encoding of an element other than the identity.
  static std::optional<Point> Decode(BytesView raw);
  // RFC 9497 HashToGroup for a public message. nullopt when the hash is the identity.
  // REQUIRES: 1 <= dst.size() <= 255
  static std::optional<Point> Hash(BytesView message, std::string_view dst);
  // blind * Hash(message) for a secret message: its hash exists in secret memory only.
  static std::optional<Point> BlindedHash(BytesView secret_message, std::string_view dst,
                                          const SecretScalar& blind);
  // RFC 9496 4.3.4: element derivation from 64 uniform bytes. nullopt for the identity.
  static std::optional<Point> FromUniform(std::span<const uint8_t, kUniformBytes> uniform);
  static const Point& Generator();

  // nullopt when the sum is the identity.
  std::optional<Point> Add(const Point& other) const;
  // nullopt for a zero scalar.
  std::optional<Point> Multiply(const Scalar& scalar) const;
  Point Multiply(const SecretScalar& scalar) const;
  // The encoding of a product that is itself a secret: an unblinded element.
  SecretBytes MultiplyToSecret(const SecretScalar& scalar) const;
  // Scalar times generator; quicker than Generator().Multiply(scalar).
  static std::optional<Point> MultiplyGenerator(const Scalar& scalar);
  static Point MultiplyGenerator(const SecretScalar& scalar);

  const uint8_t* data() const { return bytes_.data(); }
  BytesView view() const { return {reinterpret_cast<const char*>(bytes_.data()), kPointBytes}; }
  Bytes str() const { return Bytes(view()); }
  bool operator==(const Point&) const = default;

 private:
  Point() = default;
  std::array<uint8_t, kPointBytes> bytes_{};
};

// RFC 9380 5.3.1 with SHA-512: fills `out`. The message may be a secret: what was hashed is wiped
// from this function's own buffers. REQUIRES: 1 <= dst.size() <= 255, 1 <= out.size() <= 255 * 64
void ExpandMessageXmd(BytesView message, std::string_view dst, std::span<uint8_t> out);

}  // namespace schakel::crypto
