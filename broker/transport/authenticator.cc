#include "broker/transport/authenticator.h"

#include "broker/base/limits.h"
#include "broker/transport/trace.h"

namespace schakel::transport {
namespace {

constexpr const char* kCertificateProperty = "x509_pem_cert";  // GRPC_X509_PEM_CERT_PROPERTY_NAME

Error Unauthenticated(std::string reason, std::string message) {
  return MakeError(ErrorCode::kUnauthenticated, std::move(reason), std::move(message));
}
Error NotAllowed(std::string reason, std::string message) {
  return MakeError(ErrorCode::kPermissionDenied, std::move(reason), std::move(message));
}

std::string_view View(grpc::string_ref ref) { return {ref.data(), ref.size()}; }

std::vector<std::string_view> Values(const grpc::ServerContextBase& context, const char* key) {
  std::vector<std::string_view> values;
  const auto [begin, end] = context.client_metadata().equal_range(key);
  for (auto at = begin; at != end; ++at) values.push_back(View(at->second));
  return values;
}

// Exactly one value of 1..max bytes.
Result<std::string> RequireOne(const std::vector<std::string_view>& values, const char* key,
                               size_t bytes_max) {
  if (values.size() == 1 && !values[0].empty() && values[0].size() <= bytes_max) {
    return std::string(values[0]);
  }
  return InvalidArgument("ACTOR_MISSING", key,
                         std::string("metadata ") + key + " must be there once, with 1 to " +
                             std::to_string(bytes_max) + " bytes");
}

}  // namespace

CallFacts CallFacts::Read(const grpc::ServerContextBase& context) {
  CallFacts call;
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth != nullptr && auth->IsPeerAuthenticated()) {
    const std::vector<grpc::string_ref> found = auth->FindPropertyValues(kCertificateProperty);
    if (found.size() == 1) call.certificate_pem = View(found[0]);
  }
  call.actors = Values(context, kActorKey);
  call.actor_roles = Values(context, kActorRoleKey);
  const std::vector<std::string_view> parents = Values(context, kTraceparentKey);
  call.trace_id = TraceIdFrom(parents.size() == 1 ? parents[0] : std::string_view());
  return call;
}

Authenticator::Authenticator(const DirectoryReader* directory, crypto::CrlStore* crls,
                             const Clock* clock, Options options)
    : directory_(directory),
      crls_(crls),
      clock_(clock),
      options_(std::move(options)),
      limiter_(RateLimiter::Make(options_.limits, clock)),
      peer_limiter_(RateLimiter::Make(options_.limits, clock)) {}

Result<std::shared_ptr<const PeerIdentity>> Authenticator::Identify(const CallFacts& call) {
  return identities_.Read(call.certificate_pem);
}

Status Authenticator::CheckCertificate(const PeerIdentity& identity) {
  const crypto::CertificateFacts& facts = identity.facts;
  const Millis now = std::chrono::floor<Millis>(clock_->Wall());
  switch (crls_->Lookup(facts.issuer, facts.serial, now)) {
    case crypto::Revocation::kGood:
      break;
    case crypto::Revocation::kRevoked:
      return Unauthenticated("CERTIFICATE_REVOKED", "the client certificate was revoked");
    case crypto::Revocation::kUnknown:
    case crypto::Revocation::kStale:
    default:
      return Unauthenticated("REVOCATION_UNKNOWN",
                             "there is no current revocation list of the certificate's issuer");
  }
  if (!facts.ValidAt(now)) {
    return Unauthenticated("CERTIFICATE_EXPIRED", "the client certificate is not valid now");
  }
  return {};
}

