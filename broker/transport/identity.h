// Who is at the other end of a connection, read from the parsed certificate of the TLS session.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "broker/base/ids.h"
#include "broker/base/limits.h"
#include "broker/base/result.h"
#include "broker/crypto/x509.h"

namespace schakel::transport {

// What the certificate says. Nothing of it is permission: see authenticator.h.
struct PeerIdentity {
  OrganisationId organisation;  // subject.serialNumber
  crypto::CertificateFacts facts;
};

// Reads identities and remembers the last `capacity` certificates by their bytes, so that a call
// parses nothing. A verdict on the bytes alone never goes stale: revocation and validity are not
// part of it. Thread-safe.
class IdentityCache {
 public:
  explicit IdentityCache(size_t capacity = limits::kIdentityCacheMax) : capacity_(capacity) {}

  // `pem`: the leaf, one certificate (gRPC's property x509_pem_cert). Errors, UNAUTHENTICATED:
  // CERTIFICATE_UNKNOWN when there is none, it can't be parsed, names no organisation, or may not
  // be used by a client (extendedKeyUsage without clientAuth).
  Result<std::shared_ptr<const PeerIdentity>> Read(std::string_view pem);

  size_t size() const;

 private:
  using Verdict = Result<std::shared_ptr<const PeerIdentity>>;
  struct Entry {
    std::string pem;
    Verdict verdict;
  };
  const size_t capacity_;
  mutable std::mutex mutex_;                                                // guards what follows
  std::list<Entry> entries_;                                                // most recent first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;  // views into entries_
};

}  // namespace schakel::transport
