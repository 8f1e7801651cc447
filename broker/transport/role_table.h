// The one table of every RPC and who may call it. INVARIANT I3: what is not in it is denied, and a
// server with an RPC that is not in it does not start.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/result.h"
#include "google/protobuf/descriptor.h"
#include "schakel/v1/directory.pb.h"

namespace schakel::transport {

// A set of v1::Role.
class RoleSet {
 public:
  template <typename... Roles>
  explicit constexpr RoleSet(Roles... roles)
      : bits_((0u | ... | (1u << static_cast<unsigned>(roles)))) {}
  constexpr bool Contains(v1::Role role) const {
    return role > v1::ROLE_UNSPECIFIED && role <= v1::ROLE_REGISTRAR &&
           ((bits_ >> static_cast<unsigned>(role)) & 1u) != 0;
  }
  constexpr bool operator==(const RoleSet&) const = default;

 private:
  uint32_t bits_;
};

inline constexpr RoleSet kAnyMember(v1::ROLE_PARTNER, v1::ROLE_CHAIN_DIRECTOR, v1::ROLE_AUDITOR,
                                    v1::ROLE_REGISTRAR);

enum class Access {
  kMember,   // an admitted organisation with one of `roles`, and an actor
  kAnyPeer,  // whoever passed the handshake with a valid, unrevoked certificate; for health and
             // reflection, which must answer before a directory is there
};

struct MethodRule {
  std::string_view method;  // full name as in the descriptor: schakel.v1.SignalService.Publish
  Access access;
  RoleSet roles;  // for kMember
};

// The whole table, by name.
std::span<const MethodRule> RoleTable();

// nullptr when the table has no such method. Also takes gRPC's form "/package.Service/Method".
const MethodRule* FindMethod(std::string_view method);

// Whether every RPC of these services ("schakel.v1.SignalService") has an entry. Errors:
// FIELD_INVALID naming the first RPC without one, or a service that the pool does not know.
Status CheckComplete(const google::protobuf::DescriptorPool& pool,
                     std::span<const std::string> services);

}  // namespace schakel::transport
