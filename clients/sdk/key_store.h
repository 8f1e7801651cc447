// An organisation's own key sets on its disk: public part, private keys, and which one signs.
//
//   <folder>/                     mode 0700
//     <version>.keyset            schakel.client.v1.OwnKeySet, 0600; version in 10 digits
//     <version>.keys              X25519 private key (32) || Ed25519 seed (32), 0600
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "broker/base/clock.h"
#include "broker/base/result.h"
#include "broker/crypto/cert_key.h"
#include "broker/crypto/hpke.h"
#include "broker/crypto/key_set.h"
#include "broker/crypto/sign.h"
#include "broker/crypto/x509.h"
#include "schakel/v1/directory.pb.h"

namespace schakel::sdk {

// A key set with its private keys. Cheap to copy; const use is thread-safe.
struct OwnKeySet {
  crypto::KeySet key_set;
  Digest digest;
  v1::SignedKeySet signed_key_set;  // certificate_signature empty until it was attached
  bool registered = false;          // the broker has it
  std::shared_ptr<const crypto::X25519KeyPair> sealing;
  std::shared_ptr<const crypto::SigningKey> signing;

  bool complete() const { return !signed_key_set.certificate_signature().empty(); }
  bool ValidAt(Millis at) const { return key_set.not_before <= at && at < key_set.not_after; }
};

// Not thread-safe between writers of one object; several processes are kept apart by a lock file.
class KeyStore {
 public:
  // Makes the folder when it is missing. FOLDER_OPEN when others may enter it.
  static Result<KeyStore> Open(std::filesystem::path folder);

  // Makes the next key set (version 1, or one more than the highest), valid from now for `validity`
  // (at most 90 days, and not beyond the certificate), signs it with its own new key and writes it.
  // `chain`: the organisation's certificate, leaf first. The certificate's signature is still
  // missing. FAILED_PRECONDITION KEY_SET_INCOMPLETE when the highest one waits for its signature.
  Result<OwnKeySet> Generate(std::span<const crypto::Certificate> chain, Millis now,
                             std::chrono::hours validity = std::chrono::hours(90 * 24));

  // Adds the certificate's signature to the key set that waits for it: made elsewhere (an HSM or a
  // signing proxy) over OwnKeySet::signed_key_set.key_set(), or here with the key.
  // SIGNATURE_INVALID when it is not the certificate's.
  Result<OwnKeySet> Attach(BytesView certificate_signature);
  Result<OwnKeySet> Sign(const crypto::CertificateKey& key);
  // Throws away a key set that waits for its signature: it was never used.
  Status DiscardIncomplete();

  // The broker has it now (RegisterKeySet was answered): from here on it signs.
  Status MarkRegistered(const Digest& digest);

  // The highest registered key set that is valid now: for signing, and what others seal to.
  // FAILED_PRECONDITION KEY_SET_MISSING, with what to do.
  Result<OwnKeySet> Current(Millis now) const;
  // The highest key set that carries both signatures, registered or not. NOT_FOUND.
  Result<OwnKeySet> Newest() const;
  // For opening: the key set with this digest. NOT_FOUND KEY_SET_UNKNOWN. Whether it was valid at
  // the signal's `created` is the opener's check.
  Result<OwnKeySet> Find(const Digest& digest) const;
  // All, ascending by version.
  Result<std::vector<OwnKeySet>> List() const;

  // Destroys private keys that nothing can be opened with any more: 90 days (longest expiry) and 30
  // days after not_after. Returns how many.
  Result<size_t> DestroyOld(Millis now);

  const std::filesystem::path& folder() const { return folder_; }

 private:
  explicit KeyStore(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<std::optional<OwnKeySet>> Load(uint64_t version) const;
  Result<std::vector<uint64_t>> Versions() const;
  Status Write(const OwnKeySet& own) const;

  std::filesystem::path folder_;
};

}  // namespace schakel::sdk
