#include "broker/crypto/envelope_format.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/crypto/envelope_internal.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/random.h"

namespace schakel::crypto {
namespace {

constexpr BytesView kHeaderLabel = "schakel/v1/header\n";
constexpr BytesView kContentKeyLabel = "schakel/v1/cek\n";
constexpr BytesView kSectionAadLabel = "schakel/v1/section-aad\n";
constexpr BytesView kSectionLabel = "schakel/v1/section\n";
constexpr BytesView kWrapLabel = "schakel/v1/wrap\n";
constexpr BytesView kWrapDigestLabel = "schakel/v1/wrap-digest\n";
constexpr BytesView kRoutingLabel = "schakel/v1/routing\n";
constexpr BytesView kEnvelopeLabel = "schakel/v1/envelope\n";
constexpr BytesView kBatchLabel = "schakel/v1/batch\n";

constexpr size_t kEncBytes = 32;

static_assert(limits::kValuesMax % kValuesMultiple == 0, "the largest envelope fills up exactly");

size_t FilledCount(size_t known) {
  return (known + kValuesMultiple - 1) / kValuesMultiple * kValuesMultiple;
}

}  // namespace

BytesView WrapInfo() { return kWrapLabel; }

Digest HeaderDigest(BytesView header) {
  return Sha256Hasher().Raw(kHeaderLabel).Lp(header).Finish();
}

SectionKeys DeriveSectionKeys(const SecretBytes& content_key, const Digest& header_digest,
                              const SectionId& sid) {
  SCHAKEL_CHECK(content_key.size() == kContentKeyBytes, "a content key has 32 bytes");
  ByteWriter info(kContentKeyLabel.size() + 48);
  info.Raw(kContentKeyLabel).Raw(header_digest.view()).Raw(sid.view());
  const SecretBytes okm = HkdfSha256(content_key.ExposeSecret(), {}, info.bytes(), 64);
  return {SecretBytes::CopyOf(okm.ExposeSecret().substr(0, 32)),
          Digest::From(okm.ExposeSecret().substr(32)).value()};
}

Bytes SectionAad(const Digest& header_digest, const SectionId& sid, BytesView meta) {
  ByteWriter aad(kSectionAadLabel.size() + 52 + meta.size());
  aad.Raw(kSectionAadLabel).Raw(header_digest.view()).Raw(sid.view()).Lp(meta);
  return aad.Take();
}

Digest SectionDigest(const SectionParts& parts) {
  return Sha256Hasher()
      .Raw(kSectionLabel)
      .Raw(parts.header_digest.view())
      .Raw(parts.sid.view())
      .Lp(parts.meta)
      .Raw(parts.commitment.view())
      .Raw(parts.ciphertext_digest.view())
      .Finish();
}

Bytes WrapAad(const WrapParties& parties, const Digest& section_digest) {
  ByteWriter aad(104);
  aad.Raw(parties.sender.str())
      .Raw(parties.recipient.str())
      .Raw(parties.recipient_key_set.view())
      .Raw(section_digest.view());
  return aad.Take();
}

Digest WrapDigest(const Digest& section_digest, const OrganisationId& recipient, BytesView enc,
                  BytesView wrapped) {
  SCHAKEL_CHECK(enc.size() == kEncBytes && wrapped.size() == kWrappedKeyBytes,
                "a wrap is 32 and 48 bytes: no length is hashed with them");
  return Sha256Hasher()
      .Raw(kWrapDigestLabel)
      .Raw(section_digest.view())
      .Raw(recipient.str())
      .Raw(enc)
      .Raw(wrapped)
      .Finish();
}

Digest RoutingDigest(const Digest& header_digest, BytesView routing) {
  return Sha256Hasher().Raw(kRoutingLabel).Raw(header_digest.view()).Lp(routing).Finish();
}

namespace envelope_internal {

std::vector<Digest> BuildValuesWith(std::span<const Digest> known,
                                    const std::function<Digest()>& fill) {
  SCHAKEL_CHECK(!known.empty() && known.size() <= limits::kValuesMax,
                "an envelope has 1 to kValuesMax known values");
  std::vector<Digest> values(known.begin(), known.end());
  const size_t count = FilledCount(known.size());
  while (values.size() < count) values.push_back(fill());
  std::sort(values.begin(), values.end());
  SCHAKEL_CHECK(std::adjacent_find(values.begin(), values.end()) == values.end(),
                "values of an envelope are distinct");
  return values;
}

}  // namespace envelope_internal

std::vector<Digest> BuildValues(std::span<const Digest> known) {
  return envelope_internal::BuildValuesWith(known, [] {
    Digest random;
    RandomFill(random.bytes);
    return random;
  });
}

ValuesFault CheckSomeValues(std::span<const Digest> values, std::span<const Digest> some_known) {
  if (values.empty() || values.size() > limits::kValuesMax ||
      values.size() % kValuesMultiple != 0) {
    return ValuesFault::kCount;
  }
  for (size_t i = 1; i < values.size(); ++i) {
    if (!(values[i - 1] < values[i])) return ValuesFault::kOrder;
  }
  for (const Digest& known : some_known) {
    if (!std::binary_search(values.begin(), values.end(), known)) return ValuesFault::kMissing;
  }
  return ValuesFault::kNone;
}

ValuesFault CheckAllValues(std::span<const Digest> values, std::span<const Digest> all_known) {
  const ValuesFault fault = CheckSomeValues(values, all_known);
  if (fault != ValuesFault::kNone) return fault;
  return values.size() > FilledCount(all_known.size()) ? ValuesFault::kOverfilled
                                                       : ValuesFault::kNone;
}

Digest EnvelopeDigest(const Digest& header_digest, std::span<const Digest> values) {
  SCHAKEL_CHECK(values.size() <= UINT16_MAX, "the count of values is a u16");
  Sha256Hasher hasher;
  hasher.Raw(kEnvelopeLabel).Raw(header_digest.view()).U16(static_cast<uint16_t>(values.size()));
  for (const Digest& value : values) hasher.Raw(value.view());
  return hasher.Finish();
}

Bytes BatchMessage(uint32_t envelope_count, const Digest& root) {
  ByteWriter message(kBatchLabel.size() + 36);
  message.Raw(kBatchLabel).U32(envelope_count).Raw(root.view());
  return message.Take();
}

}  // namespace schakel::crypto
