// The Merkle tree of RFC 6962: how entries become one root, and the small state with which it
// grows.
//
// Words: an *entry* is the byte string that is logged; its *leaf hash* is H(0x00 || entry); a
// *node* (level, index) is the root of the perfect subtree over the leaves [index << level, (index
// + 1) << level), so level 0 holds the leaf hashes. Ranges are half open: [begin, end). A size is a
// count, an index is 0-based. SOURCE: RFC 6962 2.1, RFC 9162 2.1
#pragma once

#include <array>
#include <cstdint>

#include "broker/base/bytes.h"
#include "broker/base/result.h"

namespace schakel::merkle {

Digest LeafHash(BytesView entry);
// The tree's entries are digests almost everywhere (proto/ENVELOPE.md, Log); same value as above.
Digest LeafHash(const Digest& entry);
Digest NodeHash(const Digest& left, const Digest& right);
// The root of the tree of size 0: SHA-256 of nothing.
const Digest& RootOfEmpty();

// A tree as two values. Two heads are compared with VerifyConsistency (proof.h).
struct TreeHead {
  uint64_t size = 0;
  Digest root = RootOfEmpty();

  bool operator==(const TreeHead&) const = default;
};

// One node of the tree.
struct NodeId {
  uint32_t level = 0;
  uint64_t index = 0;

  bool operator==(const NodeId&) const = default;
};

// The compact range [0, size): the roots of the perfect subtrees that make up a tree of that size.
// It is all that is needed to append and to know the root; 64 * 32 bytes, never allocates.
// Not thread-safe; copying is cheap.
class Frontier {
 public:
  Frontier() = default;

  uint64_t size() const { return size_; }
  // Appends H(0x00 || entry).
  void Append(const Digest& entry) { AppendLeaf(LeafHash(entry)); }
  // REQUIRES: size() < 2^64 - 1
  void AppendLeaf(const Digest& leaf_hash);

  // O(log size) hashes; RootOfEmpty() for size 0.
  Digest Root() const;
  TreeHead Head() const { return {size_, Root()}; }

  // u64 size || the subtree roots, largest subtree first: 8 + 32 * popcount(size) bytes.
  Bytes Serialise() const;
  // Refuses any other length (MERKLE_MALFORMED). Whether the hashes belong to the log is for the
  // caller to check, by comparing Root() with a head that it trusts.
  static Result<Frontier> Parse(BytesView raw);

  bool operator==(const Frontier& other) const;

 private:
  uint64_t size_ = 0;
  std::array<Digest, 64> node_;  // node_[l] is meaningful when bit l of size_ is set
};

}  // namespace schakel::merkle
