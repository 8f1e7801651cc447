// Compiled policy bundles for those who read. A cache: it never changes an answer.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <utility>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/store/state_reader.h"
#include "policy/engine/compile.h"

namespace schakel::query {

using CompiledBundle = std::shared_ptr<const policy::CompiledBundle>;

struct ActiveBundle {
  Digest digest;
  CompiledBundle bundle;
};

// Thread-safe. LIMIT: the 8 that were used last.
class Bundles {
 public:
  Bundles() = default;
  Bundles(const Bundles&) = delete;
  Bundles& operator=(const Bundles&) = delete;

  // NOT_FOUND, field digest, when it was never activated here.
  Result<CompiledBundle> Of(const store::StateReader& state, const Digest& digest);
  // The one that the snapshot's next decision is made by.
  Result<ActiveBundle> Active(const store::StateReader& state);
  // The one that a request's digest names: 32 bytes, or empty for the active one. FIELD_INVALID.
  Result<ActiveBundle> Named(const store::StateReader& state, const Bytes& digest);

 private:
  std::mutex mutex_;
  std::list<ActiveBundle> recent_;  // the last used first
};

}  // namespace schakel::query
