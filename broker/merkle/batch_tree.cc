#include "broker/merkle/batch_tree.h"

#include "broker/base/limits.h"

namespace schakel::merkle {
namespace {

Error WrongSize() { return InvalidArgument("BATCH_SIZE", "n", "a batch has 1 to 64 envelopes"); }

}  // namespace

Result<BatchTree> BatchTree::Build(std::span<const Digest> entries) {
  if (entries.empty() || entries.size() > limits::kBatchEnvelopesMax) return WrongSize();
  BatchTree tree;
  auto& leaves = tree.levels_.emplace_back();
  leaves.reserve(entries.size());
  for (const Digest& entry : entries) leaves.push_back(LeafHash(entry));
  while (tree.levels_.back().size() > 1) {
    const auto& below = tree.levels_.back();
    std::vector<Digest> level;
    level.reserve((below.size() + 1) / 2);
    for (size_t i = 0; i + 1 < below.size(); i += 2) {
      level.push_back(NodeHash(below[i], below[i + 1]));
    }
    if (below.size() % 2 != 0) level.push_back(below.back());
    tree.levels_.push_back(std::move(level));
  }
  return tree;
}

Path BatchTree::PathOf(uint32_t index) const {
  SCHAKEL_CHECK(index < size(), "the index lies in the batch");
  Path path;
  size_t place = index;
  for (const auto& level : levels_) {
    const size_t sibling = place ^ 1;
    if (sibling < level.size()) path.push_back(level[sibling]);
    place >>= 1;
  }
  return path;
}

Result<Digest> BatchRoot(const Digest& entry, uint32_t index, uint32_t n,
                         std::span<const Digest> path) {
  if (n == 0 || n > limits::kBatchEnvelopesMax) return WrongSize();
  return RootFromInclusionPath(index, n, LeafHash(entry), path);
}

}  // namespace schakel::merkle
