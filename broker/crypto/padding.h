// The padded plaintext of a section: u8 1 || lp(media type) || lp(schema id) || lp(content) ||
// zeros, 1, 4, 16 or 64 KiB in all, so that its size says little. proto/ENVELOPE.md, Padding.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/crypto/secret.h"

namespace schakel::crypto {

inline constexpr std::array<size_t, 4> kPaddedSizes = {1024, 4096, 16384, 65536};
inline constexpr size_t kPaddingOverheadBytes = 13;  // version and three lengths

// Fills up to the smallest size that fits. INVALID_ARGUMENT TOO_LARGE when none does.
Result<SecretBytes> PadPlaintext(BytesView media_type, BytesView schema_id, BytesView content);

struct SectionContent {
  std::string media_type;
  std::string schema_id;
  SecretBytes content;  // as the sender's system gave it; compare it with the schema before use
};
// nullopt for another version or size, a length that points outside, or filling that is not zero
// (which is what trailing data would be). Each of the four sizes is taken, also a larger one than
// needed: it tells less.
std::optional<SectionContent> UnpadPlaintext(BytesView padded);

}  // namespace schakel::crypto
