// Certificates: what an organisation's certificate says, and whether a chain of them is trusted.
// Everything is read from the parsed certificate, never from the subject's text form.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"

struct x509_st;        // OpenSSL's, opaque here
struct x509_store_st;  // OpenSSL's, opaque here

namespace schakel::crypto {

// What is read from a certificate.
struct CertificateFacts {
  // subject.serialNumber when the subject has exactly one and it is 20 digits; else nullopt.
  std::optional<OrganisationId> oin;
  Digest issuer;             // SHA-256 of the issuer's name in DER: the key of a CRL
  Digest subject;            // SHA-256 of the subject's name in DER
  std::string serial;        // of the certificate: lower-case hex, even length, no sign ("0a1b")
  Digest spki;               // SHA-256 of the SubjectPublicKeyInfo in DER
  Millis not_before{};       // valid from this moment on
  Millis not_after{};        // valid up to and including this second
  bool client_auth = false;  // extendedKeyUsage names clientAuth
  bool server_auth = false;  // extendedKeyUsage names serverAuth
  bool is_ca = false;        // basicConstraints says so
  std::string subject_name;  // RFC 2253 text, for people only: decide nothing on it
  std::string issuer_name;   // the same

  bool ValidAt(Millis at) const { return not_before <= at && at < not_after + Millis(1000); }
  bool operator==(const CertificateFacts&) const = default;
};

// One parsed certificate. Immutable, cheap to copy, safe to use from several threads.
class Certificate {
 public:
  // One certificate in PEM or DER, nothing else before or after it but white space (PEM: text
  // before the first BEGIN line is allowed, as `openssl x509` writes it). LIMIT:
  // limits::kCertificateBytesMax. Errors: CERTIFICATE_INVALID.
  static Result<Certificate> Parse(BytesView pem_or_der);
  // 1 .. limits::kCertificateChainMax certificates in PEM, in the order of the text (leaf first).
  // Errors: CERTIFICATE_INVALID, TOO_LARGE.
  static Result<std::vector<Certificate>> ParseChain(BytesView pem);

  const CertificateFacts& facts() const { return *facts_; }
  const Bytes& der() const { return *der_; }
  Bytes ToPem() const;
  // INVARIANT: never null. For the other files of this module.
  x509_st* raw() const { return x509_.get(); }
  bool operator==(const Certificate& other) const { return *der_ == *other.der_; }

 private:
  friend struct CertificateMaker;
  Certificate() = default;
  std::shared_ptr<x509_st> x509_;
  std::shared_ptr<const CertificateFacts> facts_;
  std::shared_ptr<const Bytes> der_;
};

// The OIN of an organisation's certificate. Errors: CERTIFICATE_INVALID when subject.serialNumber
// is missing, stands there twice, or is not 20 digits.
Result<OrganisationId> RequireOin(const Certificate& certificate);

enum class ChainUse { kAny, kClient, kServer };

// Whether a chain is trusted; when not, why, for people.
struct ChainVerdict {
  bool trusted = false;
  std::string why;  // empty when trusted
};

// The roots that an installation trusts. Immutable, cheap to copy, safe to use from several
// threads.
class TrustAnchors {
 public:
  // PEM with 1 .. 64 CA certificates. Errors: CERTIFICATE_INVALID.
  static Result<TrustAnchors> Parse(BytesView pem);

  // Builds a path from chain[0] over the others to a root and checks signatures, validity at `at`,
  // CA flags, key usage and, for kClient and kServer, the extended key usage. Revocation is not
  // checked here: see crl.h. An untrusted chain is a verdict; an Error is a failing library or an
  // empty chain.
  Result<ChainVerdict> Verify(std::span<const Certificate> chain, Millis at, ChainUse use) const;

  const std::vector<Certificate>& certificates() const { return *certificates_; }

 private:
  TrustAnchors() = default;
  std::shared_ptr<x509_store_st> store_;
  std::shared_ptr<const std::vector<Certificate>> certificates_;
};

}  // namespace schakel::crypto
