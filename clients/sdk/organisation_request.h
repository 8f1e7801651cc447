// The file with which an organisation asks the registrar to admit it:
// proto/schakel/client/v1/organisation_request.proto. Made by the organisation, judged by the
// registrar.
#pragma once

#include "broker/base/bytes.h"
#include "broker/base/clock.h"
#include "broker/base/result.h"
#include "broker/crypto/cert_key.h"
#include "clients/sdk/key_set_verifier.h"
#include "schakel/client/v1/organisation_request.pb.h"

namespace schakel::sdk {

// LIMIT: of the file; a chain of 5 large certificates fits twice.
inline constexpr size_t kOrganisationRequestBytesMax = 256 * 1024;

// A request whose every part was checked.
struct VerifiedOrganisationRequest {
  client::v1::OrganisationRequest request;
  crypto::Certificate certificate;
  VerifiedKeySet key_set;
};

// The file without its signature. Errors: FIELD_INVALID naming the field that is missing or too
// long, KEY_SET_INCOMPLETE when the key set lacks a signature.
Result<Bytes> MakeOrganisationRequest(const client::v1::OrganisationRequest& request);
// "schakel/v1/organisation-request\n" || lp(request): what the certificate's key signs, here or in
// an HSM. Errors: REQUEST_INVALID.
Result<Bytes> OrganisationRequestMessage(BytesView file);
// The file with that signature. Errors: REQUEST_INVALID; SIGNATURE_INVALID when it is not one by
// the key of the certificate in the file.
Result<Bytes> AttachToOrganisationRequest(BytesView file, BytesView signature);

// Form, limits, the certificate's signature, and the key set as its own readers check it (both
// signatures, chain, revocation, OIN, valid now). Errors: REQUEST_INVALID with what is wrong;
// SIGNATURE_INVALID; those of KeySetVerifier::Verify.
Result<VerifiedOrganisationRequest> VerifyOrganisationRequest(BytesView file,
                                                              const KeySetVerifier& verifier,
                                                              Millis now);

// The directory entry that a request asks for, its certificate pinned.
v1::Organisation EntryOf(const VerifiedOrganisationRequest& request);

}  // namespace schakel::sdk
