// Whether a key set that came from the broker is its organisation's: so that a broker that swaps
// keys is caught. proto/ENVELOPE.md, Key sets.
#pragma once

#include <filesystem>
#include <memory>

#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/crypto/crl.h"
#include "broker/crypto/key_set.h"
#include "broker/crypto/x509.h"
#include "schakel/v1/directory.pb.h"

namespace schakel::sdk {

// A key set whose signatures, chain, OIN and revocation were checked.
struct VerifiedKeySet {
  crypto::KeySet key_set;
  Digest digest;
  bool operator==(const VerifiedKeySet&) const = default;
};

// Thread-safe.
class KeySetVerifier {
 public:
  // `crl_path` may be empty: then revocation is not checked.
  static Result<std::unique_ptr<KeySetVerifier>> Open(const std::filesystem::path& ca_file,
                                                      const std::filesystem::path& crl_path);
  KeySetVerifier(crypto::TrustAnchors anchors, std::unique_ptr<crypto::CrlStore> revoked)
      : anchors_(std::move(anchors)), revoked_(std::move(revoked)) {}

  // Shape, the new key's signature, the certificate's signature, chain to the trust anchors at
  // `at`, certificate's OIN = the key set's = `owner`, key set valid at `at`, not_after within the
  // certificate's, and not revoked now: the leaf's list must be current, an intermediate's must not
  // name it. Errors: KEY_SET_INVALID with what is wrong.
  Result<VerifiedKeySet> Verify(const v1::SignedKeySet& key_set, const OrganisationId& owner,
                                Millis at, Millis now) const;

  const crypto::TrustAnchors& anchors() const { return anchors_; }

 private:
  Status CheckRevocation(std::span<const crypto::Certificate> chain, Millis now) const;

  crypto::TrustAnchors anchors_;
  std::unique_ptr<crypto::CrlStore> revoked_;  // null: not checked
};

}  // namespace schakel::sdk
