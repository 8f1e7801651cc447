// Sealing and opening one section: content key, commitment, ciphertext, wraps. proto/ENVELOPE.md.
// Signature, membership in the values and key sets are the caller's (steps 1 to 4 of opening).
#pragma once

#include <span>
#include <variant>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/crypto/hpke.h"
#include "broker/crypto/padding.h"
#include "broker/crypto/secret.h"

namespace schakel::crypto {

struct SealRecipient {
  OrganisationId oin;
  Digest key_set;  // digest of the key set that sealing_key stands in
  X25519PublicKey sealing_key;
};

// Views are valid during the call only.
struct SealRequest {
  Digest header_digest;
  OrganisationId sender;
  SectionId sid;  // random, distinct within the envelope
  BytesView meta;
  BytesView media_type;
  BytesView schema_id;
  BytesView content;
  std::span<const SealRecipient> recipients;
};

struct SealedWrap {
  OrganisationId recipient;
  Digest recipient_key_set;
  Bytes enc;           // 32 bytes
  Bytes wrapped;       // 48 bytes
  Digest wrap_digest;  // wd
};

struct SealedSection {
  SectionId sid;
  Bytes meta;
  Digest commitment;
  Bytes ciphertext;               // padded plaintext and the tag
  Digest section_digest;          // sd
  std::vector<SealedWrap> wraps;  // in the order of the request's recipients
};

// Seals under a fresh content key, which is destroyed before the call returns.
// Errors: TOO_LARGE; a recipient's key that HPKE refuses; a failing library.
Result<SealedSection> SealSection(const SealRequest& request);

// One recipient's part of a section, as it came.
struct SectionToOpen {
  Digest header_digest;
  OrganisationId sender;
  OrganisationId recipient;  // the reader itself
  Digest recipient_key_set;  // digest of the key set that the wrap names
  SectionId sid;
  BytesView meta;
  BytesView commitment;
  BytesView ciphertext;
  BytesView enc;
  BytesView wrapped;
};

// At which step of proto/ENVELOPE.md, Order of checks on opening, it stopped. For the reader's own
// diagnosis: towards the peer there is one error.
enum class OpenFault { kShape = 1, kWrap = 5, kCommitment = 6, kCiphertext = 7, kPadding = 8 };

// Steps 5 to 8: HPKE open, commitment, GCM, padding. sd, with which the wrap is bound, is computed
// from what came. A fault is an answer; an Error is a failing library.
Result<std::variant<SectionContent, OpenFault>> OpenSection(const SectionToOpen& section,
                                                            const X25519KeyPair& recipient_key);

}  // namespace schakel::crypto
