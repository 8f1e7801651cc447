// The canonical bytes of a policy bundle. proto/ENVELOPE.md, Policy bundle.
#pragma once

#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"

namespace schakel::crypto {

struct PolicyFile {
  std::string path;  // relative to the bundle's folder, with '/' between parts
  Bytes content;

  bool operator==(const PolicyFile&) const = default;
};

// For each file, paths bytewise ascending: lp(path) || lp(bytes). The order given does not matter.
// INVALID_ARGUMENT BUNDLE_INVALID for no or too many files, bytes above the limit, a path that is
// twice there, or one that is no plain relative path (absolute, empty part, ".", "..", '\\',
// control byte).
Result<Bytes> EncodePolicyBundle(std::vector<PolicyFile> files);

// The files of canonical bytes; the same refusals, and any order but the canonical one.
Result<std::vector<PolicyFile>> ParsePolicyBundle(BytesView bundle);

// H("schakel/v1/policy\n" || canonical bytes)
Digest PolicyDigest(BytesView bundle);

}  // namespace schakel::crypto
