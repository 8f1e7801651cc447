// What transport asks of the directory. The broker answers from its durable registry, the custodian
// from its members file.
#pragma once

#include <cstdint>
#include <optional>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "schakel/v1/directory.pb.h"

namespace schakel::transport {

// What the directory says of a member now.
struct MemberFacts {
  v1::Role role = v1::ROLE_UNSPECIFIED;
  std::optional<Digest> issuer;  // pinned issuer name; nullopt where only the key is pinned
  Digest spki;                   // pinned public key
  uint64_t entry_version = 0;    // from 1; the machine refuses a command with an old one
  bool disabled = false;
  std::optional<Digest> key_set;  // current key set; nullopt when none was registered
  uint64_t key_set_version = 0;   // 0 when none was registered
};

class DirectoryReader {
 public:
  virtual ~DirectoryReader() = default;
  // The member's facts on durable state; nullopt when it was never admitted. Called at every RPC
  // and each second per stream, from several threads: must be cheap and thread-safe.
  virtual std::optional<MemberFacts> Find(const OrganisationId& organisation) const = 0;
};

}  // namespace schakel::transport
