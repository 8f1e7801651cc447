// From a folder's files to what is packed. Byte format and digest: broker/crypto/policy_format.h.
#pragma once

#include <cstdint>
#include <map>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "policy/engine/bundle.h"

namespace schakel::policy {

// Leaves out files that are no part of a bundle (editors' backups, a README) and refuses more than
// the limits allow. The result is sorted bytewise by path, as packing wants it.
Result<BundleFiles> SelectFiles(const BundleFiles& folder);

// Sets the `key_documents` of bundle.yaml to these digests (epoch -> digest), replacing what is
// there; every other byte stays. Fails when bundle.yaml is missing or does not parse afterwards.
Result<BundleFiles> SetKeyDocuments(const BundleFiles& files,
                                    const std::map<uint32_t, Digest>& digests);

}  // namespace schakel::policy
