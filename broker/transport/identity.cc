#include "broker/transport/identity.h"

namespace schakel::transport {
namespace {

Error Unknown(std::string message) {
  return MakeError(ErrorCode::kUnauthenticated, "CERTIFICATE_UNKNOWN", std::move(message));
}

Result<std::shared_ptr<const PeerIdentity>> Parse(std::string_view pem) {
  Result<crypto::Certificate> certificate = crypto::Certificate::Parse(pem);
  if (!certificate.ok()) return Unknown("the client certificate can't be read");
  const crypto::CertificateFacts& facts = certificate->facts();
  if (!facts.oin) {
    return Unknown(
        "the client certificate names no organisation: subject.serialNumber must be an OIN of 20 "
        "digits, exactly once");
  }
  if (!facts.client_auth) {
    return Unknown(
        "the client certificate may not be used by a client: extendedKeyUsage must name "
        "clientAuth");
  }
  return std::make_shared<const PeerIdentity>(PeerIdentity{*facts.oin, facts});
}

}  // namespace

Result<std::shared_ptr<const PeerIdentity>> IdentityCache::Read(std::string_view pem) {
  if (pem.empty()) return Unknown("the connection has no client certificate");
  {
    std::lock_guard lock(mutex_);
    if (const auto found = index_.find(pem); found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->verdict;
    }
  }
  // Parsed outside the lock: two calls may both do it, and the later one finds the entry there.
  Verdict verdict = Parse(pem);
  std::lock_guard lock(mutex_);
  if (index_.contains(pem)) return verdict;
  entries_.push_front(Entry{std::string(pem), verdict});
  index_.emplace(entries_.front().pem, entries_.begin());
  if (entries_.size() > capacity_) {
    index_.erase(entries_.back().pem);
    entries_.pop_back();
  }
  return verdict;
}

size_t IdentityCache::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace schakel::transport
