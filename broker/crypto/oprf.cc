#include "broker/crypto/oprf.h"

#include <sodium.h>

#include <array>
#include <string>

#include "broker/base/check.h"
#include "broker/crypto/init.h"
#include "broker/crypto/oprf_internal.h"
#include "broker/crypto/random.h"
#include "broker/crypto/sha512_wiped.h"

namespace schakel::crypto {
namespace {

constexpr size_t kSha512Bytes = crypto_hash_sha512_BYTES;
static_assert(kOprfOutputBytes == kSha512Bytes);

// RFC 9497 3.1 CreateContextString: "OPRFV1-" || I2OSP(mode, 1) || "-" || identifier, after a
// prefix.
std::string Label(std::string_view prefix, OprfMode mode) {
  std::string label(prefix);
  label += "OPRFV1-";
  label += static_cast<char>(mode);
  label += "-ristretto255-SHA512";
  return label;
}

const std::string& HashToScalarDst() {
  static const std::string dst = Label("HashToScalar-", OprfMode::kVoprf);
  return dst;
}

// The random weights d_i of RFC 9497 2.2.1 ComputeComposites, one after the other.
class Weights {
 public:
  explicit Weights(const Point& public_key) {
    static const std::string seed_dst = Label("Seed-", OprfMode::kVoprf);
    WipedSha512().Lp16(public_key.view()).Lp16(seed_dst).Finish(seed_.data());
    transcript_.reserve(2 + kSha512Bytes + 2 + 2 * (2 + kPointBytes) + 9);
  }

  Scalar At(size_t i, const Point& blinded, const Point& evaluated) {
    transcript_.clear();
    Lp16({reinterpret_cast<const char*>(seed_.data()), seed_.size()});
    U16(i);
    Lp16(blinded.view());
    Lp16(evaluated.view());
    transcript_ += "Composite";
    return Scalar::Hash(transcript_, HashToScalarDst());
  }

 private:
  void U16(size_t v) {
    transcript_ += static_cast<char>(v >> 8);
    transcript_ += static_cast<char>(v & 0xff);
  }
  void Lp16(BytesView v) {
    U16(v.size());
    transcript_ += v;
  }

