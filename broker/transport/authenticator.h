// Who calls, and may they? Asked at every RPC anew, since gRPC 1.51 looks at a certificate only at
// a handshake, which may be long ago or resumed. INVARIANT I3: what can't be decided is denied.
#pragma once

#include <grpcpp/server_context.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/crypto/crl.h"
#include "broker/transport/directory_reader.h"
#include "broker/transport/identity.h"
#include "broker/transport/rate_limiter.h"
#include "broker/transport/role_table.h"

namespace schakel::transport {

// Metadata keys that every member's call must have.
inline constexpr const char* kActorKey = "schakel-actor";           // 1..128 bytes, opaque
inline constexpr const char* kActorRoleKey = "schakel-actor-role";  // 1..64 bytes
inline constexpr const char* kTraceparentKey = "traceparent";

// What a call brings. Views are valid as long as the context it was read from.
struct CallFacts {
  std::string_view certificate_pem;  // empty when the peer showed none
  std::vector<std::string_view> actors;
  std::vector<std::string_view> actor_roles;
  Bytes trace_id;  // 16 bytes

  static CallFacts Read(const grpc::ServerContextBase& context);
};

// An authenticated and authorised member: what a command and a record need of it.
struct Caller {
  OrganisationId organisation;
  MemberFacts member;  // role, entry version, key set: the versions that the call relies on
  std::string actor;
  std::string actor_role;
  Bytes trace_id;  // 16 bytes
};

// A refused call of a certificate that the directory knows, for the record of denied attempts.
struct Refusal {
  OrganisationId organisation;
  std::string_view method;  // full name; of the role table
  Error error;
  std::string actor;  // empty when missing or too long
  Bytes trace_id;
};

// What lasts longer than a call: who, by which certificate, for which method.
struct Grant {
  std::shared_ptr<const PeerIdentity> identity;
  const MethodRule* rule = nullptr;
};

// Thread-safe.
class Authenticator {
 public:
  struct Options {
    OrganisationLimits limits;
    // Called on the calling thread for each refused call of a known member; must be quick.
    std::function<void(const Refusal&)> on_refused;
  };
  // All must outlive it.
  Authenticator(const DirectoryReader* directory, crypto::CrlStore* crls, const Clock* clock,
                Options options);

  // In this order, with the reason of the first check that fails:
  //   certificate readable, names an organisation, clientAuth   UNAUTHENTICATED CERTIFICATE_UNKNOWN
  //   revocation list of its issuer is there and current        UNAUTHENTICATED REVOCATION_UNKNOWN
  //   not revoked                                               UNAUTHENTICATED CERTIFICATE_REVOKED
  //   valid now                                                 UNAUTHENTICATED CERTIFICATE_EXPIRED
  //   admitted, with this issuer and key                        UNAUTHENTICATED CERTIFICATE_UNKNOWN
  //   not disabled                                        PERMISSION_DENIED ORGANISATION_DISABLED
  //   calls per second                                    RESOURCE_EXHAUSTED RATE_LIMITED, retry
  //   role may call this method                           PERMISSION_DENIED ROLE_NOT_ALLOWED
  //   actor and actor role, once each, within limits      INVALID_ARGUMENT ACTOR_MISSING
  // REQUIRES: rule.access == Access::kMember.
  Result<Caller> Authenticate(const CallFacts& call, const MethodRule& rule);

  // The first four of them and calls per second: for rules with Access::kAnyPeer and for unknown
  // methods.
  Result<std::shared_ptr<const PeerIdentity>> AuthenticatePeer(const CallFacts& call);

  // A place among the organisation's streams. Errors: RATE_LIMITED.
  Result<RateLimiter::StreamSlot> OpenStream(const OrganisationId& organisation, Access access);

  // One of the organisation's calls per second: for messages of a stream that count as calls.
  // Errors: RATE_LIMITED.
  Status TakeCall(const OrganisationId& organisation) { return limiter_->TakeCall(organisation); }

  // For an open stream: all of the checks above that can change, not the rate. The same reasons.
  Status Recheck(const Grant& grant);

  // The certificate of the call, from the cache.
  Result<std::shared_ptr<const PeerIdentity>> Identify(const CallFacts& call);

  const RateLimiter& limiter() const { return *limiter_; }

 private:
  Status CheckCertificate(const PeerIdentity& identity);
  Result<MemberFacts> CheckMember(const PeerIdentity& identity);
  Result<Caller> Refuse(const PeerIdentity& identity, const CallFacts& call, const MethodRule& rule,
                        Error error) const;

  const DirectoryReader* const directory_;
  crypto::CrlStore* const crls_;
  const Clock* const clock_;
  const Options options_;
  IdentityCache identities_;
  const std::shared_ptr<RateLimiter> limiter_;
  // Apart, so that a certificate that the directory does not know can't use up a member's calls.
  const std::shared_ptr<RateLimiter> peer_limiter_;
};

}  // namespace schakel::transport
