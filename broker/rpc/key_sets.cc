#include "broker/rpc/key_sets.h"

#include "broker/base/limits.h"
#include "broker/crypto/sign.h"
#include "broker/machine/facts.h"

namespace schakel::rpc {

Result<std::optional<KeySets::Entry>> KeySets::Find(const Digest& digest) {
  {
    std::lock_guard lock(mutex_);
    if (auto it = entries_.find(digest); it != entries_.end()) return std::optional(it->second);
  }
  SCHAKEL_ASSIGN(auto stored, machine::FindKeySet(store_->durable(), digest));
  if (!stored) return std::optional<Entry>();
  auto key = crypto::Ed25519PublicKey::From(stored->signing_key());
  if (!key) return Internal("a stored key set has no signing key");
  Entry entry{stored->oin(), *key};
  std::lock_guard lock(mutex_);
  // LIMIT: some versions of each organisation; emptied when it grows beyond.
  if (entries_.size() > 4 * limits::kOrganisationsMax) entries_.clear();
  entries_.emplace(digest, entry);
  return std::optional(std::move(entry));
}

Status VerifyBy(KeySets& key_sets, const Digest& digest, const std::string& oin, BytesView message,
                BytesView signature, const SignedFields& fields) {
  SCHAKEL_ASSIGN(auto entry, key_sets.Find(digest));
  if (!entry || entry->oin != oin) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_UNKNOWN",
                     "the digest of a registered key set of the caller expected", fields.key_set);
  }
  if (!crypto::VerifyEd25519(entry->signing_key, message, signature)) {
    return InvalidArgument("SIGNATURE_INVALID", fields.signature,
                           "does not verify under that key set");
  }
  return {};
}

}  // namespace schakel::rpc
