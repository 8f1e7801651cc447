// The key document with all custodians' signatures and certificates: the answer of GetKeyDocument,
// and the content of key-document.pb.
#pragma once

#include <filesystem>

#include "broker/base/clock.h"
#include "broker/base/result.h"
#include "broker/crypto/key_document.h"
#include "broker/crypto/x509.h"
#include "schakel/v1/custodian.pb.h"

namespace schakel::custodian {

// A signed document that exists verified: see VerifySignedDocument.
struct SignedDocument {
  crypto::KeyDocument document;
  v1::GetKeyDocumentResponse wire;  // as clients get it
};

// Checks that every custodian of the document signed it with a certificate that names its OIN, in
// the document's order. A document outlives its signers' certificates: with `anchors` each chain
// must be trusted at `now` or, when a signing certificate has expired by then, at the last moment
// when all of them were valid. The digest is pinned by the clients, not here.
// Errors: KEY_DOCUMENT_INVALID, CERTIFICATE_INVALID.
Result<SignedDocument> VerifySignedDocument(v1::GetKeyDocumentResponse wire,
                                            const crypto::TrustAnchors* anchors, Millis now);

// Reads key-document.pb and verifies it. Errors: as above, with the path as field.
Result<SignedDocument> LoadSignedDocument(const std::filesystem::path& path,
                                          const crypto::TrustAnchors* anchors, Millis now);

}  // namespace schakel::custodian