  std::array<uint8_t, kSha512Bytes> seed_{};
  Bytes transcript_;
};

// RFC 9497 2.2.1: the challenge over the public key, both composites and both commitments.
Scalar Challenge(const Point& public_key, const Point& m, const Point& z, const Point& t2,
                 const Point& t3) {
  Bytes transcript;
  transcript.reserve(5 * (2 + kPointBytes) + 9);
  for (const Point* p : {&public_key, &m, &z, &t2, &t3}) {
    transcript += '\0';
    transcript += static_cast<char>(kPointBytes);
    transcript += p->view();
  }
  transcript += "Challenge";
  return Scalar::Hash(transcript, HashToScalarDst());
}

// Adds weight * element to a sum that starts empty. False when identity turns up, which no honest
// list of elements gives.
bool Accumulate(std::optional<Point>& sum, const Scalar& weight, const Point& element) {
  std::optional<Point> term = element.Multiply(weight);
  if (!term) return false;
  sum = sum ? sum->Add(*term) : term;
  return sum.has_value();
}

Status CheckBatch(size_t size) {
  if (size == 0 || size > kOprfBatchMax) {
    return InvalidArgument("FIELD_INVALID", "blinded_elements", "expected 1 to 65535 elements");
  }
  return {};
}

}  // namespace

namespace internal {

Result<Point> BlindWith(BytesView secret_input, const SecretScalar& blind, OprfMode mode) {
  if (secret_input.size() > kOprfInputBytesMax) {
    return InvalidArgument("FIELD_INVALID", "input", "expected at most 65535 bytes");
  }
  auto element = Point::BlindedHash(secret_input, Label("HashToGroup-", mode), blind);
  if (!element) return Internal("the input hashes to the identity");
  return *element;
}

Result<OprfProof> ProveWith(const SecretScalar& secret_key, const Point& public_key,
                            std::span<const Point> blinded, std::span<const Point> evaluated,
                            const SecretScalar& nonce) {
  SCHAKEL_TRY(CheckBatch(blinded.size()));
  SCHAKEL_CHECK(blinded.size() == evaluated.size(), "a proof is over pairs of elements");
  Weights weights(public_key);
  std::optional<Point> m;
  for (size_t i = 0; i < blinded.size(); ++i) {
    if (!Accumulate(m, weights.At(i, blinded[i], evaluated[i]), blinded[i])) {
      return Internal("the weighted sum of the elements is the identity");
    }
  }
  const Point z = m->Multiply(secret_key);
  const Point t2 = Point::MultiplyGenerator(nonce);
  const Point t3 = m->Multiply(nonce);
  const Scalar challenge = Challenge(public_key, *m, z, t2, t3);
  return OprfProof{challenge, secret_key.Response(nonce, challenge)};
}

SecretScalar DeriveNonce(BytesView fresh, const SecretScalar& secret_key, const Point& public_key,
                         std::span<const Point> blinded, std::span<const Point> evaluated) {
  InitCrypto();
  SecretBytes wide(kUniformBytes);
  for (uint8_t attempt = 0;; ++attempt) {
    WipedSha512 hash;
    hash.Update("schakel/v1/dleq-nonce\n").U8(attempt).Lp16(fresh);
    hash.Update(secret_key.ExposeSecret()).Update(public_key.view());
    hash.U16(blinded.size());
    for (const Point& p : blinded) hash.Update(p.view());
    for (const Point& p : evaluated) hash.Update(p.view());
    hash.Finish(wide.ExposeSecretForWrite().data());
    auto nonce = SecretScalar::Reduce(wide.ExposeSecretForWrite().first<kUniformBytes>());
    if (nonce) return std::move(*nonce);
    SCHAKEL_CHECK(attempt < 255, "256 hashes in a row are not zero");
  }
}

}  // namespace internal

Result<BlindedInput> Blind(BytesView secret_input, OprfMode mode) {
  SecretScalar blind = SecretScalar::Random();
  SCHAKEL_ASSIGN(Point element, internal::BlindWith(secret_input, blind, mode));
  return BlindedInput{std::move(blind), element};
}

Result<SecretBytes> Finalize(BytesView secret_input, const SecretScalar& blind,
                             const Point& evaluated) {
  if (secret_input.size() > kOprfInputBytesMax) {
    return InvalidArgument("FIELD_INVALID", "input", "expected at most 65535 bytes");
  }
  const SecretBytes unblinded = evaluated.MultiplyToSecret(blind.Inverse());
  SecretBytes output(kOprfOutputBytes);
  WipedSha512()
      .Lp16(secret_input)
      .Lp16(unblinded.ExposeSecret())
      .Update("Finalize")
      .Finish(output.ExposeSecretForWrite().data());
  return output;
}

Bytes OprfProof::Encode() const {
  Bytes out(challenge.view());
  out += response.view();
  return out;
}

std::optional<OprfProof> OprfProof::Decode(BytesView raw) {
  if (raw.size() != kOprfProofBytes) return std::nullopt;
  auto challenge = Scalar::Decode(raw.substr(0, kScalarBytes));
  auto response = Scalar::Decode(raw.substr(kScalarBytes));
  if (!challenge || !response) return std::nullopt;
  return OprfProof{*challenge, *response};
}

Result<OprfKeyPair> DeriveKeyPair(BytesView secret_seed, BytesView info, OprfMode mode) {
  SCHAKEL_CHECK(secret_seed.size() == kOprfSeedBytes && info.size() <= 65535,
                "RFC 9497 3.2.1: a seed of 32 bytes, info of at most 65535");
  // deriveInput || counter
  SecretBytes input(kOprfSeedBytes + 2 + info.size() + 1);
  std::span<uint8_t> bytes = input.ExposeSecretForWrite();
  std::memcpy(bytes.data(), secret_seed.data(), kOprfSeedBytes);
  bytes[kOprfSeedBytes] = static_cast<uint8_t>(info.size() >> 8);
  bytes[kOprfSeedBytes + 1] = static_cast<uint8_t>(info.size() & 0xff);
  if (!info.empty()) std::memcpy(&bytes[kOprfSeedBytes + 2], info.data(), info.size());
  SecretBytes wide(kUniformBytes);
  for (int counter = 0; counter <= 255; ++counter) {
    bytes.back() = static_cast<uint8_t>(counter);
    ExpandMessageXmd(input.ExposeSecret(), Label("DeriveKeyPair", mode),
                     wide.ExposeSecretForWrite());
    auto key = SecretScalar::Reduce(wide.ExposeSecretForWrite().first<kUniformBytes>());
    if (!key) continue;
    Point public_key = Point::MultiplyGenerator(*key);
    return OprfKeyPair{std::move(*key), public_key};
  }
  return Internal("the seed gives no key");
}

Result<Evaluation> BlindEvaluate(const SecretScalar& secret_key, const Point& public_key,
                                 std::span<const Point> blinded) {
  SCHAKEL_TRY(CheckBatch(blinded.size()));
  std::vector<Point> elements;
  elements.reserve(blinded.size());
  for (const Point& p : blinded) elements.push_back(p.Multiply(secret_key));
  const SecretBytes fresh = RandomSecret(32);
  const SecretScalar nonce =
      internal::DeriveNonce(fresh.ExposeSecret(), secret_key, public_key, blinded, elements);
  SCHAKEL_ASSIGN(OprfProof proof,
                 internal::ProveWith(secret_key, public_key, blinded, elements, nonce));
  return Evaluation{std::move(elements), proof};
}

bool VerifyProof(const Point& public_key, std::span<const Point> blinded,
                 std::span<const Point> evaluated, const OprfProof& proof) {
  if (blinded.size() != evaluated.size() || !CheckBatch(blinded.size()).ok()) return false;
  Weights weights(public_key);
  std::optional<Point> m;
  std::optional<Point> z;
  for (size_t i = 0; i < blinded.size(); ++i) {
    const Scalar weight = weights.At(i, blinded[i], evaluated[i]);
    if (!Accumulate(m, weight, blinded[i]) || !Accumulate(z, weight, evaluated[i])) return false;
  }
  // t2 = s * G + c * pk and t3 = s * M + c * Z. A zero scalar or an identity, which honest provers
  // never make, is refused on the way.
  std::optional<Point> t2 = Point::MultiplyGenerator(proof.response);
  std::optional<Point> t3;
  if (!t2 || !Accumulate(t2, proof.challenge, public_key)) return false;
  if (!Accumulate(t3, proof.response, *m) || !Accumulate(t3, proof.challenge, *z)) return false;
  return Challenge(public_key, *m, *z, *t2, *t3) == proof.challenge;
}

}  // namespace schakel::crypto
