// The tree that a sender signs: 1..64 envelope digests under one signature.
// SOURCE: proto/ENVELOPE.md, Envelope: "RFC 6962 tree over entries = envelope_digest"
#pragma once

#include <array>
#include <span>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/merkle/proof.h"

namespace schakel::merkle {

// An object that exists is a whole tree over 1..64 entries. Immutable.
class BatchTree {
 public:
  // Refuses none or more than limits::kBatchEnvelopesMax entries (BATCH_SIZE).
  static Result<BatchTree> Build(std::span<const Digest> entries);

  uint32_t size() const { return static_cast<uint32_t>(levels_.front().size()); }
  const Digest& root() const { return levels_.back().front(); }
  // At most 6 hashes. REQUIRES: index < size()
  Path PathOf(uint32_t index) const;

 private:
  BatchTree() = default;
  // levels_[0] are leaf hashes; a last node without a sibling goes up unchanged, which gives the
  // same root as RFC 6962's split.
  std::vector<std::vector<Digest>> levels_;
};

// What the reader of one envelope does: the batch's root from its digest, place and path.
// Refuses n = 0 or above the limit, index >= n, a path of the wrong length (PROOF_INVALID).
Result<Digest> BatchRoot(const Digest& entry, uint32_t index, uint32_t n,
                         std::span<const Digest> path);

}  // namespace schakel::merkle
