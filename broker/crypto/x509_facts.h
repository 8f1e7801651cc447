// From OpenSSL's X509 to CertificateFacts. Internal to broker/crypto.
#pragma once

#include "broker/base/result.h"
#include "broker/crypto/openssl_ptr.h"
#include "broker/crypto/x509.h"

namespace schakel::crypto {

// Errors: CERTIFICATE_INVALID when a part that everything rests on can't be read.
Result<CertificateFacts> ReadFacts(X509* certificate);

// Lower-case hex of a serial number, as in CertificateFacts::serial. nullopt for a negative one.
std::optional<std::string> SerialText(const ASN1_INTEGER* serial);
// SHA-256 of a name in DER. nullopt when OpenSSL can't encode it.
std::optional<Digest> NameDigest(const X509_NAME* name);
// nullopt for a time that can't be read.
std::optional<Millis> TimeOf(const ASN1_TIME* time);

}  // namespace schakel::crypto
