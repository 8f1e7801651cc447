// Policy bundles by digest, compiled.
#pragma once

#include <memory>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "clients/sdk/pseudonym_client.h"
#include "policy/engine/compile.h"

namespace schakel::sdk {

struct LoadedBundle {
  Digest digest;
  Bytes bytes;
  std::shared_ptr<const policy::CompiledBundle> compiled;

  // The key documents that it pins.
  std::vector<PinnedKeyDocument> KeyDocuments() const;
};

// Checks the digest and compiles. Errors: BUNDLE_DIGEST_MISMATCH, BUNDLE_INVALID.
Result<std::shared_ptr<const LoadedBundle>> LoadBundle(BytesView bytes, const Digest& digest);

class BundleSource {
 public:
  virtual ~BundleSource() = default;
  virtual Result<std::shared_ptr<const LoadedBundle>> Active() = 0;
  virtual Result<std::shared_ptr<const LoadedBundle>> ByDigest(const Digest& digest) = 0;
};

}  // namespace schakel::sdk
