#include "broker/rpc/directory_service.h"

#include "broker/base/limits.h"
#include "broker/crypto/cert_key.h"
#include "broker/crypto/key_set.h"
#include "broker/machine/envelope.h"
#include "broker/query/directory.h"
#include "broker/rpc/checks.h"

namespace schakel::rpc {

namespace {

Error Wrong(const char* field, const std::string& what) {
  return InvalidArgument("KEY_SET_INVALID", std::string("key_set.") + field, what);
}

Result<std::vector<crypto::Certificate>> ReadChain(const v1::SignedKeySet& key_set) {
  std::vector<crypto::Certificate> chain;
  for (const auto& der : key_set.certificate_chain()) {
    // The library's own words stay inside.
    auto certificate = crypto::Certificate::Parse(der);
    const bool is_der = !der.empty() && der[0] == '\x30';
    if (!is_der || !certificate.ok()) return Wrong("certificate_chain", "DER expected");
    chain.push_back(*std::move(certificate));
  }
  return chain;
}

Status CheckShape(const v1::SignedKeySet& s) {
  SCHAKEL_TRY(machine::CheckKnown(s, "key_set"));
  const std::pair<const char*, bool> required[] = {
      {"key_set.key_set", s.key_set().empty()},
      {"key_set.certificate_signature", s.certificate_signature().empty()},
      {"key_set.signing_key_signature", s.signing_key_signature().empty()},
      {"key_set.certificate_chain", s.certificate_chain_size() == 0}};
  for (const auto& [field, missing] : required) {
    if (missing) return InvalidArgument("FIELD_MISSING", field, "is required");
  }
  if (static_cast<size_t>(s.certificate_chain_size()) > limits::kCertificateChainMax) {
    return InvalidArgument("TOO_LARGE", "key_set.certificate_chain", "at most 5 expected");
  }
  for (const auto& der : s.certificate_chain()) {
    if (der.size() <= limits::kCertificateBytesMax) continue;
    return InvalidArgument("TOO_LARGE", "key_set.certificate_chain",
                           "at most 16 KiB each expected");
  }
  return {};
}

// Both signatures, the chain, its revocation, and that it is the caller's own certificate.
Status VerifyKeySet(const Parts& parts, const transport::Caller& caller,
                    const v1::SignedKeySet& signed_set) {
  auto parsed = crypto::ParseKeySet(signed_set.key_set());
  if (!parsed.ok()) return Wrong("key_set", parsed.error().field + ": " + parsed.error().message);
  const crypto::KeySet& key_set = *parsed;
  if (key_set.oin != caller.organisation) return Wrong("key_set", "the OIN is not the caller's");
  if (!crypto::VerifyNewKeySignature(key_set, signed_set.signing_key_signature())) {
    return Wrong("signing_key_signature", "does not verify under the new signing key");
  }
  SCHAKEL_ASSIGN(auto chain, ReadChain(signed_set));
  const auto& leaf = chain.front().facts();
  Millis now = std::chrono::duration_cast<Millis>(parts.clock->Wall());
  SCHAKEL_ASSIGN(auto verdict, parts.anchors->Verify(chain, now, crypto::ChainUse::kClient));
  if (!verdict.trusted) return Wrong("certificate_chain", verdict.why);
  if (leaf.oin != caller.organisation || leaf.spki != caller.member.spki) {
    return Wrong("certificate_chain", "the caller's own certificate expected as leaf");
  }
  if (parts.crls->Lookup(chain.front(), now) != crypto::Revocation::kGood) {
    return Wrong("certificate_chain", "the leaf is revoked, or its revocation list is not current");
  }
  if (key_set.not_after > leaf.not_after) {
    return Wrong("key_set", "not_after lies after the end of the signing certificate");
  }
  SCHAKEL_ASSIGN(bool by_certificate,
                 crypto::VerifyByCertificate(chain.front(), signed_set.key_set(),
                                             signed_set.certificate_signature()));
  if (!by_certificate) {
    return Wrong("certificate_signature", "does not verify under the certificate's key");
  }
  return {};
}

}  // namespace

grpc::ServerUnaryReactor* DirectoryService::AdmitOrganisation(
    grpc::CallbackServerContext* context, const v1::AdmitOrganisationRequest* request,
    v1::AdmitOrganisationResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        if (!request->has_organisation()) {
          return answer.Finish(InvalidArgument("FIELD_MISSING", "organisation", "is required"));
        }
        SubmitTo(parts_, machine::AdmitOrganisation{*request}, caller, answer, response);
      });
}

grpc::ServerUnaryReactor* DirectoryService::DisableOrganisation(
    grpc::CallbackServerContext* context, const v1::DisableOrganisationRequest* request,
    v1::DisableOrganisationResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        SubmitTo(parts_, machine::DisableOrganisation{*request}, caller, answer, response);
      });
}

grpc::ServerUnaryReactor* DirectoryService::RegisterKeySet(grpc::CallbackServerContext* context,
                                                           const v1::RegisterKeySetRequest* request,
                                                           v1::RegisterKeySetResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](transport::Caller caller, transport::UnaryAnswer answer) {
        if (!request->has_key_set()) {
          return answer.Finish(InvalidArgument("FIELD_MISSING", "key_set", "is required"));
        }
        if (Status shape = CheckShape(request->key_set()); !shape.ok()) return answer.Finish(shape);
        if (Status good = VerifyKeySet(parts_, caller, request->key_set()); !good.ok()) {
          return RefuseRecorded(parts_, good.error(), "RegisterKeySet", caller, answer);
        }
        SubmitTo(parts_, machine::RegisterKeySet{request->key_set()}, caller, answer, response);
      });
}

grpc::ServerUnaryReactor* DirectoryService::GetOrganisation(
    grpc::CallbackServerContext* context, const v1::GetOrganisationRequest* request,
    v1::GetOrganisationResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](const transport::Caller&, const transport::UnaryAnswer& answer) {
        Answer(parts_, answer, response, [&](const store::StateReader& state) {
          return query::GetOrganisation(state, *request);
        });
      });
}

grpc::ServerUnaryReactor* DirectoryService::ListOrganisations(
    grpc::CallbackServerContext* context, const v1::ListOrganisationsRequest* request,
    v1::ListOrganisationsResponse* response) {
  return parts_.guard->Unary(
      context, request,
      [=, this](const transport::Caller& caller, const transport::UnaryAnswer& answer) {
        Answer(parts_, answer, response, [&](const store::StateReader& state) {
          return query::ListOrganisations(state, *parts_.tokens, caller.organisation, *request);
        });
      });
}

grpc::ServerUnaryReactor* DirectoryService::ResolveFunction(
    grpc::CallbackServerContext* context, const v1::ResolveFunctionRequest* request,
    v1::ResolveFunctionResponse* response) {
  return parts_.guard->Unary(
      context, request, [=, this](const transport::Caller&, const transport::UnaryAnswer& answer) {
        Answer(parts_, answer, response, [&](const store::StateReader& state) {
          return query::ResolveFunction(state, *parts_.bundles, *request);
        });
      });
}

}  // namespace schakel::rpc
