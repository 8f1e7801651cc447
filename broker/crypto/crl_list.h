// Reads and verifies revocation lists. Internal to broker/crypto; crl.h looks things up in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/clock.h"
#include "broker/base/result.h"
#include "broker/crypto/x509.h"

namespace schakel::crypto {

// One complete list whose signature holds.
struct RevocationList {
  Digest issuer;  // SHA-256 of the issuer's name in DER
  Digest signer;  // SHA-256 of the signing key: a CA with a new key may keep its name
  Millis this_update{};
  std::optional<Millis> next_update;
  std::unordered_set<std::string> revoked;  // serials, as CertificateFacts::serial

  bool CurrentAt(Millis now) const {
    return this_update <= now && next_update && now < *next_update;
  }
};

// All lists of a PEM text, at least one. Errors (FIELD_INVALID, without a field): a list that can't
// be parsed, is signed by none of the issuers, or says only a part of what its issuer revoked.
Result<std::vector<RevocationList>> ParseRevocationLists(std::string_view pem,
                                                         const std::vector<Certificate>& issuers);

}  // namespace schakel::crypto
