// The key of an organisation's certificate: signs key sets and key documents.
// Three algorithms and nothing else, chosen by the key itself (proto/ENVELOPE.md, Keys):
//   RSA of 2048 to 8192 bits  RSA-PSS, SHA-256, MGF1 with SHA-256, salt of 32 bytes
//   EC on P-256               ECDSA with SHA-256, DER signature
//   EC on P-384               ECDSA with SHA-384, DER signature
#pragma once

#include <filesystem>
#include <memory>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/crypto/x509.h"

struct evp_pkey_st;  // OpenSSL's, opaque here

namespace schakel::crypto {

// A private key in memory. Cheap to copy (one key, shared), safe to use from several threads.
class CertificateKey {
 public:
  // Reads an unencrypted PEM file (PKCS #8 or traditional). The file must be a regular one that
  // neither group nor others can read or write (mode 0600 or less), else the Error says so and what
  // to do. Errors: FIELD_INVALID with the path as field.
  static Result<CertificateKey> Load(const std::filesystem::path& path);

  // The signature over the message itself (it is hashed here).
  Result<Bytes> Sign(BytesView message) const;

  // SHA-256 of the public key's SubjectPublicKeyInfo; equals CertificateFacts::spki of its
  // certificate.
  const Digest& spki() const { return spki_; }
  bool Matches(const Certificate& certificate) const { return spki_ == certificate.facts().spki; }

 private:
  CertificateKey() = default;
  std::shared_ptr<evp_pkey_st> key_;
  Digest spki_;
};

// Whether `signature` over `message` was made by the certificate's key. A wrong or malformed
// signature is false; an Error is a failing library, or a key of another kind than the three above
// (CERTIFICATE_INVALID). Validity, chain and revocation of the certificate are not looked at.
Result<bool> VerifyByCertificate(const Certificate& certificate, BytesView message,
                                 BytesView signature);

}  // namespace schakel::crypto
