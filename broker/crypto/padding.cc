#include "broker/crypto/padding.h"

#include <algorithm>

#include "broker/crypto/raw.h"

namespace schakel::crypto {
namespace {

constexpr uint8_t kPaddingVersion = 1;

// Writes u32 length and bytes at `place`; what follows them.
uint8_t* PutLp(uint8_t* place, BytesView v) {
  for (int shift = 24; shift >= 0; shift -= 8) *place++ = static_cast<uint8_t>(v.size() >> shift);
  return std::copy(v.begin(), v.end(), place);
}

}  // namespace

Result<SecretBytes> PadPlaintext(BytesView media_type, BytesView schema_id, BytesView content) {
  const Error too_large = InvalidArgument("TOO_LARGE", "content",
                                          "a section holds 64 KiB, its media type and schema id "
                                          "and 13 bytes of lengths included");
  constexpr size_t kMax = kPaddedSizes.back();
  if (media_type.size() > kMax || schema_id.size() > kMax || content.size() > kMax) {
    return too_large;
  }
  const size_t needed =
      kPaddingOverheadBytes + media_type.size() + schema_id.size() + content.size();
  const auto size = std::find_if(kPaddedSizes.begin(), kPaddedSizes.end(),
                                 [needed](size_t s) { return s >= needed; });
  if (size == kPaddedSizes.end()) return too_large;
  // Written straight into locked memory: a ByteWriter would leave the content on the heap.
  SecretBytes padded(*size);
  uint8_t* place = padded.ExposeSecretForWrite().data();
  *place++ = kPaddingVersion;
  for (BytesView part : {media_type, schema_id, content}) place = PutLp(place, part);
  return padded;
}

std::optional<SectionContent> UnpadPlaintext(BytesView padded) {
  if (std::find(kPaddedSizes.begin(), kPaddedSizes.end(), padded.size()) == kPaddedSizes.end()) {
    return std::nullopt;
  }
  ByteReader reader(padded);
  const auto version = reader.U8();
  const auto media_type = reader.Lp();
  const auto schema_id = reader.Lp();
  const auto content = reader.Lp();
  if (version != kPaddingVersion || !content) return std::nullopt;
  const BytesView filling = reader.Raw(reader.remaining()).value();
  if (std::any_of(filling.begin(), filling.end(), [](char c) { return c != 0; })) {
    return std::nullopt;
  }
  return SectionContent{std::string(*media_type), std::string(*schema_id),
                        SecretBytes::CopyOf(*content)};
}

}  // namespace schakel::crypto
