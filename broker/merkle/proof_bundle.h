// One inclusion proof as a text that verifies offline: index, path and the signed checkpoint.
// It does not say what was logged: whoever verifies brings the entry.
// SOURCE: C2SP tlog-proof
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/merkle/checkpoint.h"
#include "broker/merkle/proof.h"

namespace schakel::merkle {

struct ProofBundle {
  // Opaque to the proof and not authenticated by it; absent, never empty.
  std::optional<Bytes> extra;
  uint64_t index = 0;
  Path path;
  std::string checkpoint;  // the signed note, as it came

  bool operator==(const ProofBundle&) const = default;
};

// REQUIRES: extra is absent or not empty
std::string EncodeProofBundle(const ProofBundle& bundle);
// PROOF_MALFORMED for every text that EncodeProofBundle would not give, and above
// limits::kProofBundleBytesMax. Nothing is verified.
Result<ProofBundle> ParseProofBundle(BytesView text);

// The checkpoint, when `key` signed it and `entry` stands at the bundle's index in its tree.
// Errors as OpenCheckpoint and VerifyInclusion.
Result<Checkpoint> VerifyProofBundle(const ProofBundle& bundle, const Digest& entry,
                                     const VerifierKey& key);

}  // namespace schakel::merkle
