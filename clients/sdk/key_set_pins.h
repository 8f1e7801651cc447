// The highest key-set version seen of each organisation, in one small file: a broker can't hand out
// an old key set again, nor another one under the same version.
#pragma once

#include <filesystem>

#include "broker/base/ids.h"
#include "broker/base/result.h"
#include "broker/crypto/key_set.h"
#include "clients/sdk/key_set_verifier.h"

namespace schakel::sdk {

// Safe between processes (a lock file beside it) and threads.
class KeySetPins {
 public:
  explicit KeySetPins(std::filesystem::path file) : file_(std::move(file)) {}

  // Checks a current key set against the pin and raises the pin; durable on return. Errors:
  // KEY_SET_INVALID for a lower version, the same version with another digest, or the next version
  // with another predecessor than the pinned one.
  Status CheckAndRaise(const VerifiedKeySet& key_set) const;

 private:
  std::filesystem::path file_;
};

}  // namespace schakel::sdk
