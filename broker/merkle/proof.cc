#include "broker/merkle/proof.h"

#include <algorithm>
#include <bit>

namespace schakel::merkle {
namespace {

Error Wrong(std::string field, std::string message) {
  return InvalidArgument("PROOF_INVALID", std::move(field), std::move(message));
}

// Where RFC 6962 cuts a tree of n > 1 leaves: the largest power of two below n.
uint64_t SplitOf(uint64_t n) { return std::bit_floor(n - 1); }

}  // namespace

Result<Digest> RootFromInclusionPath(uint64_t index, uint64_t size, const Digest& leaf_hash,
                                     std::span<const Digest> path) {
  if (index >= size) return Wrong("index", "the index lies outside the tree");
  uint64_t place = index;
  uint64_t last = size - 1;
  Digest root = leaf_hash;
  for (const Digest& sibling : path) {
    if (last == 0) return Wrong("path", "the path is too long for this place in the tree");
    if ((place & 1) != 0 || place == last) {
      root = NodeHash(sibling, root);
      // The last node of a level without a sibling goes up unchanged.
      while ((place & 1) == 0 && place != 0) {
        place >>= 1;
        last >>= 1;
      }
    } else {
      root = NodeHash(root, sibling);
    }
    place >>= 1;
    last >>= 1;
  }
  if (last != 0) return Wrong("path", "the path is too short for this place in the tree");
  return root;
}

Status VerifyInclusion(uint64_t index, const Digest& leaf_hash, std::span<const Digest> path,
                       const TreeHead& head) {
  SCHAKEL_ASSIGN(Digest root, RootFromInclusionPath(index, head.size, leaf_hash, path));
  if (root != head.root) return Wrong("root", "the path does not lead to the root");
  return {};
}

Status VerifyConsistency(const TreeHead& older, const TreeHead& newer,
                         std::span<const Digest> path) {
  if (older.size == 0) return Wrong("size", "nothing can be proved from the empty tree");
  if (older.size > newer.size) return Wrong("size", "the older tree is the larger one");
  if (older.size == newer.size) {
    if (!path.empty()) return Wrong("path", "the path of two equal sizes is empty");
    if (older.root != newer.root) return Wrong("root", "two roots of the same size differ");
    return {};
  }
  if (path.empty()) return Wrong("path", "the path of two different sizes is not empty");

  // A perfect older tree is a node of the newer one; its root is known and left out of the path.
  const bool perfect = std::has_single_bit(older.size);
  uint64_t place = older.size - 1;
  uint64_t last = newer.size - 1;
  while ((place & 1) != 0) {
    place >>= 1;
    last >>= 1;
  }
  Digest old_root = perfect ? older.root : path.front();
  Digest new_root = old_root;
  for (const Digest& sibling : perfect ? path : path.subspan(1)) {
    if (last == 0) return Wrong("path", "the path is too long for these sizes");
    if ((place & 1) != 0 || place == last) {
      old_root = NodeHash(sibling, old_root);
      new_root = NodeHash(sibling, new_root);
      while ((place & 1) == 0 && place != 0) {
        place >>= 1;
        last >>= 1;
      }
    } else {
      new_root = NodeHash(new_root, sibling);
    }
    place >>= 1;
    last >>= 1;
  }
  if (last != 0) return Wrong("path", "the path is too short for these sizes");
  if (old_root != older.root) return Wrong("root", "the path does not lead to the older root");
  if (new_root != newer.root) return Wrong("root", "the path does not lead to the newer root");
  return {};
}

Result<Digest> RangeRoot(uint64_t begin, uint64_t end, const NodeReader& nodes) {
  SCHAKEL_CHECK(begin < end, "a range has at least one leaf");
  const uint64_t n = end - begin;
  if (std::has_single_bit(n)) {
    const auto level = static_cast<uint32_t>(std::countr_zero(n));
    SCHAKEL_CHECK(begin % n == 0, "a range begins at a subtree's border");
    return nodes({level, begin >> level});
  }
  const uint64_t middle = begin + SplitOf(n);
  SCHAKEL_ASSIGN(Digest left, RangeRoot(begin, middle, nodes));
  SCHAKEL_ASSIGN(Digest right, RangeRoot(middle, end, nodes));
  return NodeHash(left, right);
}

Result<Path> InclusionProof(uint64_t index, uint64_t size, const NodeReader& nodes) {
  if (index >= size) {
    return InvalidArgument("OUT_OF_TREE", "index", "the index lies outside the tree");
  }
  Path path;
  uint64_t begin = 0;
  uint64_t end = size;
  while (end - begin > 1) {
    const uint64_t middle = begin + SplitOf(end - begin);
    const bool left = index < middle;
    SCHAKEL_ASSIGN(Digest sibling,
                   left ? RangeRoot(middle, end, nodes) : RangeRoot(begin, middle, nodes));
    path.push_back(sibling);
    (left ? end : begin) = middle;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

Result<Path> ConsistencyProof(uint64_t older_size, uint64_t newer_size, const NodeReader& nodes) {
  if (older_size == 0 || older_size > newer_size) {
    return InvalidArgument("OUT_OF_TREE", "size",
                           "the older size is at least 1 and at most the newer size");
  }
  Path path;
  uint64_t begin = 0;
  uint64_t end = newer_size;
  bool is_older_tree = true;  // whether [begin, older_size) is the whole older tree
  while (older_size != end) {
    const uint64_t middle = begin + SplitOf(end - begin);
    if (older_size <= middle) {
      SCHAKEL_ASSIGN(Digest right, RangeRoot(middle, end, nodes));
      path.push_back(right);
      end = middle;
    } else {
      SCHAKEL_ASSIGN(Digest left, RangeRoot(begin, middle, nodes));
      path.push_back(left);
      begin = middle;
      is_older_tree = false;
    }
  }
  if (!is_older_tree) {
    SCHAKEL_ASSIGN(Digest rest, RangeRoot(begin, end, nodes));
    path.push_back(rest);
  }
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace schakel::merkle
