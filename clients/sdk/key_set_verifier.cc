#include "clients/sdk/key_set_verifier.h"

#include <string>
#include <vector>

#include "broker/base/limits.h"
#include "broker/crypto/cert_key.h"
#include "broker/crypto/sign.h"
#include "clients/sdk/files.h"

namespace schakel::sdk {
namespace {

Error Invalid(const OrganisationId& owner, const std::string& why) {
  return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_INVALID",
                   "the key set of " + owner.str() + " is refused: " + why, owner.str());
}

}  // namespace

Result<std::unique_ptr<KeySetVerifier>> KeySetVerifier::Open(
    const std::filesystem::path& ca_file, const std::filesystem::path& crl_path) {
  SCHAKEL_ASSIGN(const Bytes pem, ReadFile(ca_file, 1 << 20));
  SCHAKEL_ASSIGN(auto anchors, crypto::TrustAnchors::Parse(pem));
  std::unique_ptr<crypto::CrlStore> revoked;
  if (!crl_path.empty()) {
    SCHAKEL_ASSIGN(revoked, crypto::CrlStore::Open(crl_path, anchors.certificates()));
  }
  return std::make_unique<KeySetVerifier>(std::move(anchors), std::move(revoked));
}

Status KeySetVerifier::CheckRevocation(std::span<const crypto::Certificate> chain,
                                       Millis now) const {
  if (!revoked_) return {};
  for (size_t i = 0; i < chain.size(); ++i) {
    const crypto::Revocation state = revoked_->Lookup(chain[i], now);
    if (state == crypto::Revocation::kGood) continue;
    if (state == crypto::Revocation::kRevoked) {
      return MakeError(ErrorCode::kFailedPrecondition, "CERTIFICATE_REVOKED",
                       "its certificate was revoked");
    }
    // INVARIANT I3: an organisation's own certificate needs a current list. The CAs above it have
    // lists of their own issuers, which a region need not hand out.
    if (i == 0) {
      return MakeError(ErrorCode::kFailedPrecondition, "REVOCATION_UNKNOWN",
                       "there is no current revocation list for its certificate");
    }
  }
  return {};
}

Result<VerifiedKeySet> KeySetVerifier::Verify(const v1::SignedKeySet& signed_set,
                                              const OrganisationId& owner, Millis at,
                                              Millis now) const {
  const auto key_set = crypto::ParseKeySet(signed_set.key_set());
  if (!key_set.ok()) return Invalid(owner, key_set.error().message);
  if (key_set->oin != owner) return Invalid(owner, "it names " + key_set->oin.str());
  if (at < key_set->not_before || at >= key_set->not_after) {
    return Invalid(owner, "it is not valid at that time");
  }
  if (!crypto::VerifyNewKeySignature(*key_set, signed_set.signing_key_signature())) {
    return Invalid(owner, "its own new key did not sign it");
  }
  const int count = signed_set.certificate_chain_size();
  if (count < 1 || static_cast<size_t>(count) > limits::kCertificateChainMax) {
    return Invalid(owner, "a chain has 1 to 5 certificates");
  }
  std::vector<crypto::Certificate> chain;
  for (const auto& der : signed_set.certificate_chain()) {
    auto certificate = crypto::Certificate::Parse(der);
    if (!certificate.ok()) return Invalid(owner, certificate.error().message);
    chain.push_back(std::move(certificate).value());
  }
  const auto& facts = chain.front().facts();
  if (facts.oin != owner) return Invalid(owner, "its certificate names another organisation");
  if (key_set->not_after > facts.not_after + Millis(1000)) {
    return Invalid(owner, "it outlives its certificate");
  }
  const auto by_certificate = crypto::VerifyByCertificate(chain.front(), signed_set.key_set(),
                                                          signed_set.certificate_signature());
  if (!by_certificate.ok()) return Invalid(owner, by_certificate.error().message);
  if (!*by_certificate) return Invalid(owner, "its certificate's key did not sign it");
  SCHAKEL_ASSIGN(const auto verdict, anchors_.Verify(chain, at, crypto::ChainUse::kClient));
  if (!verdict.trusted) return Invalid(owner, "its certificate is not trusted: " + verdict.why);
  const auto revocation = CheckRevocation(chain, now);
  if (!revocation.ok()) return Invalid(owner, revocation.error().message);
  return VerifiedKeySet{*key_set, crypto::KeySetDigest(signed_set.key_set())};
}

}  // namespace schakel::sdk
