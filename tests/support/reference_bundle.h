// The reference bundle as tests without custodians use it.
#pragma once

#include <memory>
#include <string>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "policy/engine/compile.h"

namespace schakel::testing {

// The reference bundle with a made-up key document for epoch 1. Compiled once a process.
struct ReferenceBundle {
  Bytes bytes;
  Digest digest;
  std::shared_ptr<const policy::CompiledBundle> compiled;
};
const ReferenceBundle& Reference();
// The same with another version text: other bytes, other digest, same rules.
ReferenceBundle ReferenceWithVersion(const std::string& version);
// The same with the first `from` in a file replaced.
ReferenceBundle ReferenceChanged(const std::string& file, const std::string& from,
                                 const std::string& to);
// The same with `extra` appended to rules.yaml.
ReferenceBundle ReferenceWithRules(const std::string& extra);

}  // namespace schakel::testing
