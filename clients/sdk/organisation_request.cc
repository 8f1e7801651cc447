#include "clients/sdk/organisation_request.h"

#include <string>
#include <string_view>

#include "broker/base/limits.h"
#include "clients/sdk/org_client.h"

namespace schakel::sdk {
namespace {

using client::v1::OrganisationRequest;
using client::v1::SignedOrganisationRequest;

constexpr uint32_t kFormat = 1;
constexpr std::string_view kLabel = "schakel/v1/organisation-request\n";

Error Invalid(const std::string& why, const std::string& field = {}) {
  return InvalidArgument("REQUEST_INVALID", field, "this is no usable request: " + why);
}

Status CheckText(const std::string& text, const char* field, size_t bytes_max, bool required) {
  if (required && text.empty()) {
    return InvalidArgument("FIELD_MISSING", field, std::string(field) + " is missing");
  }
  if (text.size() > bytes_max) {
    return InvalidArgument("FIELD_INVALID", field,
                           "at most " + std::to_string(bytes_max) + " bytes expected");
  }
  return {};
}

Status CheckFields(const OrganisationRequest& request) {
  SCHAKEL_TRY(CheckText(request.name(), "name", limits::kNameBytesMax, true));
  SCHAKEL_TRY(CheckText(request.contact(), "contact", limits::kNameBytesMax, true));
  SCHAKEL_TRY(CheckText(request.bsn_authority_article(), "bsn_authority_article",
                        limits::kReferenceBytesMax, false));
  if (!v1::Role_IsValid(request.role()) || request.role() == v1::ROLE_UNSPECIFIED) {
    return InvalidArgument("FIELD_INVALID", "role", "one role expected");
  }
  const bool partner = request.role() == v1::ROLE_PARTNER;
  if (partner == request.sector().empty()) {
    return InvalidArgument("FIELD_INVALID", "sector",
                           "a partner, and only a partner, has a sector");
  }
  if (static_cast<size_t>(request.areas_size()) > limits::kAreasPerOrganisationMax ||
      static_cast<size_t>(request.functions_size()) > limits::kAreasPerOrganisationMax) {
    return InvalidArgument("FIELD_INVALID", "areas", "at most 64 areas and functions expected");
  }
  return {};
}

Result<SignedOrganisationRequest> ParseFile(BytesView file) {
  if (file.size() > kOrganisationRequestBytesMax) return Invalid("it is too large");
  SignedOrganisationRequest parsed;
  if (!parsed.ParseFromArray(file.data(), static_cast<int>(file.size())) ||
      parsed.request().empty()) {
    return Invalid("the file is something else, or damaged");
  }
  if (parsed.format() != kFormat) {
    return Invalid("format " + std::to_string(parsed.format()) + " is not known here", "format");
  }
  return parsed;
}

Result<OrganisationRequest> ParseBody(const SignedOrganisationRequest& file) {
  OrganisationRequest request;
  if (!request.ParseFromString(file.request()) || !request.has_key_set() ||
      request.key_set().certificate_chain_size() == 0) {
    return Invalid("it holds no key set with a certificate", "request");
  }
  return request;
}

Bytes MessageOf(const SignedOrganisationRequest& file) {
  return ByteWriter().Raw(kLabel).Lp(file.request()).Take();
}

}  // namespace

Result<Bytes> MakeOrganisationRequest(const OrganisationRequest& request) {
  SCHAKEL_TRY(CheckFields(request));
  const auto& key_set = request.key_set();
  if (key_set.certificate_signature().empty() || key_set.signing_key_signature().empty() ||
      key_set.certificate_chain_size() == 0) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_INCOMPLETE",
                     "the key set lacks a signature");
  }
  SignedOrganisationRequest file;
  file.set_format(kFormat);
  file.set_request(request.SerializeAsString());
  return file.SerializeAsString();
}

Result<Bytes> OrganisationRequestMessage(BytesView file) {
  SCHAKEL_ASSIGN(const auto parsed, ParseFile(file));
  return MessageOf(parsed);
}

Result<Bytes> AttachToOrganisationRequest(BytesView file, BytesView signature) {
  SCHAKEL_ASSIGN(auto parsed, ParseFile(file));
  SCHAKEL_ASSIGN(const auto request, ParseBody(parsed));
  SCHAKEL_ASSIGN(const auto leaf,
                 crypto::Certificate::Parse(request.key_set().certificate_chain(0)));
  SCHAKEL_ASSIGN(const bool good, crypto::VerifyByCertificate(leaf, MessageOf(parsed), signature));
  if (!good) {
    return InvalidArgument("SIGNATURE_INVALID", "certificate_signature",
                           "the signature is not one by the certificate's key over the request");
  }
  parsed.set_certificate_signature(Bytes(signature));
  return parsed.SerializeAsString();
}

Result<VerifiedOrganisationRequest> VerifyOrganisationRequest(BytesView file,
                                                              const KeySetVerifier& verifier,
                                                              Millis now) {
  SCHAKEL_ASSIGN(const auto parsed, ParseFile(file));
  SCHAKEL_ASSIGN(auto request, ParseBody(parsed));
  if (parsed.certificate_signature().empty()) {
    return Invalid("it was not signed yet", "certificate_signature");
  }
  SCHAKEL_ASSIGN(auto leaf, crypto::Certificate::Parse(request.key_set().certificate_chain(0)));
  SCHAKEL_ASSIGN(const bool good, crypto::VerifyByCertificate(leaf, MessageOf(parsed),
                                                              parsed.certificate_signature()));
  if (!good) {
    return InvalidArgument("SIGNATURE_INVALID", "certificate_signature",
                           "the request was not signed by its certificate's key, or was changed");
  }
  SCHAKEL_TRY(CheckFields(request));
  SCHAKEL_ASSIGN(const auto oin, crypto::RequireOin(leaf));
  SCHAKEL_ASSIGN(auto key_set, verifier.Verify(request.key_set(), oin, now, now));
  return VerifiedOrganisationRequest{std::move(request), std::move(leaf), std::move(key_set)};
}

v1::Organisation EntryOf(const VerifiedOrganisationRequest& verified) {
  const auto& request = verified.request;
  v1::Organisation entry;
  entry.set_oin(verified.key_set.key_set.oin.str());
  entry.set_name(request.name());
  entry.set_role(request.role());
  entry.set_sector(request.sector());
  *entry.mutable_areas() = request.areas();
  entry.set_bsn_authority(!request.bsn_authority_article().empty());
  entry.set_bsn_authority_article(request.bsn_authority_article());
  entry.set_contact(request.contact());
  PinCertificate(verified.certificate, &entry);
  return entry;
}

}  // namespace schakel::sdk
