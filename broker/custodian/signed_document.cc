#include "broker/custodian/signed_document.h"

#include <algorithm>

#include "broker/base/limits.h"
#include "broker/custodian/files.h"

namespace schakel::custodian {
namespace {

// LIMIT: every custodian with the longest chain, and 64 KiB for the rest.
constexpr size_t kDocumentBytesMax =
    limits::kCustodiansMax * limits::kCertificateChainMax * limits::kCertificateBytesMax +
    size_t{64} * 1024;

Error InvalidDocument(std::string message) {
  return InvalidArgument("KEY_DOCUMENT_INVALID", {}, std::move(message));
}

Result<crypto::KeyDocumentSignature> ParseSignature(const v1::CustodianSignature& wire) {
  const auto size = static_cast<size_t>(wire.certificate_chain_size());
  if (size == 0 || size > limits::kCertificateChainMax) {
    return InvalidDocument("the signature of " + wire.custodian() + " carries " +
                           std::to_string(size) + " certificates, expected 1 to " +
                           std::to_string(limits::kCertificateChainMax));
  }
  crypto::KeyDocumentSignature signature;
  signature.signature = wire.signature();
  for (const auto& der : wire.certificate_chain()) {
    SCHAKEL_ASSIGN(auto certificate, crypto::Certificate::Parse(der));
    signature.chain.push_back(std::move(certificate));
  }
  return signature;
}

}  // namespace

Result<SignedDocument> VerifySignedDocument(v1::GetKeyDocumentResponse wire,
                                            const crypto::TrustAnchors* anchors, Millis now) {
  SCHAKEL_ASSIGN(auto document, crypto::KeyDocument::Parse(wire.key_document()));
  const auto& custodians = document.custodians();
  if (static_cast<size_t>(wire.signatures_size()) != custodians.size()) {
    return InvalidDocument("expected " + std::to_string(custodians.size()) + " signatures, found " +
                           std::to_string(wire.signatures_size()));
  }
  std::vector<crypto::KeyDocumentSignature> signatures;
  Millis at = now;
  for (size_t i = 0; i < custodians.size(); ++i) {
    const auto& signature = wire.signatures(static_cast<int>(i));
    if (signature.custodian() != custodians[i].oin.str()) {
      return InvalidDocument("signature " + std::to_string(i + 1) + " is of " +
                             signature.custodian() + ", the document's custodian there is " +
                             custodians[i].oin.str());
    }
    SCHAKEL_ASSIGN(auto parsed, ParseSignature(signature));
    // OpenSSL takes a certificate for expired at its last second.
    at = std::min(at, parsed.chain.front().facts().not_after - std::chrono::seconds(1));
    signatures.push_back(std::move(parsed));
  }
  SCHAKEL_TRY(crypto::VerifyKeyDocument(document, signatures, anchors, at));
  return SignedDocument{std::move(document), std::move(wire)};
}

Result<SignedDocument> LoadSignedDocument(const std::filesystem::path& path,
                                          const crypto::TrustAnchors* anchors, Millis now) {
  SCHAKEL_ASSIGN(const Bytes content, ReadFile(path, kDocumentBytesMax));
  v1::GetKeyDocumentResponse wire;
  Error error;
  if (!wire.ParseFromString(content)) {
    error = InvalidDocument("this is no key document of keygen");
  } else {
    auto verified = VerifySignedDocument(std::move(wire), anchors, now);
    if (verified.ok()) return verified;
    error = verified.error();
  }
  error.field = path.string();
  return error;
}

}  // namespace schakel::custodian
