#include "broker/crypto/x509_facts.h"

#include <openssl/obj_mac.h>

#include <ctime>

#include "broker/crypto/hash.h"
#include "broker/crypto/openssl_error.h"

namespace schakel::crypto {
namespace {

Error Invalid(const std::string& what) {
  ERR_clear_error();
  return InvalidArgument("CERTIFICATE_INVALID", "certificate", what);
}

BytesView View(const unsigned char* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Exactly one serialNumber in the whole subject, of 20 digits. All relative names are walked, also
// those with several values, so that a second one can't hide.
std::optional<OrganisationId> OinOf(const X509_NAME* subject) {
  const int first = X509_NAME_get_index_by_NID(subject, NID_serialNumber, -1);
  if (first < 0 || X509_NAME_get_index_by_NID(subject, NID_serialNumber, first) >= 0) {
    return std::nullopt;
  }
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first));
  unsigned char* raw = nullptr;
  const int size = ASN1_STRING_to_UTF8(&raw, value);
  OpensslMemoryPtr text(raw);
  if (size < 0) {
    ERR_clear_error();
    return std::nullopt;
  }
  return OrganisationId::From(View(text.get(), static_cast<size_t>(size)));
}

// RFC 2253 text with UTF-8 as it is; for people only.
std::string NameText(const X509_NAME* name) {
  BioPtr out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0) {
    ERR_clear_error();
    return {};
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

// False when the extension is there twice or can't be read.
bool ReadExtendedKeyUsage(const X509* certificate, CertificateFacts& facts) {
  int critical = 0;
  ExtendedKeyUsagePtr usage(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(certificate, NID_ext_key_usage, &critical, nullptr)));
  if (!usage) return critical == -1;  // -1: absent
  for (int i = 0; i < sk_ASN1_OBJECT_num(usage.get()); ++i) {
    const int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(usage.get(), i));
    facts.client_auth |= nid == NID_client_auth;
    facts.server_auth |= nid == NID_server_auth;
  }
  return true;
}

}  // namespace

std::optional<std::string> SerialText(const ASN1_INTEGER* serial) {
  if (serial == nullptr || ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER) return std::nullopt;
  return HexEncode(
      View(ASN1_STRING_get0_data(serial), static_cast<size_t>(ASN1_STRING_length(serial))));
}

std::optional<Digest> NameDigest(const X509_NAME* name) {
  const unsigned char* der = nullptr;
  size_t size = 0;
  if (name == nullptr || X509_NAME_get0_der(name, &der, &size) != 1) return std::nullopt;
  return Sha256(View(der, size));
}

std::optional<Millis> TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return Millis(std::chrono::seconds(timegm(&parts)));
}

Result<CertificateFacts> ReadFacts(X509* certificate) {
  CertificateFacts facts;
  // Parses and caches the extensions; flags are valid afterwards.
  X509_check_purpose(certificate, -1, 0);
  if ((X509_get_extension_flags(certificate) & EXFLAG_INVALID) != 0) {
    return Invalid("its extensions can't be read");
  }
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const X509_NAME* issuer = X509_get_issuer_name(certificate);
  auto subject_digest = NameDigest(subject);
  auto issuer_digest = NameDigest(issuer);
  if (!subject_digest || !issuer_digest) return Invalid("its names can't be read");
  facts.subject = *subject_digest;
  facts.issuer = *issuer_digest;
  facts.subject_name = NameText(subject);
  facts.issuer_name = NameText(issuer);
  facts.oin = OinOf(subject);

  auto serial = SerialText(X509_get0_serialNumber(certificate));
  if (!serial) return Invalid("its serial number is negative or missing");
  facts.serial = *serial;

  unsigned char* spki = nullptr;
  const int spki_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
  OpensslMemoryPtr spki_owner(spki);
  if (spki_size <= 0) return Invalid("its public key can't be read");
  facts.spki = Sha256(View(spki, static_cast<size_t>(spki_size)));

  auto not_before = TimeOf(X509_get0_notBefore(certificate));
  auto not_after = TimeOf(X509_get0_notAfter(certificate));
  if (!not_before || !not_after) return Invalid("its validity can't be read");
  facts.not_before = *not_before;
  facts.not_after = *not_after;

  if (!ReadExtendedKeyUsage(certificate, facts)) {
    return Invalid("its extendedKeyUsage can't be read");
  }
  facts.is_ca = X509_check_ca(certificate) == 1;
  ERR_clear_error();
  return facts;
}

}  // namespace schakel::crypto