Result<MemberFacts> Authenticator::CheckMember(const PeerIdentity& identity) {
  std::optional<MemberFacts> member = directory_->Find(identity.organisation);
  if (!member) {
    return Unauthenticated("CERTIFICATE_UNKNOWN", "the organisation is not admitted");
  }
  if (member->spki != identity.facts.spki ||
      (member->issuer && *member->issuer != identity.facts.issuer)) {
    return Unauthenticated("CERTIFICATE_UNKNOWN",
                           "the organisation was admitted with another key or issuer");
  }
  if (member->disabled) {
    return NotAllowed("ORGANISATION_DISABLED", "the organisation was disabled");
  }
  return *std::move(member);
}

Result<Caller> Authenticator::Refuse(const PeerIdentity& identity, const CallFacts& call,
                                     const MethodRule& rule, Error error) const {
  if (options_.on_refused) {
    Result<std::string> actor = RequireOne(call.actors, kActorKey, limits::kActorBytesMax);
    options_.on_refused(Refusal{identity.organisation, rule.method, error,
                                actor.ok() ? *std::move(actor) : std::string(), call.trace_id});
  }
  return error;
}

Result<Caller> Authenticator::Authenticate(const CallFacts& call, const MethodRule& rule) {
  SCHAKEL_CHECK(rule.access == Access::kMember, "a member's method");
  SCHAKEL_ASSIGN(const std::shared_ptr<const PeerIdentity> identity, Identify(call));
  if (Status status = CheckCertificate(*identity); !status.ok()) {
    // Whose certificate it is counts only when the directory knows that key: else anybody with a
    // certificate of the CA could fill another's record of denied attempts.
    const Result<MemberFacts> member = CheckMember(*identity);
    if (member.ok()) return Refuse(*identity, call, rule, status.error());
    return status.error();
  }
  Result<MemberFacts> member = CheckMember(*identity);
  if (!member.ok()) {
    if (member.error().reason == "ORGANISATION_DISABLED") {
      return Refuse(*identity, call, rule, member.error());
    }
    return member.error();
  }
  if (Status status = limiter_->TakeCall(identity->organisation); !status.ok()) {
    return Refuse(*identity, call, rule, status.error());
  }
  if (!rule.roles.Contains(member->role)) {
    return Refuse(*identity, call, rule,
                  NotAllowed("ROLE_NOT_ALLOWED",
                             "the organisation's role may not call " + std::string(rule.method)));
  }
  Result<std::string> actor = RequireOne(call.actors, kActorKey, limits::kActorBytesMax);
  if (!actor.ok()) return Refuse(*identity, call, rule, actor.error());
  Result<std::string> actor_role =
      RequireOne(call.actor_roles, kActorRoleKey, limits::kActorRoleBytesMax);
  if (!actor_role.ok()) return Refuse(*identity, call, rule, actor_role.error());
  return Caller{identity->organisation, *std::move(member), *std::move(actor),
                *std::move(actor_role), call.trace_id};
}

Result<std::shared_ptr<const PeerIdentity>> Authenticator::AuthenticatePeer(const CallFacts& call) {
  SCHAKEL_ASSIGN(std::shared_ptr<const PeerIdentity> identity, Identify(call));
  SCHAKEL_TRY(CheckCertificate(*identity));
  SCHAKEL_TRY(peer_limiter_->TakeCall(identity->organisation));
  return identity;
}

Result<RateLimiter::StreamSlot> Authenticator::OpenStream(const OrganisationId& organisation,
                                                          Access access) {
  return (access == Access::kMember ? limiter_ : peer_limiter_)->OpenStream(organisation);
}

Status Authenticator::Recheck(const Grant& grant) {
  SCHAKEL_TRY(CheckCertificate(*grant.identity));
  if (grant.rule->access == Access::kAnyPeer) return {};
  SCHAKEL_ASSIGN(const MemberFacts member, CheckMember(*grant.identity));
  if (!grant.rule->roles.Contains(member.role)) {
    return NotAllowed("ROLE_NOT_ALLOWED", "the organisation's role may no longer call " +
                                              std::string(grant.rule->method));
  }
  return {};
}

}  // namespace schakel::transport
