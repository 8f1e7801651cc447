// Every byte of an envelope that is hashed or signed. Pure functions; proto/ENVELOPE.md is the page
// they follow, tests/vectors/envelope has every value. Padding stands in padding.h, sealing in
// seal.h. `header`, `routing` and `meta` are protobuf bytes as they came, never re-serialised.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "broker/crypto/secret.h"

namespace schakel::crypto {

inline constexpr size_t kContentKeyBytes = 32;  // CEK
inline constexpr size_t kWrappedKeyBytes = 48;  // CEK and the tag
inline constexpr size_t kValuesMultiple = 16;   // counts of values come in these steps

// The info of HPKE for every wrap: "schakel/v1/wrap\n".
BytesView WrapInfo();

// hd = H("schakel/v1/header\n" || lp(header))
Digest HeaderDigest(BytesView header);

struct SectionKeys {
  SecretBytes key;    // K: AES-256-GCM, used for one section only
  Digest commitment;  // com: public, binds the content key
};
// K || com = HKDF-SHA256(CEK, salt empty, "schakel/v1/cek\n" || hd || sid, 64)
// REQUIRES: content_key of 32 bytes.
SectionKeys DeriveSectionKeys(const SecretBytes& content_key, const Digest& header_digest,
                              const SectionId& sid);

// "schakel/v1/section-aad\n" || hd || sid || lp(meta)
Bytes SectionAad(const Digest& header_digest, const SectionId& sid, BytesView meta);

// What sd is made of. The ciphertext enters as its SHA-256, so that a destroyed one can still be
// proved.
struct SectionParts {
  Digest header_digest;
  SectionId sid;
  BytesView meta;
  Digest commitment;
  Digest ciphertext_digest;
};
// sd = H("schakel/v1/section\n" || hd || sid || lp(meta) || com || H(ct))
Digest SectionDigest(const SectionParts& parts);

// Who wraps for whom, under which key set.
struct WrapParties {
  OrganisationId sender;
  OrganisationId recipient;
  Digest recipient_key_set;
};
// senderOIN || recipientOIN || recipientKeySetDigest || sd
Bytes WrapAad(const WrapParties& parties, const Digest& section_digest);

// wd = H("schakel/v1/wrap-digest\n" || sd || recipientOIN || enc || wrapped)
// REQUIRES: enc of 32 and wrapped of 48 bytes.
Digest WrapDigest(const Digest& section_digest, const OrganisationId& recipient, BytesView enc,
                  BytesView wrapped);

// rt = H("schakel/v1/routing\n" || hd || lp(routing))
Digest RoutingDigest(const Digest& header_digest, BytesView routing);

// All sd, all wd and rt, filled with random values to the next multiple of 16, ascending.
// REQUIRES: `known` is distinct, 1..kValuesMax - 15 of them.
std::vector<Digest> BuildValues(std::span<const Digest> known);

enum class ValuesFault {
  kNone,
  kCount,       // none, too many, or not a multiple of 16
  kOrder,       // equal or not ascending
  kMissing,     // a known value is not among them
  kOverfilled,  // more filling than up to the next multiple of 16
};
// For who knows every sd, every wd and rt: the broker.
ValuesFault CheckAllValues(std::span<const Digest> values, std::span<const Digest> all_known);
// For a recipient, who knows some: overfilling can't be seen.
ValuesFault CheckSomeValues(std::span<const Digest> values, std::span<const Digest> some_known);

// H("schakel/v1/envelope\n" || hd || u16 count || values). REQUIRES: count < 2^16.
Digest EnvelopeDigest(const Digest& header_digest, std::span<const Digest> values);

// What the sender signs once per batch: "schakel/v1/batch\n" || u32 n || root, where root is that
// of the RFC 6962 tree over the envelope digests.
Bytes BatchMessage(uint32_t envelope_count, const Digest& root);

}  // namespace schakel::crypto
