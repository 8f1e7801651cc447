#include "broker/crypto/crl_list.h"

#include <openssl/pem.h>

#include "broker/crypto/init.h"
#include "broker/crypto/openssl_error.h"
#include "broker/crypto/openssl_ptr.h"
#include "broker/crypto/x509_facts.h"

namespace schakel::crypto {
namespace {

using DistributionPointPtr = OpensslPtr<ISSUING_DIST_POINT, ISSUING_DIST_POINT_free>;

Error Invalid(const std::string& what) {
  ERR_clear_error();
  return InvalidArgument("FIELD_INVALID", {}, what);
}

// No file here is encrypted; without this OpenSSL would ask on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

// Says only a part of what its issuer revoked, or something that this code does not understand.
bool IsPartial(const X509_CRL* crl) {
  for (int i = 0; i < X509_CRL_get_ext_count(crl); ++i) {
    X509_EXTENSION* extension = X509_CRL_get_ext(crl, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (nid == NID_delta_crl) return true;
    if (nid == NID_issuing_distribution_point) {
      DistributionPointPtr point(static_cast<ISSUING_DIST_POINT*>(X509V3_EXT_d2i(extension)));
      if (!point || point->onlyuser > 0 || point->onlyCA > 0 || point->onlyattr > 0 ||
          point->indirectCRL > 0 || point->onlysomereasons != nullptr) {
        return true;
      }
    } else if (X509_EXTENSION_get_critical(extension)) {
      return true;
    }
  }
  return false;
}

// The issuer whose key made the list; nullptr when there is none.
const Certificate* SignerOf(X509_CRL* crl, const Digest& issuer,
                            const std::vector<Certificate>& issuers) {
  for (const Certificate& candidate : issuers) {
    if (candidate.facts().subject != issuer || !candidate.facts().is_ca) continue;
    // All bits are set when the certificate has no keyUsage.
    if ((X509_get_key_usage(candidate.raw()) & KU_CRL_SIGN) == 0) continue;
    if (X509_CRL_verify(crl, X509_get0_pubkey(candidate.raw())) == 1) return &candidate;
    ERR_clear_error();
  }
  return nullptr;
}

// An entry that can't be understood makes the whole list unusable.
Result<RevocationList> Read(X509_CRL* crl, const std::vector<Certificate>& issuers) {
  auto issuer = NameDigest(X509_CRL_get_issuer(crl));
  auto this_update = TimeOf(X509_CRL_get0_lastUpdate(crl));
  if (!issuer || !this_update) return Invalid("a list's issuer or time can't be read");
  const Certificate* signer = SignerOf(crl, *issuer, issuers);
  if (signer == nullptr) return Invalid("a list is signed by none of the trusted CAs");
  if (IsPartial(crl)) return Invalid("a list is partial (delta, indirect or by kind)");
  RevocationList list;
  list.issuer = *issuer;
  list.signer = signer->facts().spki;
  list.this_update = *this_update;
  list.next_update = TimeOf(X509_CRL_get0_nextUpdate(crl));
  STACK_OF(X509_REVOKED)* entries = X509_CRL_get_REVOKED(crl);
  const int count = sk_X509_REVOKED_num(entries);  // -1 when there are none
  for (int i = 0; i < count; ++i) {
    const X509_REVOKED* entry = sk_X509_REVOKED_value(entries, i);
    auto serial = SerialText(X509_REVOKED_get0_serialNumber(entry));
    if (!serial) return Invalid("a list names a certificate without a serial number");
    for (int k = 0; k < X509_REVOKED_get_ext_count(entry); ++k) {
      if (X509_EXTENSION_get_critical(X509_REVOKED_get_ext(entry, k))) {
        return Invalid("a list's entry has a critical extension that is not understood");
      }
    }
    list.revoked.insert(std::move(*serial));
  }
  return list;
}

}  // namespace

Result<std::vector<RevocationList>> ParseRevocationLists(std::string_view pem,
                                                         const std::vector<Certificate>& issuers) {
  InitCrypto();
  BioPtr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!in) return Internal("OpenSSL is out of memory");
  std::vector<RevocationList> lists;
  ERR_clear_error();
  while (true) {
    X509CrlPtr crl(PEM_read_bio_X509_CRL(in.get(), nullptr, NoPassphrase, nullptr));
    if (!crl) break;
    SCHAKEL_ASSIGN(RevocationList list, Read(crl.get(), issuers));
    lists.push_back(std::move(list));
    ERR_clear_error();
  }
  // The end of the text is the one good reason to stop.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string why = TakeOpensslError();
  if (!at_end) return Invalid("a list can't be parsed: " + why);
  if (lists.empty()) return Invalid("expected revocation lists in PEM");
  return lists;
}

}  // namespace schakel::crypto
