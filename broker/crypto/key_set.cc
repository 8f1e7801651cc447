#include "broker/crypto/key_set.h"

#include "broker/base/limits.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/sign.h"

namespace schakel::crypto {
namespace {

constexpr BytesView kKeySetLabel = "schakel/v1/key-set\n";
constexpr uint64_t kEndOfYear9999 = 253'402'300'800'000;  // ms

Error Invalid(std::string field, std::string message) {
  return InvalidArgument("KEY_SET_INVALID", std::move(field), std::move(message));
}

template <typename Key>
bool IsZero(const Key& key) {
  return key == Key{};
}

// What holds for every key set, whoever made it.
Status CheckRules(const KeySet& k) {
  if (k.version == 0) return Invalid("version", "versions count from 1");
  if ((k.version == 1) != IsZero(k.previous)) {
    return Invalid("previous", "version 1, and no other, has 32 zero bytes as previous digest");
  }
  if (k.not_before >= k.not_after) return Invalid("not_after", "must be later than not_before");
  if (k.not_after - k.not_before > limits::kKeySetValidityMax) {
    return Invalid("not_after", "a key set is valid for 90 days at most");
  }
  if (IsZero(k.sealing_key)) return Invalid("sealing_key", "an X25519 key, not zeros");
  if (IsZero(k.signing_key)) return Invalid("signing_key", "an Ed25519 key, not zeros");
  return {};
}

}  // namespace

Bytes EncodeKeySet(const KeySet& k) {
  ByteWriter out(kKeySetBytes);
  out.Raw(kKeySetLabel)
      .Raw(k.oin.str())
      .U64(k.version)
      .U64(static_cast<uint64_t>(k.not_before.count()))
      .U64(static_cast<uint64_t>(k.not_after.count()))
      .Raw(k.previous.view())
      .Raw(k.sealing_key.view())
      .Raw(k.signing_key.view());
  return out.Take();
}

Result<KeySet> ParseKeySet(BytesView bytes) {
  ByteReader in(bytes);
  if (bytes.size() != kKeySetBytes || in.Raw(kKeySetLabel.size()) != kKeySetLabel) {
    return Invalid("key_set", "a key set has 159 bytes and begins with schakel/v1/key-set");
  }
  const std::optional<OrganisationId> oin = OrganisationId::From(*in.Raw(20));
  if (!oin) return Invalid("oin", "an OIN has 20 digits");
  const uint64_t version = *in.U64();
  const uint64_t not_before = *in.U64();
  const uint64_t not_after = *in.U64();
  if (not_before >= kEndOfYear9999 || not_after >= kEndOfYear9999) {
    return Invalid("not_after", "times are milliseconds within the years 1970 to 9999");
  }
  KeySet key_set{*oin,
                 version,
                 Millis(static_cast<int64_t>(not_before)),
                 Millis(static_cast<int64_t>(not_after)),
                 *Digest::From(*in.Raw(32)),
                 *X25519PublicKey::From(*in.Raw(32)),
                 *Ed25519PublicKey::From(*in.Raw(32))};
  SCHAKEL_TRY(CheckRules(key_set));
  return key_set;
}

Digest KeySetDigest(BytesView bytes) { return Sha256(bytes); }

bool VerifyNewKeySignature(const KeySet& key_set, BytesView signature) {
  return VerifyEd25519(key_set.signing_key, EncodeKeySet(key_set), signature);
}

bool Follows(const KeySet& previous, const KeySet& next) {
  return next.oin == previous.oin && next.version == previous.version + 1 &&
         next.previous == KeySetDigest(EncodeKeySet(previous));
}

}  // namespace schakel::crypto
