#include "broker/crypto/x509.h"

#include <openssl/pem.h>

#include <algorithm>

#include "broker/base/check.h"
#include "broker/base/limits.h"
#include "broker/crypto/init.h"
#include "broker/crypto/openssl_error.h"
#include "broker/crypto/openssl_ptr.h"
#include "broker/crypto/x509_facts.h"

namespace schakel::crypto {
namespace {

// LIMIT: roots that one installation trusts; PKIoverheid and an own PKI need a handful.
constexpr size_t kAnchorsMax = 64;
constexpr std::string_view kPemBegin = "-----BEGIN ";

Error Invalid(const std::string& what) {
  ERR_clear_error();
  return InvalidArgument("CERTIFICATE_INVALID", "certificate", what);
}

bool OnlyWhiteSpace(BytesView text) { return text.find_first_not_of(" \t\r\n") == BytesView::npos; }

// No file here is encrypted; without this OpenSSL would ask on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

// All certificates of a PEM text, of which nothing else may be a part. At most `max`.
Result<std::vector<X509Ptr>> ParsePem(BytesView pem, size_t max) {
  if (pem.size() > max * limits::kCertificateBytesMax) {
    return InvalidArgument("TOO_LARGE", "certificate", "the PEM text is too long");
  }
  BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!in) return Internal("OpenSSL is out of memory");
  size_t blocks = 0;
  for (size_t at = pem.find(kPemBegin); at != BytesView::npos; at = pem.find(kPemBegin, at + 1)) {
    ++blocks;
  }
  if (blocks == 0) return Invalid("expected a certificate in PEM");
  if (blocks > max) {
    return InvalidArgument("TOO_LARGE", "certificate",
                           "expected at most " + std::to_string(max) + " certificates");
  }
  std::vector<X509Ptr> found;
  for (size_t i = 0; i < blocks; ++i) {
    X509Ptr one(PEM_read_bio_X509(in.get(), nullptr, NoPassphrase, nullptr));
    if (!one) {
      return Invalid("part " + std::to_string(i + 1) +
                     " is no certificate in PEM: " + TakeOpensslError());
    }
    found.push_back(std::move(one));
  }
  char* rest = nullptr;
  const long rest_size = BIO_get_mem_data(in.get(), &rest);
  if (rest_size > 0 && !OnlyWhiteSpace({rest, static_cast<size_t>(rest_size)})) {
    return Invalid("there is text after the last certificate");
  }
  return found;
}

}  // namespace

// Makes Certificates out of what OpenSSL parsed.
struct CertificateMaker {
  static Result<Certificate> Make(X509Ptr parsed) {
    SCHAKEL_ASSIGN(CertificateFacts facts, ReadFacts(parsed.get()));
    unsigned char* der = nullptr;
    const int size = i2d_X509(parsed.get(), &der);
    OpensslMemoryPtr der_owner(der);
    if (size <= 0) return Invalid("it can't be encoded");
    if (static_cast<size_t>(size) > limits::kCertificateBytesMax) {
      return InvalidArgument("TOO_LARGE", "certificate", "the certificate is too long");
    }
    Certificate certificate;
    certificate.facts_ = std::make_shared<const CertificateFacts>(std::move(facts));
    certificate.der_ =
        std::make_shared<const Bytes>(reinterpret_cast<char*>(der), static_cast<size_t>(size));
    certificate.x509_ = std::shared_ptr<X509>(parsed.release(), X509_free);
    return certificate;
  }
};

Result<Certificate> Certificate::Parse(BytesView pem_or_der) {
  InitCrypto();
  if (pem_or_der.find(kPemBegin) != BytesView::npos) {
    SCHAKEL_ASSIGN(std::vector<X509Ptr> parsed, ParsePem(pem_or_der, 1));
    return CertificateMaker::Make(std::move(parsed.front()));
  }
  if (pem_or_der.size() > limits::kCertificateBytesMax) {
    return InvalidArgument("TOO_LARGE", "certificate", "the certificate is too long");
  }
  const auto* at = reinterpret_cast<const unsigned char*>(pem_or_der.data());
  const auto* end = at + pem_or_der.size();
  X509Ptr parsed(d2i_X509(nullptr, &at, static_cast<long>(pem_or_der.size())));
  if (!parsed) return Invalid("expected a certificate in PEM or DER: " + TakeOpensslError());
  if (at != end) return Invalid("there are bytes after the certificate");
  return CertificateMaker::Make(std::move(parsed));
}

