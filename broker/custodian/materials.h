// Everything that a custodian's files hold, loaded and checked against each other, before anything
// listens. What does not fit together is refused: a custodian that answers with a false share would
// be noticed by every client, and one with a stranger's share would break the threshold.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "broker/base/clock.h"
#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/crypto/crl.h"
#include "broker/crypto/sign.h"
#include "broker/custodian/key_holder.h"
#include "broker/custodian/members.h"
#include "broker/custodian/settings.h"

namespace schakel::custodian {

struct Materials {
  OrganisationId own;  // of the certificate that the custodian answers with
  std::unique_ptr<KeyHolder> holder;
  std::unique_ptr<crypto::CrlStore> crls;
  std::unique_ptr<MembersFile> members;
  crypto::SigningKey log_key;
  // The head file lies on the data folder's file system: both may be put back together.
  bool head_on_same_file_system = false;
};

// Appends one Error per mistake; its field is "file:line" of the key of the configuration whose
// file is wrong, or of the members file. nullopt when there was one.
std::optional<Materials> LoadMaterials(const Settings& settings, const Clock& clock,
                                       MembersFile::OnReload on_reload,
                                       std::vector<Error>* problems);

}  // namespace schakel::custodian
