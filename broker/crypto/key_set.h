// Key sets: the sealing and signing keys of an organisation, chained by digest. proto/ENVELOPE.md,
// Key sets. The certificate's signature over the same bytes is in cert_key.h.
#pragma once

#include <cstdint>

#include "broker/base/bytes.h"
#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/crypto/key32.h"

namespace schakel::crypto {

struct KeySet {
  OrganisationId oin;
  uint64_t version = 1;  // 1, 2, 3, ... without gaps
  Millis not_before{0};  // valid while not_before <= t < not_after
  Millis not_after{0};
  Digest previous;  // digest of version - 1; 32 zero bytes for version 1
  X25519PublicKey sealing_key;
  Ed25519PublicKey signing_key;

  bool operator==(const KeySet&) const = default;
};

inline constexpr size_t kKeySetBytes = 19 + 20 + 3 * 8 + 3 * 32;

// "schakel/v1/key-set\n" || OIN || u64 version || u64 not_before || u64 not_after || previous ||
// X25519
// || Ed25519. Both signatures are over exactly these bytes.
Bytes EncodeKeySet(const KeySet& key_set);

// Strict: INVALID_ARGUMENT KEY_SET_INVALID with the field for another label or length, version 0, a
// version 1 with a predecessor or a later one without, times out of order, outside the years
// 1970..9999 or more than 90 days apart, and all-zero keys.
Result<KeySet> ParseKeySet(BytesView bytes);

// H(bytes)
Digest KeySetDigest(BytesView bytes);

// Whether the new Ed25519 key itself signed the bytes (proof that its owner holds it).
bool VerifyNewKeySignature(const KeySet& key_set, BytesView signature);

// Whether `next` may follow `previous`: same OIN, version + 1, and its digest as predecessor.
bool Follows(const KeySet& previous, const KeySet& next);

}  // namespace schakel::crypto
