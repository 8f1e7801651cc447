// Inclusion and consistency proofs: verified against heads, made from a reader of nodes.
//
// Everything here is total: no size, index or path makes it crash, loop long or read outside.
// A proof that does not hold is the error PROOF_INVALID; what the caller may not even ask
// (index >= size, a first size of 0) is the same error on verification and INVALID_ARGUMENT with
// reason OUT_OF_TREE on generation.
// SOURCE: RFC 9162 2.1.3 and 2.1.4 (the algorithms), RFC 6962 2.1.1 and 2.1.2 (the same paths)
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/base/result.h"
#include "broker/merkle/tree.h"

namespace schakel::merkle {

// Hashes from the leaf's side to the root's, as RFC 6962 orders them. At most 64 of them.
using Path = std::vector<Digest>;

// LIMIT: no tree of at most 2^64 - 1 leaves has a longer inclusion proof, nor a consistency proof
// longer than one more.
inline constexpr size_t kPathHashesMax = 65;

// Reads hashes that came over a wire; each must be exactly 32 bytes. Any range of strings will do
// (a repeated protobuf field, a vector).
template <typename Strings>
Result<Path> PathFrom(const Strings& hashes);

// The root that `path` leads to from `leaf_hash` at `index` in a tree of `size` leaves.
// Refuses index >= size and every path of another length than that place has.
Result<Digest> RootFromInclusionPath(uint64_t index, uint64_t size, const Digest& leaf_hash,
                                     std::span<const Digest> path);

// OK only when `leaf_hash` is the leaf at `index` of the tree `head`.
Status VerifyInclusion(uint64_t index, const Digest& leaf_hash, std::span<const Digest> path,
                       const TreeHead& head);

// OK only when the tree `older` is a prefix of the tree `newer`. older.size = 0 is refused: nothing
// can be proved from it. With equal sizes the path must be empty and the roots equal.
Status VerifyConsistency(const TreeHead& older, const TreeHead& newer,
                         std::span<const Digest> path);

// Reads one node of a perfect subtree that lies wholly in the tree: (index + 1) << level <= size.
// tile.h makes one from tiles. An error ends the generation and is passed on.
using NodeReader = std::function<Result<Digest>(NodeId)>;

// The root over the leaves [begin, end). REQUIRES: begin < end, and begin a multiple of the
// largest power of two below end - begin (so it is for every subtree that a proof names).
Result<Digest> RangeRoot(uint64_t begin, uint64_t end, const NodeReader& nodes);

// REQUIRES of the reader: it serves the tree of `size` leaves or a larger one.
Result<Path> InclusionProof(uint64_t index, uint64_t size, const NodeReader& nodes);
Result<Path> ConsistencyProof(uint64_t older_size, uint64_t newer_size, const NodeReader& nodes);

// ---- implementation of the template ----

template <typename Strings>
Result<Path> PathFrom(const Strings& hashes) {
  Path path;
  for (const auto& raw : hashes) {
    auto digest = Digest::From(raw);
    if (!digest || path.size() == kPathHashesMax) {
      return InvalidArgument("PROOF_INVALID", "path",
                             digest ? "a proof has at most 65 hashes" : "a hash is 32 bytes");
    }
    path.push_back(*digest);
  }
  return path;
}

}  // namespace schakel::merkle
