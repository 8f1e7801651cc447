#include "clients/sdk/org_client.h"

namespace schakel::sdk {

void PinCertificate(const crypto::Certificate& certificate, v1::Organisation* organisation) {
  organisation->set_certificate_issuer_digest(certificate.facts().issuer.str());
  organisation->set_certificate_spki_digest(certificate.facts().spki.str());
}

OrgClient::OrgClient(std::shared_ptr<Connection> connection)
    : connection_(std::move(connection)),
      stub_(v1::DirectoryService::NewStub(connection_->channel())) {}

Result<v1::AdmitOrganisationResponse> OrgClient::Admit(const v1::Organisation& organisation,
                                                       uint64_t expected_version) {
  v1::AdmitOrganisationRequest request;
  *request.mutable_organisation() = organisation;
  request.set_expected_version(expected_version);
  return connection_->Call(*stub_, &v1::DirectoryService::Stub::AdmitOrganisation, request);
}

Result<v1::AdmitOrganisationResponse> OrgClient::AdmitOrReplace(
    const v1::Organisation& organisation) {
  v1::GetOrganisationRequest request;
  request.set_oin(organisation.oin());
  const auto there =
      connection_->Call(*stub_, &v1::DirectoryService::Stub::GetOrganisation, request);
  if (!there.ok() && there.error().code != ErrorCode::kNotFound) return there.error();
  return Admit(organisation, there.ok() ? there->entry().version() : 0);
}

Result<v1::DisableOrganisationResponse> OrgClient::Disable(const OrganisationId& oin,
                                                           const std::string& reason) {
  v1::DisableOrganisationRequest request;
  request.set_oin(oin.str());
  request.set_reason(reason);
  return connection_->Call(*stub_, &v1::DirectoryService::Stub::DisableOrganisation, request);
}

Result<v1::RegisterKeySetResponse> OrgClient::RegisterPending(KeyStore& keys) {
  SCHAKEL_ASSIGN(const auto newest, keys.Newest());
  v1::RegisterKeySetResponse answer;
  answer.set_digest(newest.digest.str());
  SCHAKEL_ASSIGN(const auto all, keys.List());
  for (const auto& own : all) {
    if (!own.complete() || own.registered) continue;
    SCHAKEL_ASSIGN(answer, Register(keys, own));
  }
  return answer;
}

Result<v1::RegisterKeySetResponse> OrgClient::Register(KeyStore& keys, const OwnKeySet& own) {
  v1::RegisterKeySetRequest request;
  *request.mutable_key_set() = own.signed_key_set;
  auto response = connection_->Call(*stub_, &v1::DirectoryService::Stub::RegisterKeySet, request);
  if (!response.ok()) {
    // Perhaps an earlier call was cut off after the broker had taken it.
    v1::GetOrganisationRequest get;
    get.set_oin(own.key_set.oin.str());
    const auto there = connection_->Call(*stub_, &v1::DirectoryService::Stub::GetOrganisation, get);
    if (!there.ok() || crypto::KeySetDigest(there->entry().key_set().key_set()) != own.digest) {
      return response.error();
    }
    response = v1::RegisterKeySetResponse();
    response->set_digest(own.digest.str());
  }
  SCHAKEL_TRY(keys.MarkRegistered(own.digest));
  return response;
}

}  // namespace schakel::sdk
