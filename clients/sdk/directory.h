// The directory as composer and opener need it: entries whose key sets were verified.
#pragma once

#include <optional>

#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "clients/sdk/key_set_verifier.h"
#include "policy/engine/party.h"
#include "schakel/v1/directory.pb.h"

namespace schakel::sdk {

struct Member {
  v1::Organisation organisation;
  bool disabled = false;
  std::optional<VerifiedKeySet> key_set;  // current; unset when none was registered
};

// What the policy engine sees of an entry. FIELD_INVALID when its OIN is malformed.
Result<policy::Party> PartyOf(const v1::Organisation& organisation);

class Directory {
 public:
  virtual ~Directory() = default;
  // The entry with its current key set, verified, and not lower than seen before.
  virtual Result<Member> Get(const OrganisationId& oin) = 0;
  // A key set by digest, also an older one, verified as of `created`: for opening.
  virtual Result<VerifiedKeySet> KeySetAt(const OrganisationId& oin, const Digest& digest,
                                          Millis created) = 0;
};

}  // namespace schakel::sdk