Result<std::vector<Certificate>> Certificate::ParseChain(BytesView pem) {
  InitCrypto();
  SCHAKEL_ASSIGN(std::vector<X509Ptr> parsed, ParsePem(pem, limits::kCertificateChainMax));
  std::vector<Certificate> chain;
  for (X509Ptr& one : parsed) {
    SCHAKEL_ASSIGN(Certificate certificate, CertificateMaker::Make(std::move(one)));
    chain.push_back(std::move(certificate));
  }
  return chain;
}

Bytes Certificate::ToPem() const {
  BioPtr out(BIO_new(BIO_s_mem()));
  SCHAKEL_CHECK(out && PEM_write_bio_X509(out.get(), raw()) == 1,
                "OpenSSL must write what it read");
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<size_t>(size)};
}

Result<OrganisationId> RequireOin(const Certificate& certificate) {
  if (!certificate.facts().oin) {
    return Invalid("expected exactly one serialNumber in the subject, an OIN of 20 digits");
  }
  return *certificate.facts().oin;
}

Result<TrustAnchors> TrustAnchors::Parse(BytesView pem) {
  InitCrypto();
  SCHAKEL_ASSIGN(std::vector<X509Ptr> parsed, ParsePem(pem, kAnchorsMax));
  X509StorePtr store(X509_STORE_new());
  if (!store) return Internal("OpenSSL is out of memory");
  std::vector<Certificate> roots;
  for (X509Ptr& one : parsed) {
    SCHAKEL_ASSIGN(Certificate root, CertificateMaker::Make(std::move(one)));
    if (!root.facts().is_ca) {
      return Invalid("a trust anchor is no CA certificate: " + root.facts().subject_name);
    }
    if (X509_STORE_add_cert(store.get(), root.raw()) != 1) {
      return Internal("OpenSSL takes no trust anchor: " + TakeOpensslError());
    }
    roots.push_back(std::move(root));
  }
  TrustAnchors anchors;
  anchors.store_ = std::shared_ptr<X509_STORE>(store.release(), X509_STORE_free);
  anchors.certificates_ = std::make_shared<const std::vector<Certificate>>(std::move(roots));
  return anchors;
}

Result<ChainVerdict> TrustAnchors::Verify(std::span<const Certificate> chain, Millis at,
                                          ChainUse use) const {
  if (chain.empty()) return Invalid("expected a certificate");
  X509StoreCtxPtr context(X509_STORE_CTX_new());
  X509StackViewPtr others(sk_X509_new_null());
  if (!context || !others) return Internal("OpenSSL is out of memory");
  for (const Certificate& one : chain.subspan(1)) {
    if (sk_X509_push(others.get(), one.raw()) <= 0) return Internal("OpenSSL is out of memory");
  }
  if (X509_STORE_CTX_init(context.get(), store_.get(), chain.front().raw(), others.get()) != 1) {
    return Internal("OpenSSL can't begin to verify: " + TakeOpensslError());
  }
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, std::chrono::floor<std::chrono::seconds>(at).count());
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_depth(rules, static_cast<int>(limits::kCertificateChainMax));
  X509_VERIFY_PARAM_set_auth_level(rules, 2);  // 112 bits: no SHA-1, no RSA below 2048
  const int purpose = use == ChainUse::kClient   ? X509_PURPOSE_SSL_CLIENT
                      : use == ChainUse::kServer ? X509_PURPOSE_SSL_SERVER
                                                 : X509_PURPOSE_ANY;
  if (X509_VERIFY_PARAM_set_purpose(rules, purpose) != 1) {
    return Internal("OpenSSL knows no such purpose: " + TakeOpensslError());
  }
  const int outcome = X509_verify_cert(context.get());
  const int code = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (outcome < 0 || code == X509_V_ERR_OUT_OF_MEM) return Internal("OpenSSL can't verify a chain");
  if (outcome == 1) return ChainVerdict{true, {}};
  return ChainVerdict{false, X509_verify_cert_error_string(code)};
}

}  // namespace schakel::crypto
