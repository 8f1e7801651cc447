// Signing keys of registered key sets by digest, for verifying before a command is queued. A key set
// never changes once registered, so what is found is kept.
#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>

#include "broker/crypto/key32.h"
#include "broker/store/state_store.h"

namespace schakel::rpc {

// Thread-safe.
class KeySets {
 public:
  explicit KeySets(const store::StateStore* store) : store_(store) {}

  struct Entry {
    std::string oin;
    crypto::Ed25519PublicKey signing_key;
  };
  // nullopt when no such key set is registered (durably).
  Result<std::optional<Entry>> Find(const Digest& digest);

 private:
  const store::StateStore* const store_;
  std::mutex mutex_;
  std::unordered_map<Digest, Entry, DigestHash> entries_;
};

// Where the request names the key set, and where it has the signature.
struct SignedFields {
  const char* key_set;
  const char* signature;
};
// Whether `signature` over `message` is that of the key set, which must be `oin`'s. KEY_SET_UNKNOWN,
// SIGNATURE_INVALID.
Status VerifyBy(KeySets& key_sets, const Digest& digest, const std::string& oin, BytesView message,
                BytesView signature, const SignedFields& fields);

}  // namespace schakel::rpc
